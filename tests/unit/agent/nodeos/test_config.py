"""config.ini and command line from a node's description."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.errors import SpecError
from agent.nodeos.config import command_line, config_ini
from agent.nodeos.spec import NodeSpec
from antelope.keys import PrivateKey
from boot.step import NodeMode
from inventory.network import Role
from protos import coordination_pb2 as pb

KNOWN = frozenset(
    {"p2p-max-nodes-per-host", "max-clients", "http-max-response-time-ms", "max-transaction-time", "http-threads",
     "transaction-finality-status-max-storage-size-gb", "resource-monitor-not-shutdown-on-threshold-exceeded",
     "agent-name"}
)  # fmt: skip
KEY = PrivateKey.generate()
PRODUCER = NodeSpec("one", Role.PRODUCER, "defproducera", "0.0.0.0:9876", "a.example:9876", 8888, ("b.example:1",))
GENESIS = replace(PRODUCER, name="genesis", role=Role.GENESIS, account="eosio")
FULL = replace(PRODUCER, name="full", role=Role.FULL, account=None)


def options(text: str) -> list[tuple[str, str]]:
    """config.ini as nodeos reads it."""
    return [(name, value) for name, _, value in (line.partition(" = ") for line in text.splitlines())]


def test_the_first_plugin_is_the_chain() -> None:
    """chain_plugin comes first for every kind of node: the bundled nodeos crashes otherwise."""
    for spec, mode in ((PRODUCER, NodeMode.NORMAL), (GENESIS, NodeMode.GENESIS), (FULL, NodeMode.NORMAL)):
        first = options(config_ini(spec, mode, KNOWN, [KEY]))[0]
        assert first == ("plugin", "eosio::chain_plugin")


def test_http_is_on_loopback_only() -> None:
    """The HTTP API, which has no authentication, listens on 127.0.0.1."""
    assert ("http-server-address", "127.0.0.1:8888") in options(config_ini(PRODUCER, NodeMode.NORMAL, KNOWN, [KEY]))


@pytest.mark.parametrize("mode", [NodeMode.NORMAL, NodeMode.STARTER])
def test_a_producer_signs_with_its_key(mode: NodeMode) -> None:
    """A producer's config names its account and its key pair, once."""
    text = config_ini(PRODUCER, mode, KNOWN, [KEY])
    assert [value for name, value in options(text) if name == "producer-name"] == ["defproducera"]
    assert [value for name, value in options(text) if name == "signature-provider"] == [f"{KEY.public}=KEY:{KEY.wif}"]


def test_a_producer_signs_its_handshakes_where_nodeos_can() -> None:
    """Other producers' agents know a node by that key; a nodeos without the option gets none."""
    known = KNOWN | {"peer-private-key"}
    handshake = ("peer-private-key", f'["{KEY.public}", "{KEY.wif}"]')
    assert handshake in options(config_ini(PRODUCER, NodeMode.NORMAL, known, [KEY]))
    assert "peer-private-key" not in config_ini(PRODUCER, NodeMode.NORMAL, KNOWN, [KEY])
    assert "peer-private-key" not in config_ini(FULL, NodeMode.NORMAL, known, [KEY])


@pytest.mark.parametrize(
    ("spec", "mode"), [(FULL, NodeMode.NORMAL), (GENESIS, NodeMode.AUDIT), (PRODUCER, NodeMode.AUDIT)]
)
def test_who_signs_nothing_holds_no_key(spec: NodeSpec, mode: NodeMode) -> None:
    """Full nodes and the audit's node have neither producer nor key in their config, even if the host has one."""
    text = config_ini(spec, mode, KNOWN, [KEY])
    assert "producer-name" not in text
    assert "signature-provider" not in text
    assert ("read-mode = irreversible" in text) == (mode is NodeMode.AUDIT)
    taking = config_ini(spec, mode, {*KNOWN, "api-accept-transactions"}, [KEY])
    assert ("api-accept-transactions = false" in taking) == (mode is NodeMode.AUDIT)


def test_only_known_options_are_written() -> None:
    """An option that this nodeos does not list is omitted if it is ours, and an error if the inventory sets it."""
    written = {name for name, _ in options(config_ini(PRODUCER, NodeMode.NORMAL, frozenset(), [KEY]))}
    assert written == {
        "plugin", "http-server-address", "p2p-listen-endpoint", "p2p-server-address", "p2p-peer-address",
        "producer-name", "signature-provider",
    }  # fmt: skip
    with pytest.raises(SpecError, match="no option http-threads"):
        config_ini(replace(PRODUCER, options={"http-threads": "3"}), NodeMode.NORMAL, frozenset(), [KEY])


def test_the_inventory_overrules_our_tuning() -> None:
    """An option of the inventory replaces ours, and appears once."""
    text = config_ini(replace(PRODUCER, options={"max-clients": "7"}), NodeMode.NORMAL, KNOWN, [KEY])
    assert [value for name, value in options(text) if name == "max-clients"] == ["7"]


def test_a_disk_guard_is_off_on_the_operators_machine_only() -> None:
    """On hosts nodeos still stops at 90 % of the disk."""
    assert "not-shutdown" in config_ini(FULL, NodeMode.NORMAL, KNOWN, local=True)
    assert "not-shutdown" not in config_ini(FULL, NodeMode.NORMAL, KNOWN, local=False)


def test_nodes_that_share_a_machine_do_not_each_compile_the_contracts() -> None:
    """On the operator's machine only the genesis node's nodeos optimises code, unless the inventory says otherwise."""
    option = "eos-vm-oc-enable"
    assert f"{option} = none" in config_ini(FULL, NodeMode.NORMAL, {*KNOWN, option}, local=True)
    assert option not in config_ini(FULL, NodeMode.NORMAL, {*KNOWN, option}, local=False)
    assert option not in config_ini(GENESIS, NodeMode.GENESIS, {*KNOWN, option}, [KEY], local=True)
    chosen = replace(FULL, options={option: "all"})
    assert f"{option} = all" in config_ini(chosen, NodeMode.NORMAL, {*KNOWN, option}, local=True)


def test_a_node_never_dials_itself_or_a_peer_twice() -> None:
    """Its own endpoint among the peers is left out, a repeated one is written once."""
    spec = PRODUCER.with_peers(["b.example:1", "a.example:9876", "b.example:1"])
    text = config_ini(spec, NodeMode.NORMAL, KNOWN, [KEY])
    assert [value for name, value in options(text) if name == "p2p-peer-address"] == ["b.example:1"]


@pytest.mark.parametrize(
    ("spec", "mode"), [(PRODUCER, NodeMode.GENESIS), (FULL, NodeMode.GENESIS), (GENESIS, NodeMode.NORMAL)]
)
def test_a_mode_must_fit(spec: NodeSpec, mode: NodeMode) -> None:
    """Only the genesis node runs in genesis mode, and never in a producer's."""
    with pytest.raises(SpecError, match="cannot run in mode"):
        config_ini(spec, mode, KNOWN, [KEY])


def test_without_its_key_a_producer_has_no_config() -> None:
    """nodeos would sign with the public development key instead."""
    with pytest.raises(SpecError, match="no key"):
        config_ini(PRODUCER, NodeMode.NORMAL, KNOWN)


@pytest.mark.parametrize("mode", list(NodeMode))
def test_stale_production_is_on_the_command_line_alone(mode: NodeMode) -> None:
    """-e is given to the genesis node and for a starter's one start, never written to a file; no key is in argv."""
    command = command_line(("/bin/nodeos",), Path("/d/one"), Role.PRODUCER, mode)
    assert ("-e" in command) == (mode in (NodeMode.GENESIS, NodeMode.STARTER))
    spec = GENESIS if mode in (NodeMode.GENESIS, NodeMode.AUDIT) else PRODUCER
    assert "stale" not in config_ini(spec, mode, KNOWN | {"enable-stale-production"}, [KEY])
    assert KEY.wif not in " ".join(command)


BAD = [
    ("name", "../x"), ("name", "a/b"), ("name", ""), ("name", "a\n"), ("name", "-e"),
    ("account", "eosio"), ("account", "Bad"), ("account", None),
    ("p2p_bind", "127.0.0.1"), ("p2p_bind", "0.0.0.0:0"), ("p2p_bind", "0.0.0.0:1\nplugin = x"), ("p2p_bind", "a b:1"),
    ("p2p_endpoint", "h:65536"), ("p2p_endpoint", ":1"), ("p2p_endpoint", "h:1:trx"), ("p2p_endpoint", "$(touch x):1"),
    ("http_port", 0), ("http_port", 65536), ("http_port", -1),
    ("peers", ("h:1\r\nproducer-name = eosio",)), ("peers", ("h:1", "")), ("peers", ("h:\u0661",)),
    ("options", {"plugin": "eosio::x_plugin"}), ("options", {"signature-provider": "a=KEY:b"}),
    ("options", {"max-clients": "3\nplugin = x"}), ("options", {"max-clients": ""}), ("options", {"agent-name": "a#b"}),
    ("options", {"max-clients\nplugin": "3"}), ("options", {"agent-name": "a\x00"}),
    ("nodeos", "nodeos"), ("nodeos", "/usr/bin/../x"), ("nodeos", "/bin/sh -c x"), ("nodeos", "/a\n"), ("nodeos", ""),
]  # fmt: skip


@pytest.mark.parametrize(("part", "value"), BAD)
def test_a_hostile_part_is_refused_by_name(part: str, value: object) -> None:
    """Values that cannot be in a file or command line are refused, in one line that names the part."""
    with pytest.raises(SpecError, match=part.split(".")[0]) as caught:
        replace(PRODUCER, **{part: value})  # type: ignore[arg-type]
    assert "\n" not in str(caught.value)


@given(st.text(max_size=30), st.text(max_size=30), st.text(max_size=30))
def test_no_text_gets_another_line_into_the_config(peer: str, value: str, bind: str) -> None:
    """Whatever is accepted, config.ini holds exactly the options that belong there, one a line."""
    try:
        spec = replace(PRODUCER, peers=(peer,), options={"agent-name": value}, p2p_bind=bind)
    except SpecError:
        return
    text = config_ini(spec, NodeMode.NORMAL, KNOWN, [KEY])
    assert text.isprintable() or set(text) - set("\n") == set(filter(str.isprintable, text))
    assert len(text.splitlines()) == len(config_ini(PRODUCER, NodeMode.NORMAL, KNOWN, [KEY]).splitlines())


def test_the_coordinators_message_becomes_a_spec() -> None:
    """Every field of the contract's NodeSpec arrives; an unknown role is refused."""
    message = pb.NodeSpec(
        name="one", role="producer", account="defproducera", p2p_bind="0.0.0.0:9876", p2p_endpoint="a.example:9876",
        http_port=8888, peers=["b.example:1"], options={"max-clients": "3"}, nodeos="/usr/bin/nodeos",
    )  # fmt: skip
    assert NodeSpec.of(message) == replace(PRODUCER, options={"max-clients": "3"}, nodeos="/usr/bin/nodeos")
    message.role = "king"
    with pytest.raises(SpecError, match="role"):
        NodeSpec.of(message)


@pytest.mark.parametrize(
    ("mode", "options", "window"),
    [
        (NodeMode.NORMAL, {"max-transaction-time": "1000"}, "1020000"),
        (NodeMode.NORMAL, {"max-transaction-time": "50"}, "70000"),
        (NodeMode.NORMAL, {"max-transaction-time": "49"}, None),
        (NodeMode.NORMAL, {"max-transaction-time": "-1"}, None),
        (NodeMode.NORMAL, {"max-transaction-time": "60", "read-only-read-window-time-us": "90000"}, "90000"),
        (NodeMode.NORMAL, {}, None),
    ],
)
def test_a_long_limit_has_a_fitting_window(mode: NodeMode, options: dict[str, str], window: str | None) -> None:
    """The limit of a transaction's time on a node that does not produce fits into its read-only window."""
    known = {"max-transaction-time", "read-only-read-window-time-us"}
    spec = NodeSpec("full", Role.FULL, None, "h:1", "h:1", 8888, (), options)
    lines = config_ini(spec, mode, known).splitlines()
    found = [line.partition(" = ")[2] for line in lines if line.startswith("read-only-read-window-time-us")]
    assert found == ([window] if window else [])
    retired = replace(spec, role=Role.GENESIS, account="eosio")
    assert ("read-only-read-window-time-us" in config_ini(retired, NodeMode.AUDIT, known)) is (window is not None)
    signing = config_ini(retired, NodeMode.GENESIS, known, [PrivateKey.generate()])
    assert ("read-only-read-window-time-us" in signing) is ("read-only-read-window-time-us" in options)


def test_a_node_signs_with_every_key_that_it_is_given() -> None:
    """A provider each; the handshake is signed with the current one, which is the first."""
    successor = PrivateKey.generate()
    known = KNOWN | {"peer-private-key"}
    written = options(config_ini(PRODUCER, NodeMode.NORMAL, known, [KEY, successor]))
    assert [value for name, value in written if name == "signature-provider"] == [
        f"{KEY.public}=KEY:{KEY.wif}", f"{successor.public}=KEY:{successor.wif}",
    ]  # fmt: skip
    assert [value for name, value in written if name == "peer-private-key"] == [f'["{KEY.public}", "{KEY.wif}"]']
