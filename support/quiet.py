"""Imported before grpc, to silence what grpc's core prints to stderr.

It prints a line for every port scanner's handshake, for example. It also warns of forks, but nodes are started by fork
and exec, which is safe.
"""

from __future__ import annotations

import os

os.environ.setdefault("GRPC_ENABLE_FORK_SUPPORT", "0")
os.environ.setdefault("GRPC_VERBOSITY", "NONE")
