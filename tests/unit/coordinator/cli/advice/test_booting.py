"""What messages of coord advise is true: the command stands in the message as it is typed, and typed it helps."""

from __future__ import annotations

import json
import shlex
import shutil
from pathlib import Path

import pytest

from coordinator.cli.main import run
from coordinator.engine import transfers
from coordinator.parties.open_network import OpenNetwork
from coordinator.parties.upgrades import Contract
from coordinator.state.folder import StateFolder
from support.retry import poll
from tests.unit.coordinator.cli.advice.advised import PARTY, Said, helps, refused
from tests.unit.coordinator.home import Home
from tests.unit.inventory.material import SYSTEM_ABI, wasm

UPGRADE = ["upgrade", "--wasm", "new.wasm", "--abi", "new.abi"]


@pytest.mark.advice(
    "coordinator/workflows/changing/acting.py: coord boot",
    "coordinator/workflows/transferring.py: coord boot",
    "coordinator/workflows/watching/auditing.py: coord boot",
    "coordinator/workflows/watching/reporting.py: coord boot",
    "coordinator/workflows/using/in_use.py: coord boot",
    "coordinator/cli/upgrade.py: coord boot",
)
@pytest.mark.parametrize(
    "words",
    [["node", "start", "genesis"], ["env"], ["keys"], ["verify"], UPGRADE, ["claim"], ["report"],
     ["transfers", "--count", "1"]],
)  # fmt: skip
def test_what_needs_a_boot_says_so(words: list[str], home: Home, said: Said) -> None:
    """Afterwards it is not refused for that any more."""
    Path("new.wasm").write_bytes(wasm("activate"))
    Path("new.abi").write_bytes(SYSTEM_ABI)
    words.insert(1, "home.toml")
    helps(refused(said, *words), "boot home.toml", said)
    run(words)
    assert "coord boot home.toml\n" not in said.readouterr().err or words[0] == "keys"  # the agents are made up


@pytest.mark.advice("coordinator/engine/transfers.py: coord boot")
def test_transfers_need_an_agent(booted: Home, said: Said, monkeypatch: pytest.MonkeyPatch) -> None:
    """After `coord down` none answers, and the boot brings it back."""
    monkeypatch.setattr(transfers, "NODE_SECONDS", 0.5)
    assert run(["down", "home.toml"]) == 0
    helps(refused(said, "transfers", "home.toml", "--count", "1"), "boot home.toml", said)


@pytest.mark.advice(
    "coordinator/cli/plan.py: coord boot --until genesis",
    "coordinator/engine/runbook.py: coord boot --until genesis",
)
@pytest.mark.parametrize("form", ["--allocation", "--cleos"])
def test_a_plan_of_what_is_sealed(form: str, home: Home, said: Said) -> None:
    """Needs the seal, which that boot makes."""
    helps(refused(said, "plan", "home.toml", form), "boot home.toml --until genesis", said)
    assert run(["plan", "home.toml", form]) == 0


@pytest.mark.advice("coordinator/workflows/watching/why.py: coord plan")
@pytest.mark.advice(
    "coordinator/workflows/changing/operating.py: coord status",
    "coordinator/workflows/using/snapshots.py: coord status",
)
@pytest.mark.advice("coordinator/cli/revoke.py: coord parties")
def test_names_that_nobody_has(booted: Home, said: Said) -> None:
    """The command lists those that there are."""
    assert "[x] genesis" in helps(refused(said, "status", "home.toml", "--why", "x"), "plan home.toml", said)
    assert "defproducera" in helps(refused(said, "node", "home.toml", "start", "x"), "status home.toml", said)
    assert "two" in helps(refused(said, "host", "home.toml", "drain", "x"), "status home.toml", said)
    snapshot = refused(said, "snapshot", "home.toml", "take", "x")
    assert "defproducera" in helps(snapshot, "status home.toml", said)
    assert run(["invite", "home.toml", *PARTY]) == 0
    assert "alice" in helps(refused(said, "revoke", "home.toml", "x"), "parties home.toml", said)


@pytest.mark.advice("coordinator/cli/revoke.py: coord down --only …")
def test_a_host_is_no_party(booted: Home, said: Said) -> None:
    """It is taken down, and out of the file."""
    helps(refused(said, "revoke", "home.toml", "two"), "down home.toml --only two", said)
    assert booted.processes[1].wait(10) is not None


@pytest.mark.advice("coordinator/workflows/changing/operating.py: coord node start …")
@pytest.mark.advice("coordinator/workflows/changing/draining.py: coord host undrain …")
def test_what_was_stopped_or_drained_goes_on(booted: Home, said: Said) -> None:
    """By the command that was printed when it was stopped."""
    assert run(["node", "home.toml", "stop", "genesis", "--force"]) == 0
    assert "is started" in helps(said.readouterr().out, "node home.toml start genesis", said)
    assert run(["node", "home.toml", "start", "defproducerb"]) == 0
    host = next(name for name, agent in booted.agents.items() if "defproducerb" in agent.nodes)
    said.readouterr()
    assert run(["host", "home.toml", "drain", host, "--force"]) == 0
    assert "blocks again" in helps(said.readouterr().out, f"host home.toml undrain {host}", said)


WATCH = '[[nodes]]\nname = "watch"\nrole = "full"\nhost = "three"\n'
THREE = '[[hosts]]\nname = "three"\nlocal = true\n'


@pytest.mark.advice(
    "coordinator/workflows/changing/changes.py: coord host remove …",
    "coordinator/workflows/changing/changes.py: coord node stop …",
    "coordinator/workflows/changing/operating.py: coord revoke …",
)
@pytest.mark.usefixtures("impatient")
def test_what_left_the_inventory(home: Home, said: Said) -> None:
    """A node is stopped, a host removed; where its agent is away for good, its access is ended."""
    text = home.inventory.read_text().replace("count = 2", "count = 1")
    home.inventory.write_text(text + THREE + WATCH)
    assert run(["boot", "home.toml"]) == 0
    assert run(["node", "home.toml", "start", "watch"]) == 0
    home.inventory.write_text(text + THREE)
    said.readouterr()
    assert run(["plan", "home.toml"]) == 0
    helps(said.readouterr().out, "node home.toml stop watch", said)
    assert run(["plan", "home.toml"]) == 0
    assert "watch" not in said.readouterr().out
    home.agents["three"].nodes["watch"].state = "running"
    home.inventory.write_text(text)
    assert run(["plan", "home.toml"]) == 0
    planned = said.readouterr().out
    home.away = {"three"}
    told = refused(said, "host", "home.toml", "remove", "three")
    assert "its access is ended" in helps(told, "revoke home.toml three", said)
    assert "no host three is enrolled" in helps(planned, "host home.toml remove three", said)


@pytest.mark.advice("coordinator/workflows/boot.py: coord boot")
@pytest.mark.advice("coordinator/cli/plan.py: coord boot")
@pytest.mark.usefixtures("impatient")
def test_a_boot_that_left_a_host_out(booted: Home, said: Said, monkeypatch: pytest.MonkeyPatch) -> None:
    """Is finished by another one."""
    booted.away = {"two"}
    assert run(["boot", "home.toml"]) == 0
    told = said.readouterr().out
    assert "to finish, run coord boot home.toml again" in told
    booted.away = set()
    assert "continues without it" not in helps(told, "boot home.toml", said)


@pytest.mark.advice("coordinator/workflows/watching/why.py: coord boot")
def test_a_step_that_failed(home: Home, said: Said) -> None:
    """Is done by the next boot, once its cause is gone."""
    home.fails = {("one", "start_node"): "no space left"}
    assert run(["boot", "home.toml"]) == 1
    said.readouterr()
    assert run(["status", "home.toml", "--why", "genesis"]) == 0
    told = said.readouterr().out
    home.fails = {}
    helps(told, "boot home.toml", said)
    assert run(["status", "home.toml", "--why", "genesis"]) == 0
    assert "genesis (done)" in said.readouterr().out


@pytest.mark.advice(
    "coordinator/workflows/using/in_use.py: coord status",
    "coordinator/workflows/using/in_use.py: coord keys",
)
def test_nodes_and_keys_of_this_machine(booted: Home, said: Said) -> None:
    """Where no node takes transactions, status shows why; keys lists those that there are."""
    assert "genesis" in helps(refused(said, "env", "home.toml"), "status home.toml", said)
    keys = booted.state / "hosts" / "one" / "keys" / "accounts.json"
    row = {"name": "useraaaaaaaa", "pub": "EOS7", "pvt": "5K"}
    keys.write_text(json.dumps({"users": [row], "producers": []}))
    assert "useraaaaaaaa" in helps(refused(said, "keys", "home.toml", "nobody"), "keys home.toml", said)


@pytest.mark.advice(
    "coordinator/parties/awaiting.py: coord boot",
    "coordinator/parties/awaiting.py: coord invite NAME --account …",
)
def test_parties_that_are_waited_for(home: Home, said: Said) -> None:
    """One is invited as the message says; then the boot waits for it, and no longer for its invitation."""
    text = home.inventory.read_text()
    home.inventory.write_text(text + '[parties]\nwait_for = ["alice1111111"]\nwait_seconds = 1\nshare = "all"\n')
    told = refused(said, "boot", "home.toml")
    assert "Run coord boot home.toml again" in told
    assert "alice1111111: not invited yet; run: coord invite home.toml NAME --account alice1111111" in told
    assert run(["invite", "home.toml", *PARTY]) == 0
    assert "alice1111111: invited" in refused(said, "boot", "home.toml")


@pytest.mark.advice("coordinator/parties/invitations.py: coord revoke …")
def test_an_account_that_is_promised(booted: Home, said: Said) -> None:
    """To nobody any more, after that."""
    assert run(["invite", "home.toml", *PARTY]) == 0
    bob = ["invite", "home.toml", "bob", "--account", "alice1111111"]
    helps(refused(said, *bob), "revoke home.toml alice", said)
    assert run(bob) == 0


@pytest.mark.advice("coordinator/cli/invite.py: coord parties --json")
def test_an_account_that_nobody_creates(booted: Home, said: Said) -> None:
    """Its key will be in that document."""
    assert run(["invite", "home.toml", *PARTY]) == 0
    shown = json.loads(helps(said.readouterr().err, "parties home.toml --json", said))
    assert [one["account"] for one in shown["invited"]] == ["alice1111111"]


def test_another_producer_than_was_sealed(booted: Home, said: Said) -> None:
    """It is added by a command; with the edit undone the network continues."""
    text = booted.inventory.read_text()
    booted.inventory.write_text(text.replace("count = 2", "count = 3"))
    told = refused(said, "boot", "home.toml")
    assert "coord producer home.toml add ACCOUNT" in told or "coord producer add home.toml ACCOUNT" in told
    booted.inventory.write_text(text)
    assert run(["boot", "home.toml"]) == 0


@pytest.mark.advice(
    "coordinator/report/summary.py: coord status",
    "coordinator/report/summary.py: coord boot",
    "coordinator/report/summary.py: coord down",
)
def test_what_a_boot_says_that_comes_next(home: Home, said: Said) -> None:
    """Each of its lines is a command that works."""
    assert run(["boot", "home.toml"]) == 0
    told = said.readouterr().out
    assert "phase booting" in helps(told, "status home.toml", said)
    assert "Nothing to do" in helps(told, "boot home.toml", said)
    helps(told, "down home.toml", said)
    assert all(process.wait(10) is not None for process in home.processes)


def lose(home: Home, *names: str) -> None:
    """These are gone from the state folder."""
    for name in names:
        path = home.state / name
        shutil.rmtree(path) if path.is_dir() else path.unlink()


@pytest.mark.advice(
    "coordinator/state/losses.py: coord adopt",
    "coordinator/state/folder.py: coord adopt",
    "coordinator/workflows/boot.py: coord adopt",
    "coordinator/cli/adopt.py: coord boot",
)
@pytest.mark.parametrize("damage", ["a file is lost", "a file is torn", "every trace of the seal is lost"])
def test_a_state_folder_that_is_damaged(damage: str, booted: Home, said: Said) -> None:
    """Is adopted from the hosts, and then boots again."""
    if damage == "a file is torn":
        (booted.state / "sealed.json").write_text('{"network": ')
    else:
        lose(booted, "sealed.json", "artifacts")
    if damage == "every trace of the seal is lost":
        state = StateFolder(booted.folder / ".coord", "home", adopting=True)
        state.journal.write("DELETE FROM step")
        state.close()
    told = refused(said, "boot", "home.toml")
    told = helps(told, "adopt home.toml", said)
    helps(told, "boot home.toml", said)


@pytest.mark.advice(
    "coordinator/workflows/recovering/adopt.py: coord boot",
    "coordinator/workflows/recovering/adopt.py: coord down",
)
def test_a_network_of_which_nothing_is_left(booted: Home, said: Said) -> None:
    """Neither command sends the user to the other for ever: what remains is put away, and a new one is made."""
    lose(booted, "sealed.json", "artifacts")
    for agent in booted.agents.values():
        agent.manifest = ""
    told = refused(said, "boot", "home.toml")
    told = refused(said, *shlex.split("adopt home.toml"))
    assert f"run coord down home.toml, move {booted.state} away, and then run: coord boot home.toml" in told
    helps(told, "down home.toml", said)
    booted.state.rename(booted.state.with_name("kept"))
    booted.shown.clear()
    assert "sealed: chain" in helps(told, "boot home.toml", said)


@pytest.mark.advice("coordinator/cli/adopt.py: coord invite … --account …")
@pytest.mark.advice("coordinator/cli/adopt.py: coord invite NAME --account …")
def test_a_producer_that_the_register_forgot(booted: Home, said: Said, monkeypatch: pytest.MonkeyPatch) -> None:
    """After adopting it is invited again, by the line that is printed."""

    async def chain(*_: object) -> tuple[tuple[str, ...], frozenset[str]]:
        return (), frozenset({"alice1111111"})

    monkeypatch.setattr("coordinator.workflows.recovering.adopt._chain", chain)
    lose(booted, "sealed.json")
    assert run(["adopt", "home.toml"]) == 0
    told = said.readouterr().out
    assert "coord invite home.toml NAME --account alice1111111" in told
    assert run(["invite", "home.toml", *PARTY]) == 0


@pytest.mark.advice("coordinator/engine/access.py: coord boot")
def test_a_host_that_was_added_later(booted: Home, said: Said) -> None:
    """Has no agent before the next boot, which starts it."""
    booted.inventory.write_text(booted.inventory.read_text() + THREE + WATCH)
    told = refused(said, "node", "home.toml", "start", "watch")
    helps(told, "boot home.toml", said)
    assert run(["node", "home.toml", "start", "watch"]) == 0


@pytest.mark.advice("coordinator/parties/open_network.py: coord boot")
def test_agents_without_a_network(home: Home, said: Said) -> None:
    """Installed, and never booted: there is nothing to audit before a boot."""
    assert run(["install", "home.toml"]) == 0
    helps(refused(said, "verify", "home.toml"), "boot home.toml", said)
    run(["verify", "home.toml"])
    assert "never booted" not in said.readouterr().err


@pytest.mark.advice("coordinator/report/summary.py: coord logs NODE")
def test_a_boot_that_failed(home: Home, said: Said) -> None:
    """Names the logs, which have the reason."""
    home.fails = {("one", "start_node"): "no space left"}
    assert run(["boot", "home.toml"]) == 1
    assert "coord logs home.toml NODE" in said.readouterr().out
    log = home.state / "hosts" / "one" / "nodes" / "genesis" / "log" / "nodeos.log"
    log.parent.mkdir(parents=True)
    log.write_text("error 2026-01-01T00:00:00.000 nodeos main.cpp:1 main ] no space left\n")
    assert run(["logs", "home.toml", "genesis"]) == 0
    assert "no space left" in said.readouterr().out


@pytest.mark.advice(
    "coordinator/workflows/opening/unchanged.py: coord upgrade --account ACCOUNT --wasm FILE --abi FILE",
)
def test_another_contract_than_was_sealed(home: Home, said: Said, monkeypatch: pytest.MonkeyPatch) -> None:
    """Is deployed by an upgrade, with those options, and the edit is undone."""
    done: list[str] = []

    async def upgrade(opened: OpenNetwork, contract: Contract, wait: float, tell: object) -> str:
        done.append(contract.account)
        return "it has the new code"

    monkeypatch.setattr("coordinator.cli.upgrade.upgrade", upgrade)
    sponsored = home.inventory.read_text() + '[parties]\nsponsor = "sponsor"\nlimit = 2\nshare = "all"\n'
    home.inventory.write_text(sponsored)
    assert run(["boot", "home.toml"]) == 0
    own = Path("own/eosio.token")
    own.mkdir(parents=True)
    (own / "eosio.token.wasm").write_bytes(wasm("activate"))
    (own / "eosio.token.abi").write_bytes((home.folder / "shipped/eosio.token/eosio.token.abi").read_bytes())
    home.inventory.write_text(sponsored + '[contracts]\ndirectory = "own"\n')
    told = refused(said, "boot", "home.toml")
    home.inventory.write_text(sponsored)
    Path("new.abi").write_bytes(SYSTEM_ABI)
    assert "coord upgrade home.toml --account ACCOUNT --wasm FILE --abi FILE" in told
    files = ["--wasm", "own/eosio.token/eosio.token.wasm", "--abi", "own/eosio.token/eosio.token.abi"]
    assert run(["upgrade", "home.toml", "--account", "eosio.token", *files]) == 0
    assert done == ["eosio.token"]


@pytest.mark.advice("coordinator/workflows/serving/keep_agents.py: coord logs agent@…")
def test_an_agent_that_ends(booted: Home, said: Said, monkeypatch: pytest.MonkeyPatch) -> None:
    """Is started again, and the line says where its log is."""
    log = booted.state / "hosts" / "two" / "agent.log"
    log.write_text("2026-01-01 00:00:00,000 ERROR agent: out of memory\n")
    monkeypatch.setattr("coordinator.workflows.serving.keep_agents.LOOK", 0.05)

    async def stopped(*_: object) -> None:
        booted.shown.pop("two")
        booted.processes[1].kill()
        await poll(started_again, what="another process", deadline=20)

    async def started_again() -> bool:
        return len(booted.processes) > 2

    monkeypatch.setattr("coordinator.cli.serve.until_stopped", stopped)
    assert run(["serve", "home.toml"]) == 0
    told = said.readouterr().out
    assert "out of memory" in helps(told, "logs home.toml agent@two", said)
