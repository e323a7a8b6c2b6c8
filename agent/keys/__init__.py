"""The host's private keys."""

from agent.keys.store import KeyStore

__all__ = ["KeyStore"]
