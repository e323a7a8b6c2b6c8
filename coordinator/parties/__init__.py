"""Parties: those who run hosts of their own, and join a network with every key at home.

`invitations` makes tokens, `reception` answers what parties say, `admission` judges it, and `store` keeps it.
`progress` decides what comes next for each party (pure), and `onboarding` does it for all of them at once.
"""
