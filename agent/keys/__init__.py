"""The host's private keys."""

from agent.keys.accounts_file import KeyStoreError
from agent.keys.store import KeyStore

__all__ = ["KeyStore", "KeyStoreError"]
