"""Parties: those who run hosts of their own, and join a network with every key at home.

`invites` lets them in once, `book` remembers them, `admission` judges what they bring, `desk` answers them, `flow`
decides what comes next for each, and `shell` does it for all of them at once.
"""
