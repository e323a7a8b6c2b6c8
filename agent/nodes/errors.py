"""What can be wrong with a node.

NodeFault: one line for a person, and whether another try is worth it without anybody's help
├── PortTaken, DiskFull, FolderInUse: something else is in the way
├── OtherChain: it does not run the sealed chain
├── DirtyDatabase: it was killed; its state must be built again from its blocks
├── BadConfiguration: this nodeos does not take its options, or the key is used elsewhere
├── NotAnswering: it runs, and does not answer in time
└── UnknownNode: no node of that name
"""

from __future__ import annotations


class NodeFault(Exception):
    """A node cannot be started, stopped or found; one line says which and why."""

    retryable = False


class PortTaken(NodeFault):
    """Another process listens on one of its ports."""

    retryable = True


class DiskFull(NodeFault):
    """Its disk has too little space left."""


class FolderInUse(NodeFault):
    """A living process that is not ours has its data open."""


class OtherChain(NodeFault):
    """Its data, or what it runs, is of another chain than the sealed one."""


class DirtyDatabase(NodeFault):
    """It was not shut down; only a replay of its blocks helps."""


class BadConfiguration(NodeFault):
    """It can never start like this."""


class NotAnswering(NodeFault):
    """It runs but did not answer in time."""

    retryable = True


class Unfinished(NotAnswering):
    """It was ended, or took too long, before it answered: nothing is said of its data."""


class UnknownNode(NodeFault):
    """This host has no node of that name."""
