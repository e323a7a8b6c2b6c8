"""Trials of a nodeos, played by scripts; tests/live/coordinator/test_trials.py has the real one."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from coordinator.hosts.preflight import nodeos
from coordinator.hosts.preflight.nodeos import try_out
from coordinator.hosts.preflight.told import told
from coordinator.hosts.preflight.trials import trials
from inventory.load import load
from tests.waiting import until

TRIAL: dict[str, Any] = {
    "nodes": "defproducera", "plugins": ["chain"], "produces": True, "irreversible": False,
    "tuning": {"max-clients": "250", "unknown-here": "1"}, "options": {},
    "services": [["http-server-address", "{http}"]], "flags": [],
}  # fmt: skip
PLAYED = """#!{python}
import http.server, json, os, sys
if "--help" in sys.argv:
    for name in ("plugin", "http-server-address", "p2p-listen-endpoint", "signature-provider", "genesis-json"):
        print(f"  --{{name}} arg")
    sys.exit(print("  --max-clients arg\\n  -e [ --enable-stale-production ]"))
folder = sys.argv[sys.argv.index("--config-dir") + 1]
config = dict(line.rstrip().split(" = ", 1) for line in open(os.path.join(folder, "config.ini")))
blocks = 0

class Answers(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        global blocks
        blocks += "-e" in sys.argv and config.get("producer-name") == "eosio"
        info = {{"server_version_string": json.dumps(config), "head_block_num": blocks}}
        self.send_response(200)
        self.end_headers()
        apis = {{"apis": ["/v1/chain/send_transaction", "/v1/producer/schedule_protocol_feature_activations"]}}
        features = [{{"specification": [{{"name": "builtin_feature_codename", "value": "PREACTIVATE_FEATURE"}}]}}]
        answer = features if "features" in self.path else apis if "apis" in self.path else info
        self.wfile.write(json.dumps(answer).encode())

{before}
host, port = config["http-server-address"].split(":")
http.server.HTTPServer((host, int(port)), Answers).serve_forever()
"""


def played(path: Path, before: str = "") -> Path:
    """A program that answers as nodeos does."""
    path.write_text(PLAYED.format(python=sys.executable, before=before))
    path.chmod(0o755)
    return path


def tried(program: Path, **differs: Any) -> Mapping[str, Any]:
    """What the trial of it comes to."""
    data = program.parent / "data"
    return try_out(
        {"command": [str(program)], "data": str(data), "user": "", "drop": False, "trials": [{**TRIAL, **differs}]}
    )


def test_it_runs_with_its_roles_own_settings_and_leaves_nothing(tmp_path: Path) -> None:
    """The options that it knows, the operator's over bootcoord's; a producer must make blocks to pass."""
    program = played(tmp_path / "nodeos")
    config = json.loads(tried(program, options={"max-clients": "7"})["version"])
    assert (config["max-clients"], config["producer-name"], "unknown-here" in config) == ("7", "eosio", False)
    full = json.loads(tried(program, produces=False, irreversible=True)["version"])
    assert ("producer-name" in full, full["read-mode"]) == (False, "irreversible")
    assert sorted(tmp_path.iterdir()) == [program]


def test_what_it_refuses_is_told_with_its_own_words(tmp_path: Path) -> None:
    """The nodes that it was tried for, and the line of its log that explains it."""
    refusal = "sys.exit('net-threads 0 must be greater than 0')"
    found = tried(played(tmp_path / "nodeos", refusal))
    assert told(found) == (
        f"as defproducera would run: {tmp_path}/nodeos does not run: net-threads 0 must be greater than 0"
    )
    assert tried(tmp_path / "nodeos", options={"net-threads": "0"})["error"] == (
        f"{tmp_path}/nodeos has no option net-threads"
    )


def test_the_option_to_blame_is_found(tmp_path: Path) -> None:
    """If its log names none, or is empty: the option without which it runs, with its value."""
    refusal = "config.get('max-clients') == '0' and sys.exit('Must be between 1 and 1000')"
    known = played(tmp_path / "nodeos", refusal)
    known.write_text(known.read_text().replace("  --max-clients arg", "  --max-clients arg\\n  --http-threads arg"))
    found = tried(known, options={"http-threads": "2", "max-clients": "0"})
    assert told(found) == (
        f"as defproducera would run: {known} does not run with max-clients = 0: Must be between 1 and 1000"
    )


def test_a_machine_that_is_too_busy_is_not_taken_for_a_wrong_option(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A nodeos that runs but does not answer in time is reported as that: no option is blamed or left out."""
    monkeypatch.setattr(nodeos, "START_SECONDS", 1.0)
    runs = tmp_path / "runs"
    slow = f"open({str(runs)!r}, 'a').write('x'); import time; time.sleep(600)"
    found = tried(played(tmp_path / "nodeos", slow), options={"max-clients": "25"})
    assert found["error"] == f"{tmp_path}/nodeos runs, but makes no blocks within 1 s"
    assert (found["slow"], found["noexec"], runs.read_text()) == (True, False, "x")


def test_what_is_no_nodeos_is_told_from_a_missing_one(tmp_path: Path) -> None:
    """Missing, a folder, not executable, another program, and what its loader says."""
    program = tmp_path / "nodeos"
    assert tried(program)["error"] == f"there is no {program}"
    program.write_text('#!/bin/sh\necho "$0: libfoo.so.1: cannot open shared object file" >&2\nexit 127\n')
    assert tried(program)["error"] == f"{program} is not executable"
    program.chmod(0o755)
    assert tried(program)["error"] == (
        f"{program} does not run, or is not nodeos: {program}: libfoo.so.1: cannot open shared object file"
    )
    program.write_text("#!/nowhere/sh\n")
    assert tried(program)["error"] == f"{program} cannot be used (No such file or directory)"
    (tmp_path / "folder").mkdir()
    assert tried(tmp_path / "folder")["error"] == f"{tmp_path}/folder is a folder"


def test_nothing_stays_of_what_is_no_nodeos(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Processes that a script in nodeos' place started end with the trial."""
    monkeypatch.setattr(nodeos, "HELP_SECONDS", 1.0)
    program, child = tmp_path / "nodeos", tmp_path / "child"
    program.write_text(f"#!/bin/sh\nsleep 600 &\necho $! > {child}\nwait\n")
    program.chmod(0o755)
    assert "does not end" in tried(program)["error"]
    left = Path(f"/proc/{child.read_text().strip()}/stat")
    until(lambda: not left.exists() or left.read_text().rpartition(")")[2].split()[0] == "Z", "the child's end", 10)


def test_a_script_that_does_not_exec_is_noticed(tmp_path: Path) -> None:
    """SIGTERM ends the script but not its nodeos; with exec, the script is as good as nodeos itself."""
    program, script = played(tmp_path / "nodeos-1.0"), tmp_path / "nodeos"
    program.write_text(program.read_text().replace(sys.executable, f"{tmp_path}/nodeos-python", 1))
    (tmp_path / "nodeos-python").symlink_to(sys.executable)
    for line, wrapper in (('{} "$@"; exit', True), ('exec {} "$@"', False)):
        script.write_text(f"#!/bin/sh\n{line.format(program)}\n")
        script.chmod(0o755)
        assert tried(script)["wrapper"] is wrapper, line


def test_what_left_the_scripts_session_ends_with_the_trial(tmp_path: Path) -> None:
    """A nodeos started with setsid, which no signal to the script's process group reaches."""
    program, script, child = played(tmp_path / "nodeos-1.0"), tmp_path / "nodeos", tmp_path / "child"
    script.write_text(f'#!/bin/sh\nsetsid {program} "$@" &\necho $! >> {child}\nwait\n')
    script.chmod(0o755)
    assert "error" not in tried(script)
    left = [Path(f"/proc/{pid}/stat") for pid in child.read_text().split()]

    def gone() -> bool:
        return all(not one.exists() or one.read_text().rpartition(")")[2].split()[0] == "Z" for one in left)

    until(gone, "the children's end", 10)


@pytest.mark.skipif(os.getuid() != 0, reason="only root can become somebody else")
def test_it_is_tried_as_the_agents_user(tmp_path: Path) -> None:
    """A user that may not execute it could not run it later."""
    program = played(tmp_path / "nodeos")
    tmp_path.chmod(0o700)
    request = {"command": [str(program)], "data": str(tmp_path / "data"), "drop": True, "trials": [TRIAL]}
    assert try_out({**request, "user": "bootcoord"})["error"] == (
        f"{program} cannot be executed (Permission denied, as user bootcoord)"
    )


def test_a_nodeos_without_what_the_role_needs_is_named(tmp_path: Path) -> None:
    """Before it is started, so that its API is never served whole."""
    services = [["http-server-address", "http-category-address"], ["http-category-address", "chain_ro,{http}"]]
    program = played(tmp_path / "nodeos")
    request = {"command": [str(program)], "data": str(tmp_path / "data"), "user": "", "drop": False}
    said = try_out({**request, "trials": [{**TRIAL, "services": services}]})["error"]
    assert said == f"{program} has no option http-category-address, which these nodes' role needs"


def test_nodes_that_run_alike_are_tried_once(tmp_path: Path) -> None:
    """One trial per role and set of options, with an extra one for the genesis node's audit mode."""
    (tmp_path / "n.toml").write_text(
        '[network]\nname = "n"\n[producers]\ncount = 3\n[[hosts]]\nname = "h1"\naddress = "10.0.0.1"\n'
        '[[nodes]]\nname = "defproducerb"\naccount = "defproducerb"\noptions.max-clients = 30\n'
        '[[nodes]]\nname = "full"\nrole = "full"\n'
        '[[nodes]]\nname = "past"\nrole = "history"\napi = "0.0.0.0:80"\n'
    )
    network = load(tmp_path / "n.toml")
    made = trials(network, network.hosts[0])
    assert [(trial["nodes"], trial["produces"], trial["irreversible"], trial["options"]) for trial in made] == [
        ("genesis, defproducera, defproducerc", True, False, {}),
        ("genesis", False, True, {}),
        ("defproducerb", True, False, {"max-clients": "30"}),
        ("full", False, False, {}),
        ("past", False, False, {}),
    ]
    assert "state_history" in made[4]["plugins"]
    assert ("http-category-address", "chain_ro,0.0.0.0:{api}") in made[4]["services"]
    assert ("state-history-endpoint", "127.0.0.1:{history}") in made[4]["services"]
    assert made[0]["tuning"]["max-transaction-time"] == "400"
    assert "max-transaction-time" not in made[3]["tuning"]


def test_what_is_too_old_says_what_it_lacks(tmp_path: Path) -> None:
    """As the agent would after the installation."""
    program = played(tmp_path / "nodeos")
    program.write_text(
        program.read_text().replace('"/v1/chain/send_transaction", ', "").replace("PREACTIVATE", "OTHER")
    )
    assert "is too old: it lacks the feature PREACTIVATE_FEATURE, send_transaction;" in tried(program)["error"]
