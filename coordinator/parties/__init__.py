"""Parties run their own hosts, and join a network without any of their keys leaving those hosts.

`invitations` makes tokens, `reception` answers parties' messages, `admission` checks registrations, and `store`
keeps them.
`progress` decides what comes next for each party (pure), and `onboarding` does it for all of them at once.
"""
