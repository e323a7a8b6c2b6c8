"""Transactions that may not happen twice: signed, written down, pushed, followed through the blocks."""
