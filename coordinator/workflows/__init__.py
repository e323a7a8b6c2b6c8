"""What each command does, from top to bottom. Begin with `boot.py`."""
