"""What the library builds, signs and reads, compared with a real chain."""

from __future__ import annotations

import hashlib
import itertools

import pytest

from antelope import actions
from antelope.abi import Abi
from antelope.asset import Asset
from antelope.authority import Authority
from antelope.errors import (
    AccountExists,
    AntelopeError,
    AssertionFailed,
    BadTapos,
    CodeAlreadySet,
    DuplicateTransaction,
    ExpiredTransaction,
    FeatureAlreadyActive,
    NodeError,
    Unauthorized,
    UnknownAccount,
    UnknownBlock,
    UnknownEndpoint,
    UnknownTable,
    Unreachable,
)
from antelope.features import DIGESTS, described, order
from antelope.http import NodeClient
from antelope.keys import PrivateKey
from antelope.names import int_to_name, name_to_int
from antelope.ram import RamMarket
from antelope.transaction import PermissionLevel, Transaction
from inventory.versions import BUNDLED_FEATURES
from support.retry import poll
from tests.live.antelope.conftest import SUPPLY, SYS, Chain, contract
from tests.ports import free_port

pytestmark = pytest.mark.live

_numbers = itertools.count(1)


def new_name() -> str:
    """An account name that was not used yet."""
    return int_to_name(name_to_int("user") | next(_numbers) << 4 << 5)


def sys(units: int) -> Asset:
    """An amount of the core token, in its smallest unit."""
    return Asset(units, SYS)


async def market(node: NodeClient) -> RamMarket:
    """The chain's own RAM market."""
    rows = await node.get_table_rows("eosio", "eosio", "rammarket")
    base, quote = Asset.parse(rows[0]["base"]["balance"]), Asset.parse(rows[0]["quote"]["balance"])
    return RamMarket(base.amount, quote.amount)


async def make_account(chain: Chain, node: NodeClient, key: PrivateKey | None = None, liquid: int = 0) -> str:
    """A new account with RAM, stake and some liquid token."""
    name, own = new_name(), Authority.key((key or chain.key).public)
    await chain.push(
        node,
        actions.newaccount("eosio", name, own, own),
        actions.buyrambytes("eosio", name, 8192),
        actions.delegatebw("eosio", name, sys(4500), sys(4500), transfer=True),
        *([actions.transfer("eosio", name, sys(liquid), "first")] if liquid else []),
    )
    return name


async def test_chain_id_is_that_of_our_genesis(chain: Chain, node: NodeClient) -> None:
    """The chain id computed from genesis.json is what nodeos reports."""
    assert (await node.get_info()).chain_id == chain.genesis.chain_id()


async def test_all_supported_features_are_active(node: NodeClient) -> None:
    """The dependency order is one that the chain accepts, and the paging of the active ones misses none."""
    ordered = order(await node.get_supported_protocol_features())
    active = await node.get_activated_protocol_features()
    assert set(active) == {digest for _, digest in ordered}
    assert all(DIGESTS[name] == digest for name, digest in ordered)


async def test_the_table_of_the_bundled_nodeos(node: NodeClient) -> None:
    """The table of the bundled nodeos' features, which plans use, is what it answers."""
    known = {one["feature_digest"]: one["dependencies"] for one in described(BUNDLED_FEATURES)}
    answer = await node.get_supported_protocol_features()
    assert {one["feature_digest"]: one["dependencies"] for one in answer} == known


async def test_an_account_gets_what_one_transaction_gives_it(chain: Chain, node: NodeClient) -> None:
    """newaccount, buyrambytes, delegatebw and transfer in one transaction leave exactly these rows."""
    key = PrivateKey.generate()
    name = await make_account(chain, node, key, liquid=90000)
    account = await node.get_account(name)
    assert account.permissions["active"].authority == Authority.key(key.public)
    assert account.permissions["active"].parent == "owner"
    assert (account.cpu_weight, account.net_weight, account.core_liquid_balance) == (4500, 4500, sys(90000))
    row = await node.find_row("eosio", name, "delband", name_to_int(name))
    assert row is not None
    assert row["from"] == name  # transferred: the stake is the account's own
    assert not account.privileged
    assert (await node.get_account("eosio.msig")).privileged


async def test_unknown_account_is_told_apart(node: NodeClient) -> None:
    """An account that does not exist is UnknownAccount from every endpoint that asks for one, or None."""
    assert await node.find_account("nobody") is None
    for ask in (node.get_account, node.get_raw_abi):
        with pytest.raises(UnknownAccount):
            await ask("nobody")


async def test_code_and_abi_hashes_are_those_of_the_files(node: NodeClient) -> None:
    """get_raw_abi's hashes equal sha256 of the wasm file and of Abi.packed()."""
    for account, name in (("eosio", "eosio.system"), ("eosio.token", "eosio.token"), ("eosio.msig", "eosio.msig")):
        raw = await node.get_raw_abi(account)
        abi = Abi.parse(contract(name, "abi").read_bytes())
        code_hash = hashlib.sha256(contract(name, "wasm").read_bytes()).hexdigest()
        assert (raw.code_hash, raw.abi) == (code_hash, abi.packed())
        assert raw.abi_hash == hashlib.sha256(abi.packed()).hexdigest()
        assert Abi.from_packed(raw.abi).to_json() == abi.to_json()


async def test_ram_market_is_computed_exactly(chain: Chain, node: NodeClient) -> None:
    """RamMarket predicts the contract's own row after each of a series of purchases, to the unit and byte."""
    own = Authority.key(chain.key.public)
    name = new_name()
    before = await market(node)
    _, expected = before.bytes_for(1000)
    await chain.push(node, actions.newaccount("eosio", name, own, own), actions.buyram("eosio", name, sys(1000)))
    assert await market(node) == expected
    with pytest.raises(AntelopeError):
        expected.bytes_for(1)
    with pytest.raises(AssertionFailed):
        await chain.push(node, actions.buyram("eosio", name, sys(1)))
    for units in (2, 3, 199, 200, 201, 1000, 12345, 99_999_999, 10_000_000_0000):
        _, expected = expected.bytes_for(units)
        await chain.push(node, actions.buyram("eosio", name, sys(units)))
        assert await market(node) == expected


def test_ram_market_at_init() -> None:
    """A supply of 1e9 with 4 decimals starts the market at 1,000,000.0000 for 64 GiB."""
    assert RamMarket.at_init(SUPPLY.amount) == RamMarket(68719476736, 10_000_000_000)


async def test_every_refusal_has_its_type(chain: Chain, node: NodeClient) -> None:
    """Each kind of refusal that nodeos gives arrives as its own exception."""
    own, name = Authority.key(chain.key.public), await make_account(chain, node)
    with pytest.raises(AccountExists):
        await chain.push(node, actions.newaccount("eosio", name, own, own))
    with pytest.raises(AssertionFailed, match=r"overdrawn balance|no balance"):
        await chain.push(node, actions.transfer(name, "eosio", sys(1)))
    with pytest.raises(CodeAlreadySet):
        await chain.push(node, actions.setcode("eosio.token", contract("eosio.token", "wasm").read_bytes()))
    with pytest.raises(Unauthorized):
        await chain.push(node, actions.transfer("eosio", name, sys(1)), signers=(PrivateKey.generate(),))
    with pytest.raises(FeatureAlreadyActive):
        await node.schedule_protocol_feature_activations([DIGESTS["PREACTIVATE_FEATURE"]])
    with pytest.raises(UnknownTable):
        await node.get_table_rows("eosio.token", "eosio", "nothing")
    with pytest.raises(UnknownBlock):
        await node.get_block_info(10_000_000)
    with pytest.raises(UnknownEndpoint):
        await node.call("/v1/history/get_actions", {})
    info = await node.get_info()
    number, prefix = Transaction.tapos_from(info.head_block_id)
    now = int(info.head_block_time.timestamp())
    todo = (actions.transfer("eosio", name, sys(2)),)
    with pytest.raises(ExpiredTransaction):
        await node.send_transaction(Transaction(now - 10, number, prefix, todo).sign(info.chain_id, [chain.key]))
    with pytest.raises(BadTapos):
        await node.send_transaction(Transaction(now + 60, number, prefix ^ 1, todo).sign(info.chain_id, [chain.key]))
    signed = Transaction(now + 60, number, prefix, todo).sign(info.chain_id, [chain.key])
    assert (await node.send_transaction(signed)).id == signed.id
    with pytest.raises(DuplicateTransaction) as caught:
        await node.send_transaction(signed)
    assert (caught.value.status, caught.value.code) == (409, 3040008)


async def test_older_push_endpoints_take_the_same_transaction(chain: Chain, node: NodeClient) -> None:
    """If send_transaction2 is missing, send_transaction takes the body unchanged."""

    class Older(NodeClient):
        async def call(self, path: str, body: object) -> object:
            return await super().call(path.replace("send_transaction2", "absent"), body)

    async with Older(chain.url) as older:
        await chain.push(older, actions.transfer("eosio", "eosio.stake", sys(3)))


async def test_unreachable_and_timeouts_are_retryable(chain: Chain) -> None:
    """A closed port is Unreachable, which is marked as retryable."""
    async with NodeClient(f"http://127.0.0.1:{free_port()}", timeout=5) as nowhere:
        with pytest.raises(Unreachable) as caught:
            await nowhere.get_info()
        assert caught.value.retryable
        assert not await nowhere.is_up()


async def test_paging_gives_every_row_once(chain: Chain, node: NodeClient) -> None:
    """All rows are read, in order, over many small pages."""
    names = [new_name() for _ in range(7)]
    own = Authority.key(chain.key.public)
    for name in names:
        await chain.push(
            node,
            actions.newaccount("eosio", name, own, own),
            actions.buyrambytes("eosio", name, 4096),
            actions.delegatebw("eosio", name, sys(1), sys(1)),
        )
    rows = [row["to"] async for row in node.iter_table_rows("eosio", "eosio", "delband", page=2)]
    assert set(names) <= set(rows)
    assert rows == sorted(set(rows), key=name_to_int)


async def test_updateauth_and_multisig(chain: Chain, node: NodeClient) -> None:
    """A weighted authority arrives as built; a proposal under it is approved by hash and, once executed, erased."""
    first, second = PrivateKey.generate(), PrivateKey.generate()
    name, one, two = [await make_account(chain, node) for _ in range(3)]
    await chain.push(node, actions.buyrambytes("eosio", one, 20000))
    weighted = Authority(2, ((first.public, 1), (second.public, 1)), ((two, "active", 1), (one, "active", 1)))
    await chain.push(node, actions.updateauth(name, "active", "owner", weighted))
    account = await node.get_account(name)
    assert account.permissions["active"].authority == weighted
    assert Authority.from_json(weighted.to_json()) == weighted
    levels = [PermissionLevel(one), PermissionLevel(two)]
    info = await node.get_info()
    wanted = actions.updateauth(name, "active", "owner", Authority.account(one, "active"))
    proposed = Transaction(int(info.head_block_time.timestamp()) + 3600, 0, 0, (wanted,))
    await chain.push(node, actions.propose(one, "change", levels, proposed))
    row = await node.find_row("eosio.msig", one, "proposal", name_to_int("change"))
    assert row is not None
    assert Transaction.unpack(bytes.fromhex(row["packed_transaction"])) == proposed
    digest = bytes.fromhex(proposed.id)
    with pytest.raises(NodeError, match="hash mismatch"):
        await chain.push(node, actions.approve(one, "change", levels[0], bytes(32)))
    await chain.push(node, actions.approve(one, "change", levels[0], digest))
    await chain.push(node, actions.approve(one, "change", levels[1]))
    await chain.push(node, actions.unapprove(one, "change", levels[1]))
    await chain.push(node, actions.approve(one, "change", levels[1], digest))
    await chain.push(node, actions.exec(one, "change", one))

    async def changed() -> bool:
        active = (await node.get_account(name)).permissions["active"].authority
        return active == Authority.account(one, "active")

    await poll(changed, what="the change", deadline=30, every=0.05)
    assert await node.find_row("eosio.msig", one, "proposal", name_to_int("change")) is None
    await chain.push(node, actions.propose(one, "dropped", levels, proposed))
    await chain.push(node, actions.cancel(one, "dropped", one))
    assert await node.find_row("eosio.msig", one, "proposal", name_to_int("dropped")) is None


async def test_producer_and_vote_actions(chain: Chain, node: NodeClient) -> None:
    """regproducer, voteproducer, regproxy, undelegatebw, open and unregprod leave what they say in the tables."""
    name, key = await make_account(chain, node, liquid=50000), PrivateKey.generate()
    await chain.push(node, actions.regproducer(name, key.public, "https://example.org", 7))
    row = await node.find_row("eosio", "eosio", "producers", name_to_int(name))
    assert row is not None
    assert (row["producer_key"], row["url"], row["location"]) == (str(key.public), "https://example.org", 7)
    await chain.push(node, actions.voteproducer(name, "", [name]))
    voter = await node.find_row("eosio", "eosio", "voters", name_to_int(name))
    assert voter is not None
    assert voter["producers"] == [name]
    await chain.push(node, actions.regproxy(name, True), actions.undelegatebw(name, name, sys(1), sys(2)))
    voter = await node.find_row("eosio", "eosio", "voters", name_to_int(name))
    assert voter is not None
    assert (voter["is_proxy"], voter["staked"]) == (1, 8997)
    with pytest.raises(AssertionFailed):  # not within a day of registering, or not without a share in blocks
        await chain.push(node, actions.claimrewards(name))
    await chain.push(node, actions.unregprod(name))
    row = await node.find_row("eosio", "eosio", "producers", name_to_int(name))
    assert row is not None
    assert row["is_active"] == 0
    other = await make_account(chain, node)
    await chain.push(node, actions.open(other, SYS, name))
    balance = await node.find_row("eosio.token", other, "accounts", int.from_bytes(b"SYS", "little"))
    assert balance == {"balance": "0.0000 SYS"}


async def test_schedule_blocks_and_node_apis(chain: Chain, node: NodeClient) -> None:
    """The schedule, block headers, raw blocks and p2p links read as they are."""
    schedules = await node.get_producer_schedule()
    assert schedules.active.names == ("eosio",)
    assert schedules.active.producers[0].keys == (chain.key.public,)
    block = await node.get_block_info(2)
    assert (block.num, block.producer) == (2, "eosio")
    assert (await node.get_raw_block(block.id))["producer"] == "eosio"
    assert (await node.get_block(2))["id"] == block.id
    assert await node.connections() == []
    assert "/v1/chain/send_transaction2" in await node.get_supported_apis()
    assert await node.connect(f"127.0.0.1:{free_port()}")
    (link,) = await node.connections()
    assert (link.handshaken, link.p2p_address) == (False, "")


async def test_node_error_message_is_one_line(chain: Chain, node: NodeClient) -> None:
    """A contract's own words reach the reader, on one line."""
    with pytest.raises(NodeError) as caught:
        await chain.push(node, actions.transfer("eosio", "nobody", sys(1)))
    assert "to account does not exist" in caught.value.message
    assert "\n" not in str(caught.value)
