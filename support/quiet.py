"""Imported before grpc, for its effect: what grpc's core prints on its own account is no message to anybody.

Each port scanner's handshake is such a line, for one. And nodes are started by fork and exec, which needs no help.
"""

from __future__ import annotations

import os

os.environ.setdefault("GRPC_ENABLE_FORK_SUPPORT", "0")
os.environ.setdefault("GRPC_VERBOSITY", "NONE")
