"""Hosts: checked (`preflight/`), given agents over SSH (`deploy/`) or on this machine (`local`), and stopped.

Begin with `fleet.py`.
"""
