"""Bad inventories: every mistake is told at once, in one line with its place."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from antelope.features import DIGESTS
from inventory.errors import InventoryError
from inventory.load import load
from tests.unit.inventory.material import Write, key

HOSTS = '[[hosts]]\nname = "h1"\nlocal = true\n'

CASES: dict[str, tuple[str, str]] = {
    # A name of the case: (the file, a line of the error without the file's name)
    "unknown section": ("[tokn]", "tokn: there is no such key; did you mean token?"),
    "unknown key": ('[token]\nsymbl = "4,SYS"', "token.symbl: there is no such key; did you mean symbol?"),
    "unknown key in a list": (HOSTS + "adress = 1", "hosts[0].adress: there is no such key; did you mean address?"),
    "text for a number": ('[users]\ncount = "5"', "users.count: expected an integer, not a string"),
    "truth for a number": ("[users]\ncount = true", "users.count: expected an integer, not true or false"),
    "fraction for a number": ("[users]\ncount = 1.5", "users.count: expected an integer, not a number"),
    "number for a text": ("[token]\nsymbol = 4", "token.symbol: expected a string, not an integer"),
    "text for a list": ('[votes]\nproxies = "abc"', "votes.proxies: expected a list, not a string"),
    "list for a table": ("[[token]]", "token: expected a table, not a list"),
    "control character": ('[ssh]\nuser = "a\\nb"', "ssh.user: 'a\\nb' contains a control character; remove it"),
    "network name": ('[network]\nname = "../x"', "network.name: '../x' is not 1 to 32"),
    "symbol": ('[token]\nsymbol = "4,sys"', "token.symbol: '4,sys' is not a symbol like '4,SYS'"),
    "precision": ('[token]\nissue = "1.00 SYS"', "token.issue: '1.00 SYS' has symbol 2,SYS, expected 4,SYS"),
    "negative": ('[stake]\nram = "-1.0000 SYS"', "stake.ram: -1.0000 SYS is negative"),
    "supply": ('[token]\nissue = "10000000000.0001 SYS"', "token.issue: is more than token.max_supply"),
    "reserve": ('[token]\nreserve = "1000000000.0001 SYS"', "token.reserve: is more than token.issue"),
    "too many decimals": (
        '[token]\nsymbol = "18,SYS"',
        (
            "token.max_supply: its default is more than the 4.611686018427387903 SYS that there can be; write it, or "
            "give token.symbol 8 decimals at most"
        ),
    ),
    "too many decimals for producers": (
        '[token]\nsymbol = "18,SYS"\nmax_supply = "4.000000000000000000 SYS"\nissue = "4.000000000000000000 SYS"',
        "producers.minimum: its default is more than the 4.611686018427387903 SYS that there can be; write it, or",
    ),
    "default issue": (
        '[token]\nmax_supply = "1000.0000 SYS"',
        "token.issue: its default of one billion tokens is more than token.max_supply; write it",
    ),
    "no decimals for a stake": (
        '[token]\nsymbol = "0,SYS"',
        "stake.ram: its default is less than one token, which is zero; the smallest amount is 1 SYS",
    ),
    "digest": (
        f'[system]\nfeatures = ["PREACTIVATE_FEATURE", "{DIGESTS["GET_SENDER"].upper()}"]',
        "system.features[1]: is a digest, and features go by their names here; write GET_SENDER",
    ),
    "unknown digest": (
        f'[system]\nfeatures = ["PREACTIVATE_FEATURE", "{"ab" * 32}"]',
        "system.features[1]: is a digest, and features go by their names here; write the feature's name",
    ),
    "first digest": (
        f'[system]\nfeatures = ["{DIGESTS["PREACTIVATE_FEATURE"]}"]',
        "system.features[0]: is a digest, and features go by their names here; write PREACTIVATE_FEATURE",
    ),
    "small state": (
        "[nodeos]\noptions = { chain-state-db-size-mb = 64 }",
        (
            "nodeos.options.chain-state-db-size-mb: 64 is too small: nodeos ends when less than 128 MiB of it are free "
            "(chain-state-db-guard-size-mb); write 160 or more; bootcoord's own is 1024"
        ),
    ),
    "large guard": (
        (
            '[nodeos]\noptions = { chain-state-db-size-mb = 512 }\n[[nodes]]\nrole = "full"\nname = "f"\n'
            "options = { chain-state-db-guard-size-mb = 512 }"
        ),
        "nodes[0].options.chain-state-db-size-mb: 512 is too small: nodeos ends when less than 512 MiB",
    ),
    "large guard alone": (
        "[nodeos]\noptions = { chain-state-db-guard-size-mb = 2048 }",
        "nodeos.options.chain-state-db-size-mb: 1024 is too small: nodeos ends when less than 2048 MiB",
    ),
    "comment in a value": (
        '[nodeos]\noptions = { agent-name = "BP #1" }',
        "nodeos.options.agent-name: 'BP #1' is not 1 to 200 letters, digits, spaces and ._:,+@/-, as config.ini takes",
    ),
    "empty value": (
        '[nodeos]\noptions = { agent-name = "" }',
        "nodeos.options.agent-name: '' is not 1 to 200 letters, digits",
    ),
    "genesis value": (
        "[genesis.configuration]\nmax_block = 1",
        "genesis.configuration.max_block: nodeos has no such setting",
    ),
    "genesis limit": (
        "[genesis.configuration]\nmax_transaction_cpu_usage = 200000",
        "genesis.configuration: max_transaction_cpu_usage 200000 is not below",
    ),
    "genesis time": (
        '[genesis]\ntimestamp = "2026-02-30T00:00:00"',
        "genesis.timestamp: '2026-02-30T00:00:00' is not a time",
    ),
    "genesis decimals": (
        '[genesis]\ntimestamp = "2026-02-03T00:00:00.2501"',
        "genesis.timestamp: '2026-02-03T00:00:00.2501' is not a time since 2000 with three decimals at most",
    ),
    "genesis key": ('[genesis]\ninitial_key = "EOS1234"', "genesis.initial_key: public key 'EOS1234'"),
    "plugin option": ('[nodeos]\noptions = { plugin = "x" }', "nodeos.options.plugin: is not among the nodeos options"),
    "option's kind": (
        "[nodeos]\noptions = { max-clients = [1] }",
        "nodeos.options.max-clients: expected a string, an integer",
    ),
    "nodeos path": ('[nodeos]\npath = "nodeos"', "nodeos.path: 'nodeos' is not an absolute path"),
    "nodeos shell": ('[nodeos]\npath = "/x/$(touch X)"', "nodeos.path: '/x/$(touch X)' is not an absolute path"),
    "contract folder": ('[contracts]\ndirectory = "none"', "contracts.directory: "),
    "contract file": ('[contracts.boot]\nwasm = "a.wasm"\nabi = "a.abi"', "contracts.boot.wasm: "),
    "half a contract": (
        '[[contracts.list]]\naccount = "eosio"\nwasm = "a"',
        "contracts.list[0]: wasm and abi belong together",
    ),
    "no such contract": (
        '[[contracts.list]]\naccount = "eosio.foo"',
        "contracts.list[0]: no contract for eosio.foo is bundled",
    ),
    "user contract": (
        '[[contracts.list]]\naccount = "alice"',
        "contracts.list[0]: no contract for alice is bundled or in contracts.directory; write its wasm and abi",
    ),
    "a user's contract": (
        '[[contracts.list]]\naccount = "useraaaaaaaa"',
        "contracts.list[0].account: useraaaaaaaa is also a user, a producer or the sponsor; rename one",
    ),
    "nodeos' account": (
        '[[contracts.list]]\naccount = "eosio.prods"',
        "contracts.list[0].account: 'eosio.prods' is nodeos' own, and takes no contract",
    ),
    "nodeos' system account": (
        '[system]\naccounts = ["eosio.null"]',
        "system.accounts[0]: 'eosio.null' is nodeos' own, and takes no contract",
    ),
    "no privileges": (
        '[[contracts.list]]\naccount = "eosio.msig"\nprivileged = false',
        "contracts.list[0].privileged: eosio.msig cannot work without privileges; remove it",
    ),
    "no preactivation": ('[system]\nfeatures = ["GET_SENDER"]', "system.features: lacks PREACTIVATE_FEATURE"),
    "system account": ('[system]\naccounts = ["alice"]', "system.accounts[0]: 'alice' does not begin with 'eosio.'"),
    "alpha": ("[users]\nalpha = nan", "users.alpha: nan is not between"),
    "two sources": ('[users]\ncsv = "a"\naccounts_json = "b"', "users: csv and accounts_json cannot both be set"),
    "no csv": ('[users]\ncsv = "a.csv"', "users.csv: "),
    "no accounts_json": ('[users]\naccounts_json = "a.json"', "users.accounts_json: "),
    "elected": ("[producers]\ncount = 22\nelected = 22", "producers.elected: 22 is not between 1 and 21"),
    "elected of few": ("[producers]\ncount = 2\nelected = 3", "producers.elected: 3 are to be elected, and 2 register"),
    "nobody": ("[producers]\ncount = 0", "producers.count: nobody can be elected; write 1 or more"),
    "producer's name": (
        '[[producers.list]]\naccount = "eosio.bp"',
        "producers.list[0].account: 'eosio.bp' is reserved for the",
    ),
    "producer eosio": (
        '[[producers.list]]\naccount = "eosio"',
        "producers.list[0].account: 'eosio' is reserved for the system",
    ),
    "bad name": ('[[producers.list]]\naccount = "Alice"', "producers.list[0].account: name 'Alice' contains 'A'"),
    "long name": (
        '[[producers.list]]\naccount = "alicealicealice"',
        "producers.list[0].account: name 'alicealicealice'",
    ),
    "twice": (
        '[[producers.list]]\naccount = "a"\n[[producers.list]]\naccount = "a"',
        "producers.list[1].account: producer a",
    ),
    "user and producer": ('[[producers.list]]\naccount = "useraaaaaaab"', "producers: useraaaaaaab is also a user"),
    "elected, no node": (
        '[[producers.list]]\naccount = "a"\nnode = false',
        "producers.list[0].node: a is to be elected",
    ),
    "producer's host": (
        '[[producers.list]]\naccount = "a"\nhost = "h9"',
        "producers.list[0].host: there is no host 'h9'",
    ),
    "poor producer": (
        '[producers]\nminimum = "0.5000 SYS"',
        "producers.minimum: 0.5000 SYS does not cover RAM and the minimum stake",
    ),
    "unknown vote": (
        '[[votes.vote]]\nvoter = "defproducera"\nproducers = ["bob"]',
        "votes.vote[0].producers[0]: bob is not a producer of this network",
    ),
    "unknown voter": (
        '[[votes.vote]]\nvoter = "bob"\nproducers = ["defproducera"]',
        "votes.vote[0].voter: bob is neither",
    ),
    "vote for many": (
        '[producers]\ncount = 31\n[[votes.vote]]\nvoter = "defproducera"\nproducers = ['
        + ", ".join(f'"p{n}"' for n in range(31))
        + "]",
        "votes.vote[0].producers: has 31 producers; the contract accepts at most 30",
    ),
    "no proxy": (
        '[[votes.vote]]\nvoter = "defproducera"\nproxy = "defproducerb"',
        "votes.vote[0].proxy: defproducerb is not a registered proxy; list it in votes.proxies",
    ),
    "empty vote": (
        '[[votes.vote]]\nvoter = "defproducera"',
        "votes.vote[0]: a vote is either for producers or through a proxy",
    ),
    "too many voters": ("[users]\ncount = 5\n[votes]\nvoters = 6", "votes.voters: 6 is more than the 5 users"),
    "below the threshold": ("[votes]\nvoters = 0", "votes: stake of 0.0000 SYS votes, and nobody is elected below"),
    "not the elected": (
        '[[votes.vote]]\nvoter = "useraaaaaaaa"\nproducers = ["defproducera"]\n[votes]\nvoters = 1\n',
        "votes: they do not elect exactly the 4 of producers.elected: defproducerb, defproducerc, defproducerd differ",
    ),
    "dear RAM": ('[stake]\nram = "0.0100 SYS"', "stake.ram: 0.0100 SYS buys useraaaaaaaa "),
    "no reserve": ('[token]\nreserve = "0.0000 SYS"', "token.reserve: 0.0000 SYS does not buy eosio 65536 bytes"),
    "topology": ('[topology]\nkind = "cube"', "topology.kind: 'cube' is not one of mesh, ring, star, random, custom"),
    "degree": ("[topology]\ndegree = 1", "topology.degree: 1 is less than 2"),
    "self": ('[topology]\nedges = [["genesis", "genesis"]]', "topology.edges[0]: genesis is linked to itself"),
    "unknown peer": ('[topology]\nedges = [["genesis", "bp9"]]', "topology.edges[0]: there is no node 'bp9'"),
    "parted": (
        '[producers]\ncount = 2\n[topology]\nedges = [["genesis", "defproducera"]]',
        "topology.edges: the nodes are not all connected: defproducera, genesis | defproducerb; add edges",
    ),
    "edges of a mesh": (
        '[topology]\nkind = "mesh"\nedges = [["genesis", "defproducera"]]',
        "topology.edges: is for a custom",
    ),
    "host twice": (HOSTS + HOSTS, "hosts[1].name: h1 is listed twice"),
    "no address": ('[[hosts]]\nname = "h1"', "hosts[0].address: is missing"),
    "bad IP": (
        '[[hosts]]\nname = "h1"\naddress = "10.0.0.256"',
        "hosts[0].address: '10.0.0.256' is neither an IP address nor",
    ),
    "bad DNS": (
        '[[hosts]]\nname = "h1"\naddress = "a b"',
        "hosts[0].address: 'a b' is neither an IP address nor a DNS name",
    ),
    "option as address": (
        '[[hosts]]\nname = "h1"\naddress = "-oProxyCommand=x"',
        "hosts[0].address: '-oProxyCommand=x' is",
    ),
    "user": (
        '[[hosts]]\nname = "h1"\naddress = "a.b"\nuser = "a;b"',
        "hosts[0].user: 'a;b' is not a valid name for a Unix user",
    ),
    "mistyped address of ssh": (
        '[[hosts]]\nname = "h1"\naddress = "a.b"\nssh.address = "10.0.0.300"',
        "hosts[0].ssh.address: '10.0.0.300' is neither an IP address nor a name",
    ),
    "brackets around the address of ssh": (
        '[[hosts]]\nname = "h1"\naddress = "a.b"\nssh.address = "[::1]"',
        "hosts[0].ssh.address: '[::1]' has brackets: write the IPv6 address without them",
    ),
    "option in place of the address of ssh": (
        '[[hosts]]\nname = "h1"\naddress = "a.b"\nssh.address = "-oProxyCommand=x"',
        "hosts[0].ssh.address: '-oProxyCommand=x' is neither",
    ),
    "user of ssh": (
        '[[hosts]]\nname = "h1"\naddress = "a.b"\nssh.user = "-oProxyCommand=x"',
        "hosts[0].ssh.user: '-oProxyCommand=x' is not a valid user name",
    ),
    "data": (HOSTS + 'data = "/var/../etc"', "hosts[0].data: '/var/../etc' is not an absolute path"),
    "the root as data": (HOSTS + 'data = "/"', "hosts[0].data: '/' is not an absolute path"),
    "root as user": (HOSTS + 'user = "root"', "hosts[0].user: agent and nodes never run as root"),
    "local with ssh": (HOSTS + "ssh.port = 22", "hosts[0].ssh: a local host needs no SSH"),
    "fingerprint": (
        '[ssh]\nfingerprint = "MD5:00"\n[[hosts]]\nname = "h1"\naddress = "a.b"',
        "ssh.fingerprint: 'MD5:00' is not a fingerprint",
    ),
    "policy": (
        '[[hosts]]\nname = "h1"\naddress = "a.b"\nssh.host_key = "no"',
        "hosts[0].ssh.host_key: 'no' is neither strict",
    ),
    "sudo": (
        '[[hosts]]\nname = "h1"\naddress = "a.b"\nssh.sudo = "yes"',
        "hosts[0].ssh.sudo: 'yes' is not one of none,",
    ),
    "jump": (
        '[[hosts]]\nname = "h1"\naddress = "a.b"\n[hosts.ssh.jump]\naddress = ""',
        "hosts[0].ssh.jump.address: '' is neither",
    ),
    "port": ('[[nodes]]\naccount = "defproducera"\np2p_port = 70000', "nodes[0].p2p_port: 70000 is not a port"),
    "port taken": (
        '[[nodes]]\naccount = "defproducera"\np2p_port = 9000\n[[nodes]]\naccount = "defproducerb"\nhttp_port = 9000',
        'nodes[1].http_port: 9000 is taken by node "defproducera"; give each node of a host its own port',
    ),
    "node's host": (
        '[[nodes]]\naccount = "defproducera"\nhost = "h9"',
        "nodes[0].host: there is no host 'h9'; known: local",
    ),
    "node's account": ('[[nodes]]\naccount = "bob"', "nodes[0].account: bob is not a producer of this network"),
    "two signers": (
        '[[nodes]]\naccount = "defproducera"\n[[nodes]]\nname = "b"\naccount = "defproducera"',
        'nodes[1].account: node "defproducera" already signs for defproducera',
    ),
    "two genesis": (
        '[[nodes]]\nrole = "genesis"\n[[nodes]]\nname = "g"\nrole = "genesis"',
        'nodes[1].account: node "genesis" already signs for eosio',
    ),
    "node's name": (
        '[[nodes]]\nname = "defproducera"\nrole = "full"',
        "producers.count: the node name defproducera is taken",
    ),
    "nameless": ('[[nodes]]\nrole = "full"', "nodes[0].name: is missing; a node without an account needs a name"),
    "role": ('[[nodes]]\nname = "a"\nrole = "boss"', "nodes[0].role: 'boss' is not one of genesis, producer, full"),
    "listen elsewhere": (
        '[coordinator]\nlisten = "203.0.113.5:7000"',
        "coordinator.listen: 203.0.113.5:7000 is not on loopback, where the agents of local dial in",
    ),
    "listen": ('[coordinator]\nlisten = "7000"', "coordinator.listen: '7000' is not HOST:PORT"),
    "genesis before blocks count": (
        '[genesis]\ntimestamp = "1999-12-31T23:59:59.500"',
        "genesis.timestamp: '1999-12-31T23:59:59.500' is not a time since 2000",
    ),
    "one machine twice": (
        '[[hosts]]\nname = "h1"\naddress = "a.example"\n[[hosts]]\nname = "h2"\naddress = "a.example"',
        "hosts[1].address: a.example is the same machine as host 'h1'; list a machine once",
    ),
    "folder of a local host": (
        HOSTS + 'data = "/srv/x"',
        "hosts[0].data: a local host's files are in the state folder",
    ),
    "key with a line break": ('[token]\n"a\\nb" = 1', "token.a\\nb: there is no such key"),
    "too few tokens": (
        '[token]\nissue = "10.0000 SYS"',
        "token.issue: 104 accounts need at least 4100.0000 SYS, and 9.9900 SYS are left after the reserve; issue more",
    ),
    "lonely genesis node of a sponsor": (
        '[parties]\nsponsor = "s"\n[producers]\ncount = 2\n'
        + "".join(f'[[hosts]]\nname = "h{n}"\naddress = "h{n}.example"\n' for n in (1, 2, 3)),
        "parties.sponsor: the genesis node is the only one on host 'h1', and accepts no transactions",
    ),
    "advertise": (
        '[coordinator]\nadvertise = "a b"',
        "coordinator.advertise: 'a b' is neither an IP address nor a DNS name",
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_one_line(case: str, write: Write) -> None:
    """The mistake is told in a line that begins with the file and the place in it."""
    text, expected = CASES[case]
    path = write(text)
    with pytest.raises(InventoryError) as caught:
        load(path)
    lines = str(caught.value).splitlines()
    assert [line for line in lines if line.startswith(f"{path}: {expected}")], lines


def test_all_at_once(write: Write) -> None:
    """Mistakes of shape come together, and so do mistakes of meaning, each on its own line."""
    with pytest.raises(InventoryError) as shape:
        load(write('[users]\ncount = "a"\n[token]\nsymbl = 1\n[votes]\nvoters = []'))
    assert {problem.path for problem in shape.value.problems} == {"users.count", "token.symbl", "votes.voters"}
    with pytest.raises(InventoryError) as meaning:
        load(
            write(
                '[token]\nissue = "1 X"\n[topology]\ndegree = 0\n[coordinator]\nlisten = "x"\n[producers]\nelected = 0'
            )
        )
    assert {problem.path for problem in meaning.value.problems} == {
        "token.issue",
        "topology.degree",
        "coordinator.listen",
        "producers.elected",
    }
    assert len(str(meaning.value).splitlines()) == 4


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"[network", "is not TOML: expected ']' at the end of a table declaration (at end of document)"),
        (b"\xff\xfe", "is not UTF-8 (byte 0)"),
        (b"", "network: is missing; it has no default"),
        (b"[network]\n", "network.name: is missing; it has no default"),
        (b"x" * (5 << 20), "is larger than 4 MiB; is this an inventory?"),
        (b"a = " + b"[" * 5000, "is nested too deeply"),
        (b"a = " + b"9" * 5000, "contains a number with thousands of digits"),
    ],
)
def test_no_inventory(content: bytes, expected: str, tmp_path: Path) -> None:
    """A file that is no inventory at all is one line."""
    path = tmp_path / "x.toml"
    path.write_bytes(content)
    with pytest.raises(InventoryError) as caught:
        load(path)
    assert str(caught.value) == f"{path}: {expected}"


def test_what_is_missing_hides_nothing_else(write: Write) -> None:
    """Where a key is missing, the rest of the file is judged all the same, and nothing that follows from the gap."""
    text = """
[[producers.list]]
url = "https://x"
[[producers.list]]
account = "Alice"
[[hosts]]
local = true
[votes]
voters = -1
"""
    with pytest.raises(InventoryError) as caught:
        load(write(text))
    paths = [problem.path for problem in caught.value.problems]
    assert paths == ["producers.list[0].account", "hosts[0].name", "producers.list[1].account", "votes.voters"]


@pytest.mark.parametrize(
    "text",
    [
        "[producers]\ncount = 1000",
        "[users]\ncount = -1",
        '[[producers.list]]\naccount = "alice"\n[[producers.list]]\naccount = "alice"',
        f'[producers]\nurl = "{"u" * 600}"',
        '[parties]\nwait_for = ["eosio.x"]',
    ],
)
def test_one_mistake_is_told_once(text: str, write: Write) -> None:
    """What only follows from a mistake has no line of its own."""
    with pytest.raises(InventoryError) as caught:
        load(write(text))
    assert len(caught.value.problems) == 1, str(caught.value)


def test_a_pipe_is_no_inventory(tmp_path: Path) -> None:
    """Reading one would wait for a writer for ever; a device may have no end."""
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "pipe", Path("/dev/zero")):
        with pytest.raises(InventoryError, match="is not a file"):
            load(path)


def test_byte_order_mark(tmp_path: Path) -> None:
    """An editor's mark before the first line is no mistake."""
    path = tmp_path / "x.toml"
    path.write_bytes(b'\xef\xbb\xbf[network]\r\nname = "x"\r\n')
    assert load(path).name == "x"


def test_missing_file(tmp_path: Path) -> None:
    """A missing file and a folder are one line each."""
    for path, reason in ((tmp_path / "none.toml", "No such file or directory"), (tmp_path, "Is a directory")):
        with pytest.raises(InventoryError) as caught:
            load(path)
        assert str(caught.value) == f"{path}: cannot be read: {reason}"


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        ("alice,{key}", "line 2: 2 fields, not 3; a line must be: account, public key, balance"),
        ("Alice,{key},5.0000", "line 2: name 'Alice' contains 'A'"),
        ("eosio.rex,{key},5.0000", "line 2: 'eosio.rex' is reserved for the system"),
        ("alice,EOSxyz,5.0000", "line 2: public key 'EOSxyz'"),
        ("alice,{broken},5.0000", "line 2: public key '{broken}' has a wrong checksum"),
        ("alice,{key},5.0", "line 2: '5.0 SYS' has symbol 1,SYS, expected 4,SYS"),
        ("alice,{key},5.0000 EOS", "line 2: '5.0000 EOS' has symbol 4,EOS"),
        ("alice,{key},0.9999", "line 2: 0.9999 SYS does not cover RAM and the minimum stake; 1.0000 SYS does"),
        ("alice,{key},-5.0000", "line 2: -5.0000 SYS does not cover"),
        ("alice,EOSxyz,5.0", "line 2: '5.0 SYS' has symbol 1,SYS, expected 4,SYS"),
        ("alice,{key},5.0000\n\nalice,{key},5.0000", "line 4: alice is listed twice"),
        ('alice,"{key},5.0000', "line 2: unexpected end of data"),
        ("alice,{key},2000000000.0000", ""),
        ("defproducera,{key},5.0000", ""),
    ],
)
def test_csv(row: str, expected: str, write: Write, tmp_path: Path) -> None:
    """A bad row of the users' CSV is told with its line."""
    broken = key("k")[:-1] + ("a" if key("k")[-1] != "a" else "b")
    (tmp_path / "u.csv").write_text("account,public key,balance\n" + row.format(key=key("k"), broken=broken))
    with pytest.raises(InventoryError) as caught:
        load(write('[users]\ncsv = "u.csv"'))
    if expected:
        assert f"users.csv: u.csv {expected.format(broken=broken)}" in str(caught.value)
    elif row.startswith("defproducera"):
        assert "producers: defproducera is also a user" in str(caught.value)
    else:
        assert "token.issue: users and producers get 2000004000.0000 SYS" in str(caught.value)


def test_csv_many(write: Write, tmp_path: Path) -> None:
    """Of very many bad rows the first are told, and how many there are further."""
    (tmp_path / "u.csv").write_text("x\n" * 1000)
    with pytest.raises(InventoryError) as caught:
        load(write('[users]\ncsv = "u.csv"'))
    assert len(caught.value.problems) == 21
    assert "u.csv has 980 more problems" in str(caught.value)
