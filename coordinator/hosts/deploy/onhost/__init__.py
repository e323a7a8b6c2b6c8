"""What is done on a host as root, and nothing else: facts, archives, user, folders, unit, start, stop, removal.

Sent over SSH to `python3 -` (coordinator/hosts/deploy/program.py), so: only the standard library, and the Python 3.8
that an old host may have. A request is one JSON document, and so is the answer. Nothing of a request reaches a shell.
What is created on a host is recorded below ROOT, so that it can be removed again.
"""
