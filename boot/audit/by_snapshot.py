"""Surveys all accounts from a snapshot: the same facts as asking for each account, plus unexpected accounts."""

from __future__ import annotations

import struct
from datetime import UTC, datetime
from pathlib import Path

from antelope.authority import Authority
from antelope.codec import Reader
from antelope.errors import FormatError
from antelope.names import int_to_name, name_to_int
from boot.audit.authority import Json, by_key, differing
from boot.audit.found import Survey
from boot.audit.state import LIMITS, METADATA, Section, Take, UnknownSnapshot, opened
from boot.audit.users import Places, Users
from boot.blueprint import Blueprint

_OWNER, _ACTIVE = name_to_int("owner"), name_to_int("active")
_EOSIO, _TOKEN = name_to_int("eosio"), name_to_int("eosio.token")
_USERRES, _DELBAND, _VOTERS = name_to_int("userres"), name_to_int("delband"), name_to_int("voters")
_OF_ACCOUNTS = _USERRES, _DELBAND
_ACCOUNTS = name_to_int("accounts")
_RESOURCES = struct.Struct("<Qq8sq8sq")
"""userres: owner, NET, CPU (assets), RAM bytes."""
_DELEGATED = struct.Struct("<QQq8sq8s")
"""delband: from, to, NET, CPU."""
_BALANCE = struct.Struct("<q8s")
_CHOICE = struct.Struct("<QQB")
"""voters: owner, proxy, how many producers."""
_IS_PROXY = 17 + 3 * 8
"""The offset of `is_proxy` in a voter's row without producers: after the stake and two weights."""
_PREFIX = "eosio::chain::"
_LIMITS_SECTION = f"{_PREFIX}resource_limits::resource_limits_object"


def survey_of(path: Path, blueprint: Blueprint) -> Survey:
    """All accounts, those outside the allocation by name only. Raises UnknownSnapshot, OSError."""
    with opened(path) as sections:
        reading = _Reading(blueprint)
        try:
            reading.accounts(sections[f"{_PREFIX}account_object"])
            reading.metadata(sections[f"{_PREFIX}account_metadata_object"])
            sections["contract_tables"].tables(reading.wanted)
            reading.permissions(sections[f"{_PREFIX}permission_object"])
            reading.limits(sections[_LIMITS_SECTION])
        except KeyError as error:
            raise UnknownSnapshot(f"the snapshot has no section {error}") from error
        return reading.survey


class _Reading:
    """The data read so far, section by section."""

    def __init__(self, blueprint: Blueprint) -> None:
        self._rows, places = blueprint.rows, Places(blueprint.rows)
        self._users = Users(self._rows, places)
        self.survey = Survey(self._users, everybody=True, voters=[])
        self._find = places.find
        self._symbol = blueprint.symbol.pack()
        self._contracts = {name_to_int(contract.account) for contract in blueprint.sealed.contracts}
        self._scope, self._place = 0, -1
        """The account whose table is read, and its row. An account's tables mostly follow each other."""
        self._held = 0

    def accounts(self, section: Section) -> None:
        for name in section.accounts():
            self.survey.total += 1
            place = self._find(name)
            if place >= 0:
                self._users.there[place] = 1
            else:
                self.survey.named.add(int_to_name(name))

    def metadata(self, section: Section) -> None:
        for name, *_, updated, flags, _, _ in section.unpack(METADATA):
            if flags & 1:
                self.survey.privileged.add(int_to_name(name))
            if updated and name not in self._contracts:
                since = datetime.fromtimestamp(updated / 1e6, UTC).isoformat(timespec="milliseconds")[:23]
                self.survey.coded.append(f"{int_to_name(name)} has, or had, code (set {since})")

    def wanted(self, code: int, scope: int, table: int) -> Take | None:
        """The consumer of a table's rows."""
        if code == _EOSIO:
            if table == _VOTERS:
                return self._voter
            if table in _OF_ACCOUNTS and self._place_of(scope) >= 0:
                return self._resources if table == _USERRES else self._delegated
        elif code == _TOKEN and table == _ACCOUNTS:
            self._place_of(scope)
            self._held = 0
            return self._balance
        return None

    def _place_of(self, scope: int) -> int:
        if scope != self._scope:
            self._scope, self._place = scope, self._find(scope)
        return self._place

    def _resources(self, key: int, value: bytes) -> None:
        if key == self._scope:
            place, users = self._place, self._users
            _, users.net[place], _, users.cpu[place], _, users.ram[place] = _RESOURCES.unpack(value)
            users.resourced[place] = 1

    def _delegated(self, key: int, value: bytes) -> None:
        if key == self._scope:
            place, users = self._place, self._users
            _, _, users.own_net[place], _, users.own_cpu[place], _ = _DELEGATED.unpack(value)

    def _balance(self, key: int, value: bytes) -> None:
        amount, symbol = _BALANCE.unpack(value)
        self._held += 1
        if self._held == 2:
            self.survey.several.append(int_to_name(self._scope))
        core = symbol == self._symbol
        if self._place >= 0:
            self._users.holding += self._held == 1
            if core:
                self._users.liquid[self._place] = amount
        elif core or self._held == 1:
            self.survey.balances[int_to_name(self._scope)] = amount if core else None

    def _voter(self, key: int, value: bytes) -> None:
        _, proxy, producers = _CHOICE.unpack_from(value)
        if proxy or producers or value[_IS_PROXY]:
            assert self.survey.voters is not None  # noqa: S101 (made so)
            self.survey.voters.append(int_to_name(key))

    def permissions(self, section: Section) -> None:
        """All but a few accounts have the row's key as owner and active; for those few all permissions are compared."""
        seen = bytearray(len(self._rows))
        others: dict[int, list[tuple[int, bytes]]] = {}
        last, key, place = -1, b"", -1
        for owner, name, packed in section.permissions():
            if owner != last:
                last, place = owner, self._find(owner)
                key = b"\1\0\0\0\1" + self._rows.fields(place)[1] + b"\1\0\0\0" if place >= 0 else b""
            if place < 0:
                continue
            bit = 1 if name == _OWNER else 2 if name == _ACTIVE else 0
            if bit and packed == key:
                seen[place] |= bit
            else:
                others.setdefault(place, []).append((name, packed))
        for place, bits in enumerate(seen):
            if (bits != 3 or place in others) and self._users.there[place]:
                self._users.authorities[place] = self._differing(place, bits, others.get(place, []))

    def _differing(self, place: int, bits: int, others: list[tuple[int, bytes]]) -> tuple[str, ...]:
        planned = by_key(str(self._rows[place].key))
        found: list[Json] = [
            {"perm_name": name, "required_auth": planned} for bit, name in ((1, "owner"), (2, "active")) if bits & bit
        ]
        for name, packed in others:
            try:
                authority = Authority.read(Reader(packed)).to_json()
            except FormatError as error:
                raise UnknownSnapshot(f"a permission of the snapshot cannot be read: {error}") from error
            found.append({"perm_name": int_to_name(name), "required_auth": authority})
        return tuple(differing({"permissions": found}, dict.fromkeys(("owner", "active"), planned)))

    def limits(self, section: Section) -> None:
        users = self._users
        for owner, net, cpu, quota in section.unpack(LIMITS):
            place = self._find(owner)
            if place >= 0:
                users.net_force[place], users.cpu_force[place], users.quota[place] = net, cpu, quota
