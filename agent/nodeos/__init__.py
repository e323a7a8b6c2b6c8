"""Finds out what a nodeos can do, and writes its config.ini."""
