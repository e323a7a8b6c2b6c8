"""What a permission requires: keys, other permissions and waits, whose weights must reach a threshold.

Format: libraries/chain/include/eosio/chain/authority.hpp of AntelopeIO/leap.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from antelope.codec import Reader, pack_varuint32
from antelope.errors import FormatError
from antelope.keys import PublicKey
from antelope.names import int_to_name, name_to_int, pack_name


@dataclass(frozen=True, slots=True)
class Authority:
    """keys are (key, weight), accounts (actor, permission, weight), waits (seconds, weight); sorted as the chain
    requires.

    One that cannot be satisfied can be represented, since a new chain has such (eosio.null, eosio.prods), but not
    packed.
    """

    threshold: int
    keys: tuple[tuple[PublicKey, int], ...] = ()
    accounts: tuple[tuple[str, str, int], ...] = ()
    waits: tuple[tuple[int, int], ...] = ()

    def __post_init__(self) -> None:
        if len(self.keys) > 1:
            object.__setattr__(self, "keys", tuple(sorted(self.keys)))
        if len(self.accounts) > 1:
            accounts = sorted(self.accounts, key=lambda one: (name_to_int(one[0]), name_to_int(one[1])))
            object.__setattr__(self, "accounts", tuple(accounts))
        if len(self.waits) > 1:
            object.__setattr__(self, "waits", tuple(sorted(self.waits)))

    def check(self) -> None:
        """Raises FormatError on duplicates, numbers out of range, or a threshold that the weights cannot reach."""
        _refuse_twice("key", [key for key, _ in self.keys])
        _refuse_twice("permission", [(actor, permission) for actor, permission, _ in self.accounts])
        _refuse_twice("wait", [seconds for seconds, _ in self.waits])
        weights = [w for _, w in self.keys] + [w for _, _, w in self.accounts] + [w for _, w in self.waits]
        if any(not 0 < weight < 1 << 16 for weight in weights):
            raise FormatError("an authority's weights must be from 1 to 65535")
        if any(not 0 < seconds < 1 << 32 for seconds, _ in self.waits):
            raise FormatError("an authority's waits must be from 1 to 2^32 - 1 seconds")
        if not 0 < self.threshold < 1 << 32 or sum(weights) < self.threshold:
            raise FormatError(f"an authority's weights sum to {sum(weights)}, but its threshold is {self.threshold}")

    @classmethod
    def key(cls, public: PublicKey) -> Authority:
        """Satisfied by one key."""
        return cls(1, ((public, 1),))

    @classmethod
    def account(cls, actor: str, permission: str) -> Authority:
        """Satisfied by one other permission."""
        return cls(1, (), ((actor, permission, 1),))

    def pack(self) -> bytes:
        """The packed form, as in newaccount and updateauth. Raises FormatError as `check` does."""
        if self.threshold == 1 and len(self.keys) == 1 and not self.accounts and not self.waits:
            key, weight = self.keys[0]
            if 0 < weight < 1 << 16:  # by far the commonest form: an allocation packs thousands
                return b"\x01\0\0\0\x01" + key.pack() + weight.to_bytes(2, "little") + b"\0\0"
        self.check()
        parts = [self.threshold.to_bytes(4, "little"), pack_varuint32(len(self.keys))]
        parts += [key.pack() + weight.to_bytes(2, "little") for key, weight in self.keys]
        parts.append(pack_varuint32(len(self.accounts)))
        parts += [pack_name(a) + pack_name(p) + weight.to_bytes(2, "little") for a, p, weight in self.accounts]
        parts.append(pack_varuint32(len(self.waits)))
        parts += [seconds.to_bytes(4, "little") + weight.to_bytes(2, "little") for seconds, weight in self.waits]
        return b"".join(parts)

    @classmethod
    def read(cls, reader: Reader) -> Authority:
        """From packed bytes."""
        threshold = reader.unsigned(4)
        keys = tuple((PublicKey.read(reader), reader.unsigned(2)) for _ in range(reader.count()))
        accounts = tuple(
            (int_to_name(reader.unsigned(8)), int_to_name(reader.unsigned(8)), reader.unsigned(2))
            for _ in range(reader.count())
        )
        waits = tuple((reader.unsigned(4), reader.unsigned(2)) for _ in range(reader.count()))
        return cls(threshold, keys, accounts, waits)

    def to_json(self) -> dict[str, Any]:
        """As get_account shows it under required_auth."""
        return {
            "threshold": self.threshold,
            "keys": [{"key": str(key), "weight": weight} for key, weight in self.keys],
            "accounts": [
                {"permission": {"actor": actor, "permission": permission}, "weight": weight}
                for actor, permission, weight in self.accounts
            ],
            "waits": [{"wait_sec": seconds, "weight": weight} for seconds, weight in self.waits],
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Authority:
        """From the form in get_account's answer; absent lists are empty. Raises FormatError."""
        try:
            keys = tuple((PublicKey.parse(one["key"]), int(one["weight"])) for one in value.get("keys", ()))
            accounts = tuple(
                (str(one["permission"]["actor"]), str(one["permission"]["permission"]), int(one["weight"]))
                for one in value.get("accounts", ())
            )
            waits = tuple((int(one["wait_sec"]), int(one["weight"])) for one in value.get("waits", ()))
            return cls(int(value["threshold"]), keys, accounts, waits)
        except (KeyError, TypeError, AttributeError) as error:
            raise FormatError(f"not an authority in the form of get_account: {error!r}") from error


def _refuse_twice(part: str, named: Sequence[Hashable]) -> None:
    if len(set(named)) != len(named):
        raise FormatError(f"an authority lists a {part} twice")
