"""The story of each command, readable from top to bottom. Begin with `boot.py`."""
