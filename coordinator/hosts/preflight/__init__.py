"""Checks before anything is changed: every host, and whether hosts reach each other."""
