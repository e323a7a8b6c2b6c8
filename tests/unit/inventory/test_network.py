"""From good inventories to networks: defaults, placement, SSH, options."""

from __future__ import annotations

from pathlib import Path

import pytest

from antelope.asset import Symbol
from inventory.columns import UserRow
from inventory.load import load
from inventory.network import HostKeyPolicy, Network, Role, StakeRule, Sudo, Topology, UserSource
from tests.unit.inventory.material import Load, Write, key

ROOT = Path(__file__).parents[3] / "inventory"
TESTBED = Path("/var/tmp/testbed")  # noqa: S108 (where the hosts tier keeps its key)
HOSTS = "\n".join(f'[[hosts]]\nname = "h{number}"\naddress = "10.99.0.1{number}"' for number in range(1, 5)) + "\n"


def placed(network: Network) -> dict[str, tuple[str, int, int]]:
    """Host and ports of every node."""
    return {node.name: (node.host, node.p2p_port, node.http_port) for node in network.nodes}


def test_least(network: Load) -> None:
    """A name alone is a devnet on this machine: a genesis node, 4 producers, 100 users, the tutorial's token."""
    found = network("")
    assert [host.local for host in found.hosts] == [True]
    assert [(node.name, node.role, node.account) for node in found.nodes][:2] == [
        ("genesis", Role.GENESIS, "eosio"),
        ("defproducera", Role.PRODUCER, "defproducera"),
    ]
    assert found.elected == ("defproducera", "defproducerb", "defproducerc", "defproducerd")
    assert (found.symbol, found.max_supply, found.issue) == (Symbol(4, "SYS"), 10**14, 10**13)
    assert found.stake == StakeRule(ram=1_000, minimum=4_500, liquid=90_000)
    assert (found.users.source, found.users.count, found.users.total) == (UserSource.GENERATED, 100, 10**13 - 10**10)
    assert found.genesis.configuration["max_inline_action_size"] == 524_288
    assert (found.topology, found.listen, found.votes.voters) == (Topology.MESH, "127.0.0.1:0", 10)
    assert found.holder("defproducera") == found.holder("useraaaaaaaa") == "local"
    assert [(source.account, source.bundled) for source in found.contracts] == [
        ("eosio.token", True),
        ("eosio.msig", True),
        ("eosio", True),
    ]


def test_devnet_says_the_defaults(network: Load) -> None:
    """devnet.toml states exactly the defaults, plus a sponsor, so that a party can join it."""
    written, least = load(ROOT / "devnet.toml"), network('[network]\nname = "devnet"')
    for field in ("name", "symbol", "max_supply", "issue", "users", "stake", "producers", "votes", "nodes", "topology"):
        assert getattr(written, field) == getattr(least, field), field


@pytest.mark.parametrize("name", ["devnet", "tutorial", "testnet"])
def test_parties_can_join_every_shipped_network(name: str) -> None:
    """The shipped inventories have a sponsor, so that an invited party gets its account."""
    assert load(ROOT / f"{name}.toml").parties.sponsor is not None


def test_tutorial() -> None:
    """tutorial.toml is the tutorial at its scale: 3,000 users, 21 of 30 producers elected, proxies, a node for each."""
    found = load(ROOT / "tutorial.toml")
    assert (found.users.count, len(found.producers), len(found.elected), len(found.nodes)) == (3_000, 30, 21, 31)
    assert all(producer.node == producer.account for producer in found.producers)
    assert found.votes.proxies == ("defproducera",)
    assert max(len(node.peers) for node in found.nodes) <= 6


def test_testnet() -> None:
    """testnet.toml puts 5 nodes on 4 hosts reached over SSH, with one host holding two."""
    found = load(ROOT / "testnet.toml")
    assert [host.address for host in found.hosts] == ["10.99.0.11", "10.99.0.12", "10.99.0.13", "10.99.0.14"]
    assert sorted(node.host for node in found.nodes) == ["h1", "h1", "h2", "h3", "h4"]
    assert found.genesis_node.host == "h1"
    assert found.listen == "0.0.0.0:0"
    assert found.parties.sponsor is not None
    for host in found.hosts:
        assert host.ssh is not None
        assert (host.ssh.user, host.ssh.host_key) == ("root", HostKeyPolicy.STRICT)
        assert (host.ssh.key, host.ssh.known_hosts) == (TESTBED / "id", TESTBED / "known_hosts")


def test_rule(network: Load) -> None:
    """By default genesis is on the first host, producers follow from the second on, and ports count up on each host."""
    assert placed(network(HOSTS + "[producers]\ncount = 6")) == {
        "genesis": ("h1", 9876, 8889),
        "defproducera": ("h2", 9876, 8888),
        "defproducerb": ("h3", 9876, 8888),
        "defproducerc": ("h4", 9876, 8888),
        "defproducerd": ("h1", 9877, 8888),
        "defproducere": ("h2", 9877, 8889),
        "defproducerf": ("h3", 9877, 8889),
    }


def test_written_nodes_come_first(network: Load) -> None:
    """Written nodes keep host and ports; the others go where fewest producers are, past the taken ports."""
    text = """
    [[nodes]]
    account = "defproducerb"
    host = "h2"
    p2p_port = 9877
    [[nodes]]
    name = "relay"
    role = "full"
    host = "h3"
    [producers]
    count = 5
    """
    found = network(HOSTS + text)
    assert placed(found) == {
        "genesis": ("h1", 9876, 8889),
        "defproducerb": ("h2", 9877, 8888),
        "relay": ("h3", 9876, 8888),
        "defproducera": ("h3", 9877, 8889),
        "defproducerc": ("h4", 9876, 8888),
        "defproducerd": ("h1", 9877, 8888),
        "defproducere": ("h2", 9876, 8889),
    }
    assert found.node("relay").account is None
    assert found.p2p(found.node("defproducerb")) == "10.99.0.12:9877"


def test_producers(network: Load) -> None:
    """Written producers come before generated ones, keep what is written, and may go without a node."""
    text = """
    [producers]
    count = 1
    elected = 2
    url = "https://{account}.test"
    [[producers.list]]
    account = "alice"
    url = "https://alice.io"
    location = 9
    [[producers.list]]
    account = "bob"
    [[producers.list]]
    account = "carol"
    node = false
    """
    found = network(text)
    assert [(p.account, p.node, p.url, p.location, p.elected) for p in found.producers] == [
        ("alice", "alice", "https://alice.io", 9, True),
        ("bob", "bob", "https://bob.test", 0, True),
        ("carol", None, "https://carol.test", 0, False),
        ("defproducera", "defproducera", "https://defproducera.test", 0, False),
    ]


@pytest.mark.parametrize("address", ["2001:db8::7", "fe80::1%eth0", "web_1", "an-alias.of_ssh-config", "10.0.0.7"])
def test_ssh_dials_what_ssh_can_dial(network: Load, address: str) -> None:
    """IPv6, names with underscores, aliases: hosts themselves still dial the host's own address."""
    text = (
        f'[[hosts]]\nname = "h1"\naddress = "node_1.example"\nssh.address = "{address}"\nssh.jump.address = "{address}"'
    )
    (host,) = network(text).hosts
    assert host.ssh is not None
    assert host.ssh.jump is not None
    assert (host.address, host.ssh.address, host.ssh.jump.address) == ("node_1.example", address, address)


def test_ssh(network: Load, tmp_path: Path) -> None:
    """A host's own SSH keys overrule the shared ones; relative paths start at the inventory's folder."""
    text = """
    [ssh]
    user = "operator"
    port = 2200
    key = "keys/id"
    known_hosts = "/etc/ssh/known"
    [ssh.jump]
    address = "bastion.example.org"
    user = "john.doe@example.org"
    [[hosts]]
    name = "h1"
    address = "bp1.example.org"
    [[hosts]]
    name = "h2"
    address = "bp2.example.org"
    [hosts.ssh]
    address = "10.0.0.2"
    port = 22
    user = "root"
    host_key = "accept-new"
    """
    first, second = (host.ssh for host in network(text).hosts)
    assert first is not None
    assert second is not None
    assert (first.address, first.port, first.user, first.sudo) == (
        "bp1.example.org",
        2200,
        "operator",
        Sudo.PASSWORDLESS,
    )
    assert (first.key, first.known_hosts) == (tmp_path / "keys/id", Path("/etc/ssh/known"))
    assert (second.address, second.port, second.user, second.sudo) == ("10.0.0.2", 22, "root", Sudo.NONE)
    assert (first.host_key, second.host_key) == (HostKeyPolicy.STRICT, HostKeyPolicy.ACCEPT_NEW)
    assert first.jump is not None
    assert (first.jump.address, first.jump.user, first.jump.jump) == (
        "bastion.example.org",
        "john.doe@example.org",
        None,
    )
    assert (first.jump.key, first.jump.known_hosts) == (first.key, first.known_hosts)


def test_options(network: Load) -> None:
    """A node's options overrule the network's, and all become texts as config.ini has them."""
    text = """
    [nodeos]
    options = { max-clients = 50, verbose-http-errors = true }
    [[nodes]]
    role = "genesis"
    options = { max-clients = 99 }
    """
    found = network(text)
    assert found.genesis_node.options == {"max-clients": "99", "verbose-http-errors": "true"}
    assert found.node("defproducera").options == {"max-clients": "50", "verbose-http-errors": "true"}


def test_tunnel(network: Load) -> None:
    """Where every host is local or tunnelled, the coordinator listens on loopback only."""
    host = '[[hosts]]\nname = "h1"\naddress = "bp1.example.org"\ntunnel = '
    assert network(host + "true").listen == "127.0.0.1:0"
    assert network(host + "false").listen == "0.0.0.0:0"


def test_csv(network: Load, tmp_path: Path) -> None:
    """A CSV's rows are taken in order, with or without header, spaces and symbol; nobody votes for them."""
    row = f"alice,{key('a')},5.0000\n bob , {key('b')} ,7.5000 SYS\n\n"
    for header in ("", "Account,Public Key,Balance\n", "\ufeff"):
        (tmp_path / "u.csv").write_text(header + row)
        found = network('[users]\ncsv = "u.csv"')
        assert tuple(found.users.rows) == (UserRow("alice", key("a"), 50_000), UserRow("bob", key("b"), 75_000))
        assert found.votes.voters == 0


def test_accounts_json(write: Write, tmp_path: Path) -> None:
    """An accounts.json is named but not read: it is beside the inventory, or on the genesis node's host."""
    (tmp_path / "accounts.json").write_text("the coordinator does not look inside")
    assert load(write('[users]\naccounts_json = "accounts.json"')).users.file == tmp_path / "accounts.json"
    far = load(write(HOSTS + '[users]\naccounts_json = "/root/accounts.json"'))
    assert (far.users.source, far.users.file) == (UserSource.ACCOUNTS_JSON, Path("/root/accounts.json"))


@pytest.mark.parametrize(
    ("symbol", "issue", "ram"),
    [
        ("0,A", "3000000000000 A", "300 A"),
        ("1,SYS", "300000000000.0 SYS", "30.0 SYS"),
        ("8,GOLD", "1000000000.00000000 GOLD", ""),
    ],
)
def test_precisions(symbol: str, issue: str, ram: str, network: Load) -> None:
    """Defaults follow the symbol's precision. Values that it cannot express must be written."""
    precision, code = symbol.split(",")
    units = 10 ** int(precision)
    stake = f'[stake]\nram = "{ram}"\nminimum = "{ram}"\n' if ram else ""
    found = network(f'[token]\nsymbol = "{symbol}"\nmax_supply = "{issue}"\nissue = "{issue}"\n{stake}')
    assert found.stake.liquid == 9 * units
    assert found.producers[0].minimum == 1000 * units
    assert found.issue == int(issue.removesuffix(f" {code}").replace(".", ""))
