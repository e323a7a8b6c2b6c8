"""Transactions, authorities and actions: round trips, ids, and what is refused."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from antelope import actions
from antelope.asset import Asset, Symbol
from antelope.authority import Authority
from antelope.codec import Reader
from antelope.errors import AbiError, BadName, BadTransaction, FormatError
from antelope.keys import PrivateKey
from antelope.layouts import unpack_data
from antelope.names import int_to_name, name_to_int
from antelope.transaction import Action, PermissionLevel, SignedTransaction, Transaction

KEY = PrivateKey(bytes(31) + b"\x07")
OTHER = PrivateKey(bytes(31) + b"\x08")
NAMES = st.integers(0, (1 << 64) - 1).map(int_to_name)
LEVELS = st.builds(PermissionLevel, NAMES, NAMES)
ACTIONS = st.builds(Action, NAMES, NAMES, st.lists(LEVELS, max_size=3).map(tuple), st.binary(max_size=200))
U32 = st.integers(0, (1 << 32) - 1)
TRANSACTIONS = st.builds(
    Transaction,
    U32,
    st.integers(0, 65535),
    U32,
    st.lists(ACTIONS, max_size=3).map(tuple),
    U32,
    st.integers(0, 255),
    U32,
)


@given(TRANSACTIONS)
def test_transactions_survive_packing(transaction: Transaction) -> None:
    """A transaction comes back from its bytes, and its id is their hash."""
    assert Transaction.unpack(transaction.packed) == transaction
    assert transaction.id == hashlib.sha256(transaction.pack()).hexdigest()


@given(st.binary(max_size=200))
def test_hostile_bytes_are_refused(data: bytes) -> None:
    """Any bytes are a transaction, or a FormatError."""
    try:
        transaction = Transaction.unpack(data)
    except FormatError:
        return
    assert Transaction.unpack(transaction.packed) == transaction


def test_signed_transactions_survive_json() -> None:
    """The stored form of a signed transaction gives the same bytes, id and signatures, valid only for its chain."""
    chain_id = "ab" * 32
    transaction = Transaction(1_700_000_000, 1, 2, (actions.setpriv("eosio.msig", is_priv=True),))
    signed = transaction.sign(chain_id, [KEY, OTHER])
    assert SignedTransaction.from_json(signed.to_json()) == signed
    assert (signed.id, signed.transaction) == (transaction.id, transaction)
    digest = hashlib.sha256(bytes.fromhex(chain_id) + signed.packed + bytes(32)).digest()
    assert [one.recover(digest) for one in signed.signatures] == [KEY.public, OTHER.public]
    assert transaction.sign("ac" * 32, [KEY]).signatures[0] != signed.signatures[0]
    assert signed.pack().endswith(signed.packed)
    assert len(signed.pack()) == 1 + 2 * 66 + 2 + 1 + len(signed.packed)


@pytest.mark.parametrize(
    "value",
    [{}, {"signatures": [], "packed_trx": "xx"}, {"signatures": 5, "packed_trx": ""},
     {"signatures": ["SIG_K1_x"], "packed_trx": ""}, {"signatures": [], "packed_trx": "", "compression": "zlib"}],
)  # fmt: skip
def test_json_that_is_not_a_transaction(value: dict[str, object]) -> None:
    """JSON that is not an uncompressed packed_transaction is refused."""
    with pytest.raises(FormatError):
        SignedTransaction.from_json(value)


def test_tapos() -> None:
    """The reference is the block's number modulo 2^16 and bytes 8 to 12 of its id."""
    block = "00012345aaaaaaaa" + "78563412" + "00" * 20
    assert Transaction.tapos_from(block) == (0x2345, 0x12345678)
    for bad in ("", "zz" * 32, "00" * 31):
        with pytest.raises(BadTransaction):
            Transaction.tapos_from(bad)


@pytest.mark.parametrize("numbers", [(1 << 32, 0, 0), (0, 1 << 16, 0), (0, 0, -1)])
def test_headers_out_of_range(numbers: tuple[int, int, int]) -> None:
    """Numbers that do not fit the header are refused when packed."""
    with pytest.raises(BadTransaction):
        Transaction(*numbers, ()).pack()


@pytest.mark.parametrize("chain_id", ["", "00", "zz" * 32, "00" * 33])
def test_bad_chain_ids(chain_id: str) -> None:
    """Nothing is signed for an invalid chain id."""
    with pytest.raises(BadTransaction, match="chain id"):
        Transaction(0, 0, 0, ()).sign(chain_id, [KEY])


def test_foreign_parts_are_refused() -> None:
    """Context-free actions and extensions are refused, not dropped."""
    header = bytes(10) + b"\x00\x00\x00"
    assert Transaction.unpack(header + b"\x00\x00\x00").actions == ()
    for rest, reason in ((b"\x01\x00\x00", "context-free"), (b"\x00\x00\x01", "extensions")):
        with pytest.raises(BadTransaction, match=reason):
            Transaction.unpack(header + rest)


@given(
    st.sets(st.integers(1, 200), max_size=4),
    st.sets(st.tuples(NAMES, NAMES), max_size=4),
    st.sets(U32.filter(bool), max_size=3),
)
def test_authorities_are_sorted_and_come_back(numbers: set[int], levels: set[tuple[str, str]], waits: set[int]) -> None:
    """An authority is the same however its parts were ordered, and comes back from bytes and JSON."""
    keys = [(PrivateKey(bytes(31) + bytes([number])).public, 1) for number in numbers]
    accounts = [(actor, permission, 2) for actor, permission in levels]
    delays = [(seconds, 3) for seconds in waits]
    authority = Authority(1, tuple(keys), tuple(accounts), tuple(delays))
    assert Authority(1, tuple(keys[::-1]), tuple(accounts[::-1]), tuple(delays[::-1])) == authority
    assert Authority.from_json(authority.to_json()) == authority
    values = [(name_to_int(actor), name_to_int(permission)) for actor, permission, _ in authority.accounts]
    assert values == sorted(values)
    assert [key.data for key, _ in authority.keys] == sorted(key.data for key, _ in keys)
    if keys or accounts or delays:
        assert Authority.read(Reader(authority.pack())) == authority


@pytest.mark.parametrize(
    ("authority", "reason"),
    [
        (Authority(1), "sum to 0"),
        (Authority(0, ((KEY.public, 1),)), "threshold is 0"),
        (Authority(3, ((KEY.public, 1), (OTHER.public, 1))), "sum to 2, but its threshold is 3"),
        (Authority(1, ((KEY.public, 1), (KEY.public, 1))), "key twice"),
        (Authority(1, (), (("a", "active", 1), ("a", "active", 2))), "permission twice"),
        (Authority(1, ((KEY.public, 65536),)), "weights"),
        (Authority(1, ((KEY.public, 0), (OTHER.public, 1))), "weights"),
        (Authority(1, ((KEY.public, 1),), (), ((0, 1),)), "waits"),
    ],
)
def test_authorities_that_the_chain_refuses(authority: Authority, reason: str) -> None:
    """An authority that nobody can satisfy, or that names a part twice, is never packed."""
    with pytest.raises(FormatError, match=reason):
        authority.pack()


def test_an_empty_authority_can_be_read() -> None:
    """The authority of a new eosio.prods or eosio.null, which nothing satisfies, can still be read."""
    assert Authority.from_json({"threshold": 1, "keys": [], "accounts": [], "waits": []}) == Authority(1)
    for bad in ({}, {"threshold": 1, "keys": [{"key": "EOS"}]}, {"threshold": 1, "accounts": [{}]}, {"threshold": "x"}):
        with pytest.raises(ValueError, match=r"\S"):
            Authority.from_json(bad)


def test_default_authorisations() -> None:
    """Each action is authorised by the account that acts, unless another permission is given."""
    one = Asset(1, Symbol(4, "SYS"))
    own, level = Authority.key(KEY.public), PermissionLevel("bob", "owner")
    assert actions.newaccount("eosio", "alice", own, own).authorization == (PermissionLevel("eosio"),)
    assert actions.updateauth("alice", "owner", "", own).authorization == (PermissionLevel("alice", "owner"),)
    assert actions.updateauth("alice", "active", "owner", own).authorization == (PermissionLevel("alice"),)
    assert actions.updateauth("alice", "active", "owner", own, "owner").authorization[0].permission == "owner"
    assert actions.open("alice", one.symbol, "bob").authorization == (PermissionLevel("bob"),)
    assert actions.create("eosio", one).authorization == (PermissionLevel("eosio.token"),)
    assert actions.approve("alice", "p", level).authorization == (level,)
    assert actions.transfer("alice", "bob", one, auth=level).authorization == (level,)
    assert actions.transfer("alice", "bob", one, contract="my.token").account == "my.token"
    assert PermissionLevel.parse("bob@owner") == level
    assert PermissionLevel.parse("bob") == PermissionLevel("bob", "active")


def test_votes_are_sorted_by_name_value() -> None:
    """The contract demands producers sorted by their 64-bit values; any iterable will do."""
    action = actions.voteproducer("alice", "", iter(["b", "a5", "a.b", "a", "z1"]))
    assert unpack_data("eosio", "voteproducer", action.data)["producers"] == ["a", "a.b", "a5", "b", "z1"]


def test_builders_refuse_what_cannot_be_packed() -> None:
    """Bad names, numbers out of range and malformed digests are refused where the action is built."""
    with pytest.raises(BadName):
        actions.unregprod("Alice")
    with pytest.raises(AbiError):
        actions.buyrambytes("alice", "alice", 1 << 32)
    with pytest.raises(AbiError):
        actions.regproducer("alice", KEY.public, "", 1 << 16)
    for digest in ("00", "zz" * 32):
        with pytest.raises(AbiError):
            actions.activate(digest)
    with pytest.raises(AbiError):
        actions.approve("alice", "p", PermissionLevel("alice"), b"short")
