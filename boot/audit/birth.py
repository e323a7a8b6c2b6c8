"""The chain's birth: compares its blocks up to eosio's resignation with what the sealed network derives.

These blocks are final, so this verdict never changes. Each planned action must be there once and in order, and no other
action may have the authority of eosio or of a system account. Actions of other accounts in their own names are allowed,
even before the resignation.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from itertools import pairwise

from antelope.names import int_to_name, name_to_int, pack_name
from boot.audit.derived import RAISED, RESTORED, Key, Planned, Stage, derive, governed, registrations, resignation
from boot.audit.packed import PackedAction, Receipt, first_action, read_action
from boot.audit.report import Check, Question, judged, named
from boot.audit.rows import Rows
from boot.blueprint import Blueprint

_GOVERNING = name_to_int("eosio") >> 34
"""The first six characters of eosio and of every eosio.*: the sixth is a dot, which is encoded like a name's end."""
_NEWACCOUNT, _SETCODE = pack_name("eosio") + pack_name("newaccount"), pack_name("eosio") + pack_name("setcode")
_REGISTERED = 16 + 8 + 34
"""How many bytes of a registration are compared (`registration_key`)."""
_SHOWN = 10
"""At most this many differences of a kind are spelled out."""


class Birth:
    """What was seen of the birth, block by block."""

    def __init__(self, blueprint: Blueprint) -> None:
        self.rows = Rows(blueprint.rows, blueprint.symbol)
        self.planned, self._registered = derive(blueprint), registrations(blueprint)
        self._last = resignation(blueprint)
        self._governed = {name_to_int(name) for name in governed(blueprint)}
        self._system = {
            key for key, one in self.planned.items() if one.stage is Stage.SYSTEM_CONTRACT and key.startswith(_SETCODE)
        }
        self.first: dict[Key, int] = {}
        """For each planned action, the number of the first transaction with it."""
        self.again: list[str] = []
        """Planned actions that happened again although they must not."""
        self.extra: list[str] = []
        """Unplanned actions in the name of eosio or of an account that eosio governs: the first few."""
        self.extras = 0
        self.own = 0
        """Unplanned actions of other accounts in their own names."""
        self.span = 0, 0
        """The first and the last transaction with a part of the allocation."""
        self.early: set[str] = set()
        """Accounts that were made before the system contract."""
        self.system_block: int | None = None
        """The block that set the system contract."""
        self.block: int | None = None
        """The block in which eosio resigned: there the birth ends."""
        self.limits = RESTORED
        """The last change of the block limits."""
        self.count = 0
        """How many transactions were seen."""
        self.last = 1
        """The last block that was seen."""

    def take(self, number: int, receipts: Sequence[Receipt]) -> None:
        """A block's transactions. Raises FormatError or IndexError for one that cannot be read."""
        self.last = number
        for receipt in receipts:
            if self.block is None:
                self.count += 1
                self._take(number, receipt.packed, receipt.status == "delayed")

    def _take(self, number: int, data: bytes, delayed: bool) -> None:
        left, at = first_action(data)
        while left:
            end, whole = self.rows.take_whole(data, at) if not delayed and data[at : at + 16] == _NEWACCOUNT else (0, 0)
            if end:
                self._allocated()
                left, at = left - whole, end
                continue
            action = read_action(data, at)
            self._judge(number, data, action, delayed)
            left, at = left - 1, action.end
        if self._last <= self.first.keys():
            self.block = number

    def _judge(self, number: int, data: bytes, action: PackedAction, delayed: bool) -> None:
        what = data[action.start : action.start + 16]
        key = what + data[action.data : action.end]
        if self.system_block is None and what == _NEWACCOUNT:
            self.early.add(int_to_name(int.from_bytes(key[24:32], "little")))
        if not delayed:
            known = self.planned.get(key)
            registered = self._registered.get(key[:_REGISTERED])
            if known or registered:
                self._happened(number, key if known else key[:_REGISTERED], known)
                return
            if self.rows.take(data, action):
                self._allocated()
                return
        own = (actor for actor in action.actors if actor >> 34 == _GOVERNING or actor in self._governed)
        governing = sorted({int_to_name(actor) for actor in own})
        if not governing:
            self.own += 1
            return
        self.extras += 1
        if len(self.extra) < _SHOWN:
            did = f"{int_to_name(action.contract)}::{int_to_name(action.name)}{' with a delay' if delayed else ''}"
            self.extra.append(f"block {number}: {did} in the name of {', '.join(governing)}")

    def _allocated(self) -> None:
        self.span = self.span[0] or self.count, self.count

    def _happened(self, number: int, key: Key, known: Planned | None) -> None:
        if key in self.first and known and known.once:
            self.again.append(f"{known.label} again, in block {number}")
        self.first.setdefault(key, self.count)
        if known and known.label in (RAISED, RESTORED):
            self.limits = known.label
        if key in self._system and self.system_block is None:
            self.system_block = number

    def checks(self, unread: str = "") -> Iterator[Check]:
        """born: over, actions, accounts, nothing else, order; the first alone where blocks are missing, and why
        (unread).
        """
        fine = f"eosio resigned in block {self.block}; what came before is as sealed, whatever came after"
        yield _judged("born: over", self._unfinished(unread), fine)
        if unread:
            return
        total = len(self.rows.seen)
        needed = {**self.planned, **self._registered}
        happened = sum(key in self.first for key in needed)
        yield _judged("born: actions", self._missing(needed), f"{happened} actions of the boot, each as sealed")
        yield _judged("born: accounts", self._accounts(), f"{total} rows, each once and byte for byte as sealed")
        yield _judged("born: nothing else", self._others(), self._nothing_else())
        yield _judged("born: order", self._order(), "each part of the boot was complete before the next began")

    def _missing(self, needed: dict[Key, Planned]) -> Iterator[str]:
        lacking = [one.label for key, one in needed.items() if one.needed and key not in self.first]
        if lacking:
            yield f"{len(lacking)} are missing: {named(lacking)}"
        if self.limits == RAISED:
            yield "blocks' limits were raised for the accounts and never restored"
        yield from self.again[:_SHOWN]

    def _accounts(self) -> Iterator[str]:
        lacking = [f"{account} ({what})" for account, what in self.rows.lacking()]
        if lacking:
            yield f"{len(lacking)} of {len(self.rows.seen)} lack something: {named(lacking)}"
        yield from self.rows.twice[:_SHOWN]

    def _others(self) -> Iterator[str]:
        if self.extras:
            yield f"{self.extras} unplanned actions: {'; '.join(self.extra)}"

    def _nothing_else(self) -> str:
        own = f" ({self.own} of other accounts in their own names)" if self.own else ""
        return f"no other action was in the name of eosio or of a system account{own}"

    def _order(self) -> Iterator[str]:
        spans: defaultdict[Stage, list[int]] = defaultdict(list)
        for key, one in self.planned.items():
            if key in self.first and one.needed and one.ordered:
                spans[one.stage].append(self.first[key])
        if self.span[0]:
            spans[Stage.ACCOUNTS] = list(self.span)
        rows = ([stage for stage in Stage if spans[stage] and stage not in beside] for beside in _BESIDE)
        for before, after in dict.fromkeys(pair for row in rows for pair in pairwise(row)):
            if max(spans[before]) > min(spans[after]):
                yield f"{_spoken(after)} began before {_spoken(before)} was complete"
        if self.block is not None and spans[Stage.RESIGNATION] and max(spans[Stage.CANARY], default=0) == 0:
            yield "eosio resigned without a canary"

    def _unfinished(self, unread: str) -> Iterator[str]:
        if unread:
            yield f"blocks are missing, so the birth cannot be audited: {unread}"
        elif self.block is None:
            yield "eosio has not resigned yet: the boot is not over"


_LATER = frozenset(stage for stage in Stage if stage > Stage.ACCOUNTS)
_BESIDE = (_LATER | {Stage.SYSTEM_CONTRACT}, _LATER | {Stage.TOKEN, Stage.ISSUE})
"""Stages that are left out of the order, one set at a time: the token is created while the system contract is deployed,
which does not need it.
"""


def _spoken(stage: Stage) -> str:
    return f"'{stage.name.lower().replace('_', ' ')}'"


def _judged(name: str, differences: Iterator[str], fine: str) -> Check:
    return judged(name, differences, fine, Question.BORN)
