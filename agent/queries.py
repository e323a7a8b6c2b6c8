"""Read-only calls of nodeos' HTTP API on the coordinator's behalf."""

from __future__ import annotations

import re
from collections.abc import Callable

from agent import snapshots
from antelope.errors import BadJson
from antelope.posting import Poster, TooLarge
from antelope.strict_json import read_json, read_object
from protos import coordination_pb2 as pb
from support.snapshots import SnapshotStore

QUESTION_LIMIT = 1 << 16
"""Maximum size of a query's body, in bytes."""
ANSWER_LIMIT = 64 << 20
"""Maximum size of an answer, in bytes."""
PART = 7 << 20
"""Bytes of an answer in one message, which holds 8 MiB. The rest of a larger answer is asked for separately."""
SECONDS = 10.0
CALLS = 100
"""At the same time, to all nodes."""

_READS = re.compile(
    r"/v1/chain/get_[a-z_0-9]+"
    r"|/v1/producer/(get_supported_protocol_features|get_runtime_options|paused)"
    r"|/v1/net/(connections|status)"
    r"|/v1/node/get_supported_apis"
)


class Queries:
    """Passes queries on to this host's nodes, but only to the listed paths."""

    def __init__(self, http_port: Callable[[str], int], kept: SnapshotStore | None = None) -> None:
        """http_port: from a node's name to its HTTP API's port on loopback; raises KeyError for an unknown node.

        kept: the snapshots of this host. None if a coordinator may not have nodes write any, which occupies a node for
        seconds.
        """
        self._snapshots_too = kept is not None
        self._http_port = http_port
        self.snapshots = snapshots.Snapshots(http_port, kept)
        self._poster = Poster(SECONDS, ANSWER_LIMIT, CALLS)

    async def answer(self, query: pb.Query) -> pb.Answer:
        """nodeos' answer, unchanged; status 0 and an error if there is no answer."""
        refusal = self._refusal(query)
        if refusal:
            return pb.Answer(id=query.id, error=refusal)
        if query.path == snapshots.PATH:
            body, error = await self.snapshots.answer(query.node, read_object(query.body, size=QUESTION_LIMIT))
            return pb.Answer(id=query.id, status=0 if error else 200, body=body, error=error, total=len(body))
        url = f"http://127.0.0.1:{self._http_port(query.node)}{query.path}"
        try:
            status, whole = await self._poster.post(url, query.body or b"{}")
        except TimeoutError:
            return pb.Answer(id=query.id, error=f"{query.path}: no answer within {SECONDS:g} s")
        except TooLarge:
            return pb.Answer(id=query.id, error=f"{query.path}: the answer is larger than {ANSWER_LIMIT} bytes")
        except OSError as error:
            return pb.Answer(id=query.id, error=f"{query.path}: {error.strerror or error}")
        part = whole[query.offset : query.offset + PART]
        return pb.Answer(id=query.id, status=status, body=part, total=len(whole))

    def _refusal(self, query: pb.Query) -> str:
        """Why the query is not passed on; empty if it is."""
        own = self._snapshots_too and query.path == snapshots.PATH
        if not own and not _READS.fullmatch(query.path):
            return f"the agent does not pass on {query.path[:80]!r}: it is not among the calls that only read"
        if len(query.body) > QUESTION_LIMIT:
            return f"{query.path}: the query is larger than {QUESTION_LIMIT} bytes"
        try:
            read_json(query.body or b"{}", size=QUESTION_LIMIT)
            self._http_port(query.node)
        except BadJson:
            return f"{query.path}: the query is not JSON"
        except KeyError:
            return f"this host has no node {query.node[:80]!r}"
        return ""

    async def close(self) -> None:
        """Closes the connections, and removes the temporary snapshots."""
        self.snapshots.close()
        await self._poster.close()
