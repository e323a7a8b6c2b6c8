"""Pushes transactions exactly once: signs them, writes them down, pushes them, and follows them through the blocks."""
