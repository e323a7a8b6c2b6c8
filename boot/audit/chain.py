"""Reads the chain: with bounded concurrency, all pages, and telling "there is none" apart from failures to read."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from typing import Any, TypeVar

from antelope.errors import NodeError, UnknownAccount, UnknownBlock, UnknownEndpoint, UnknownTable
from antelope.names import name_to_int
from antelope.reads import ChainReader
from boot.errors import AuditError

T = TypeVar("T")
Json = dict[str, Any]
Progress = Callable[[int, int], None]
"""Called from time to time with the number of finished reads and of all reads known so far."""

IN_FLIGHT = 8
"""3,030 get_account took 4.1 s one by one, 2.0 s with 4 in flight, 1.8 s with 16 (bundled nodeos, 2 idle cores).

More gains nothing and is dangerous: nodeos reads ABIs on its two HTTP threads, and Leap 4 exits when a starved thread
exceeds `abi-serializer-max-time-ms` (default 15; AntelopeIO/leap issue 1149). Agents set that to 2000.
"""
PAGE = 1000
"""Rows asked for at a time; nodeos may answer fewer (its budget is 15 ms) and says `more`."""
PATIENCE = 20
"""How many pages in a row may make no progress: an overloaded node may get through a single table within its budget."""


class Chain:
    """A reader with bounded concurrency. Its methods raise AuditError if the chain cannot be read."""

    def __init__(self, reader: ChainReader, progress: Progress | None = None) -> None:
        self._reader = reader
        self._progress = progress
        self._slots = asyncio.Semaphore(IN_FLIGHT)
        self._done = 0
        self._due = 0

    async def all(self, reads: Iterable[Callable[[], Awaitable[T]]]) -> list[T]:
        """The results of all reads, in order. The first failure cancels the rest and is raised."""
        calls = list(reads)
        self._due += len(calls)
        tasks = [asyncio.ensure_future(self._counted(call)) for call in calls]
        try:
            return await asyncio.gather(*tasks)
        except BaseException:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            raise

    async def info(self) -> Json:
        """get_info."""
        return await self._ask("get_info", {})

    async def account(self, name: str) -> Json | None:
        """get_account's answer; None if there is no such account."""
        return await self._find("get_account", {"account_name": name}, UnknownAccount)

    async def contract(self, name: str) -> Json | None:
        """get_raw_abi (code_hash, abi_hash, abi as base64), None when there is no such account."""
        return await self._find("get_raw_abi", {"account_name": name}, UnknownAccount)

    async def schedule(self) -> Json:
        """get_producer_schedule."""
        return await self._ask("get_producer_schedule", {})

    async def parameters(self) -> Json:
        """The chain's own limits, as genesis.json names them."""
        config: Json = (await self._ask("get_consensus_parameters", {}))["chain_config"]
        return config

    async def block(self, number: int) -> Json | None:
        """A block as nodeos stores it (get_block would apply today's ABIs to it), None when the node lacks it."""
        return await self._find("get_raw_block", {"block_num_or_id": str(number)}, UnknownBlock)

    async def features(self) -> list[Json]:
        """The active protocol features."""
        found: list[Json] = []
        body: Json = {"limit": PAGE}
        while True:
            page = await self._ask("get_activated_protocol_features", body)
            found += page["activated_protocol_features"]
            if not page.get("more"):
                return found
            body |= {"lower_bound": page["more"]}

    async def rows(
        self, code: str, scope: str, table: str, *, payer: bool = False, keep: Callable[[Json], bool] = bool
    ) -> list[Json]:
        """All rows of a table (or those that `keep` selects); none if the account or the table does not exist. With
        `payer` each row is {data, payer}.
        """
        found: list[Json] = []
        body: Json = {"code": code, "scope": scope, "table": table, "json": True, "limit": PAGE, "show_payer": payer}
        while True:
            page = await self._find("get_table_rows", body, UnknownAccount, UnknownTable)
            if page is None:
                return []
            found += filter(keep, page["rows"])
            if not page["more"]:
                return found
            body |= {"lower_bound": str(page["next_key"])}

    async def row(self, code: str, scope: str, table: str, name: str) -> Json | None:
        """The row whose primary key is that name; None if there is none."""
        key = str(name_to_int(name))
        body = {"code": code, "scope": scope, "table": table, "json": True, "limit": 1, "show_payer": False}
        page = await self._ask("get_table_rows", body | {"lower_bound": key, "upper_bound": key})
        rows: list[Json] = page["rows"]
        return rows[0] if rows else None

    async def scopes(self, code: str, table: str) -> dict[str, int]:
        """The scopes in which a table has rows, and how many."""
        found: dict[str, int] = {}
        lower = unmoved = 0
        while unmoved < PATIENCE:
            body = {"code": code, "table": table, "limit": PAGE, "lower_bound": str(lower)}
            page = await self._ask("get_table_by_scope", body)
            found |= {str(row["scope"]): int(row["count"]) for row in page["rows"]}
            if not page["more"]:
                return found
            following = name_to_int(str(page["more"]))  # as a number, because nodeos also parses the name 12345 as one
            unmoved = 0 if following > lower else unmoved + 1
            lower = following
        raise AuditError(f"the chain could not be read, so nothing was judged: scopes of {code} {table} never end")

    async def scheduled(self) -> list[Json]:
        """Deferred and delayed transactions; none if nodeos has no such call."""
        found: list[Json] = []
        body: Json = {"json": True, "limit": PAGE}
        while True:
            page = await self._find("get_scheduled_transactions", body, UnknownEndpoint)
            if page is None:
                return []
            found += page["transactions"]
            if not page.get("more"):
                return found
            body |= {"lower_bound": page["more"]}

    async def _counted(self, call: Callable[[], Awaitable[T]]) -> T:
        result = await call()
        self._done += 1
        if self._progress is not None:
            self._progress(self._done, self._due)
        return result

    async def _ask(self, call: str, body: Json) -> Json:
        answer = await self._find(call, body)
        assert answer is not None  # noqa: S101 (nothing counts as absent here)
        return answer

    async def _find(self, call: str, body: Json, *absent: type[NodeError]) -> Json | None:
        """nodeos' answer to a call; None when it refused with one of these errors."""
        try:
            async with self._slots:
                answer = await self._reader.call(f"/v1/chain/{call}", body)
        except absent:
            return None
        except NodeError as error:
            asked = " ".join([call, *(str(body[key]) for key in _TELLING if key in body)])
            message = f"the chain could not be read, so nothing was judged: {asked}: {error}"
            raise AuditError(f"{message}; try again, or ask another node") from error
        if not isinstance(answer, dict):
            raise AuditError(f"the chain could not be read, so nothing was judged: {call} answered no JSON object")
        return answer


_TELLING = ("account_name", "code", "scope", "table", "block_num_or_id")
