"""Typed reads of a chain over anything that can make one call of nodeos' HTTP API."""

from __future__ import annotations

import base64
from abc import abstractmethod
from collections.abc import AsyncIterator
from typing import Any, Protocol

from antelope.answers import Account, BlockInfo, Info, PeerLink, RawAbi, Schedules, read_answer
from antelope.errors import BadAnswer, UnknownAccount, UnknownTable

PAGE = 1000
Row = dict[str, Any]


class ChainReader(Protocol):
    """Subclasses provide `call`; the rest follows. All methods raise NodeError, none retries."""

    @abstractmethod
    async def call(self, path: str, body: object) -> Any:
        """Posts body as JSON to a path like /v1/chain/get_info and returns the decoded answer."""

    async def get_info(self) -> Info:
        """The node's chain, head and last irreversible block."""
        return read_answer("get_info", Info.from_json, await self.call("/v1/chain/get_info", {}))

    async def get_account(self, name: str) -> Account:
        """An account. Raises UnknownAccount."""
        answer = await self.call("/v1/chain/get_account", {"account_name": name})
        return read_answer(f"get_account {name}", Account.from_json, answer)

    async def find_account(self, name: str) -> Account | None:
        """An account; None if there is none."""
        try:
            return await self.get_account(name)
        except UnknownAccount:
            return None

    async def get_raw_abi(self, name: str) -> RawAbi:
        """An account's packed ABI, with its hash and the code's. Raises UnknownAccount."""

        def read(value: Row) -> RawAbi:
            # Some versions of nodeos leave out base64's padding.
            text = value.get("abi", "").rstrip("=")
            return RawAbi(value["code_hash"], value["abi_hash"], base64.b64decode(text + "=" * (-len(text) % 4)))

        answer = await self.call("/v1/chain/get_raw_abi", {"account_name": name})
        return read_answer(f"get_raw_abi {name}", read, answer)

    async def get_block_info(self, num: int) -> BlockInfo:
        """A block without its transactions, by number. Raises UnknownBlock."""
        answer = await self.call("/v1/chain/get_block_info", {"block_num": num})
        return read_answer(f"get_block_info {num}", BlockInfo.from_json, answer)

    async def get_block(self, num_or_id: int | str) -> Row:
        """A block with its transactions decoded: slow for large blocks. Raises UnknownBlock."""
        answer = await self.call("/v1/chain/get_block", {"block_num_or_id": str(num_or_id)})
        return read_answer(f"get_block {num_or_id}", _object, answer)

    async def get_raw_block(self, num_or_id: int | str) -> Row:
        """A block with its transactions packed: ten times as fast as get_block. Raises UnknownBlock."""
        answer = await self.call("/v1/chain/get_raw_block", {"block_num_or_id": str(num_or_id)})
        return read_answer(f"get_raw_block {num_or_id}", _object, answer)

    async def get_producer_schedule(self) -> Schedules:
        """The active, pending and proposed schedules."""
        answer = await self.call("/v1/chain/get_producer_schedule", {})
        return read_answer("get_producer_schedule", Schedules.from_json, answer)

    async def get_activated_protocol_features(self) -> tuple[str, ...]:
        """The digests of all active protocol features, in the order of their activation."""
        digests: list[str] = []
        lower: int | None = 0
        while lower is not None:
            body = {"lower_bound": lower, "limit": PAGE}
            answer = await self.call("/v1/chain/get_activated_protocol_features", body)
            page, following = read_answer("get_activated_protocol_features", _feature_page, answer)
            if following is not None and following <= lower:
                raise BadAnswer(200, None, "", "get_activated_protocol_features does not advance")
            digests += page
            lower = following
        return tuple(digests)

    async def get_supported_protocol_features(self) -> list[Row]:
        """All features that the node knows, from its producer API; antelope.features.order sorts them."""
        answer = await self.call("/v1/producer/get_supported_protocol_features", {})
        return read_answer("get_supported_protocol_features", _objects, answer)

    async def get_supported_apis(self) -> frozenset[str]:
        """The paths that the node serves."""
        answer = await self.call("/v1/node/get_supported_apis", {})
        return read_answer("get_supported_apis", lambda value: frozenset(map(str, value["apis"])), answer)

    async def connections(self) -> list[PeerLink]:
        """The node's p2p links, inbound ones included."""
        answer = await self.call("/v1/net/connections", {})
        return read_answer("net/connections", lambda value: [PeerLink.from_json(one) for one in value], answer)

    async def get_table_rows(
        self,
        code: str,
        scope: str,
        table: str,
        *,
        lower_bound: int | str = "",
        upper_bound: int | str = "",
        limit: int = PAGE,
    ) -> list[Row]:
        """One page of a table's rows by primary key, decoded; a node may return fewer. Raises UnknownTable.

        Bounds are inclusive; pass names as name_to_int(name), since nodeos takes a string of digits for a number.
        """
        body = _table_query(code, scope, table, lower_bound, upper_bound, limit)
        answer = await self.call("/v1/chain/get_table_rows", body)
        return read_answer(f"get_table_rows {code} {scope} {table}", _page, answer)[0]

    async def iter_table_rows(
        self,
        code: str,
        scope: str,
        table: str,
        *,
        lower_bound: int | str = "",
        upper_bound: int | str = "",
        page: int = PAGE,
    ) -> AsyncIterator[Row]:
        """All rows between the bounds, page by page until the node reports that there are no more."""
        what = f"get_table_rows {code} {scope} {table}"
        body = _table_query(code, scope, table, lower_bound, upper_bound, page)
        while True:
            answer = await self.call("/v1/chain/get_table_rows", body)
            rows, following = read_answer(what, _page, answer)
            for row in rows:
                yield row
            if following is None:
                return
            if not rows and following == body["lower_bound"]:
                raise BadAnswer(200, None, "", f"{what} reports more after {following!r}, but gives nothing")
            body = {**body, "lower_bound": following}

    async def find_row(self, code: str, scope: str, table: str, key: int) -> Row | None:
        """The row with this primary key; None when the row, the table or the contract's account does not exist."""
        try:
            rows = await self.get_table_rows(code, scope, table, lower_bound=key, upper_bound=key, limit=1)
        except (UnknownTable, UnknownAccount):
            return None
        return rows[0] if rows else None


def _table_query(
    code: str, scope: str, table: str, lower_bound: int | str, upper_bound: int | str, limit: int
) -> dict[str, Any]:
    return {
        "json": True,
        "code": code,
        "scope": scope,
        "table": table,
        "lower_bound": str(lower_bound),
        "upper_bound": str(upper_bound),
        "limit": limit,
    }


def _page(value: Row) -> tuple[list[Row], str | None]:
    """The rows, and the bound to continue from if there are more."""
    return _objects(value["rows"]), str(value["next_key"]) if value["more"] else None


def _feature_page(value: Row) -> tuple[list[str], int | None]:
    more = value.get("more")
    digests = [str(one["feature_digest"]) for one in value["activated_protocol_features"]]
    return digests, int(more) if more is not None else None


def _object(value: Any) -> Row:
    if not isinstance(value, dict):
        raise TypeError("an object is expected")
    return value


def _objects(value: Any) -> list[Row]:
    if not isinstance(value, list):
        raise TypeError("an array is expected")
    return [_object(one) for one in value]
