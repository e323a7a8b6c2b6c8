"""What each command does, from top to bottom. Begin with `boot.py`; its parts are in the rooms beside it."""
