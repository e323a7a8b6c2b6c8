"""The sequence of the original tutorial's script, driven through cleos, one call after the other, with its waits.

Written from the tutorial's description, for comparison: the same nodeos, contracts, features and balances as the boot
that it is compared with. It ends with the vote that lets the first election happen.
"""

from __future__ import annotations

import json
import os
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from antelope.asset import Asset, Symbol
from antelope.elections import MIN_ACTIVATED_STAKE
from antelope.keys import PrivateKey
from bench.harness import BenchError
from bench.network import free_port
from inventory.rows import AllocationRow
from inventory.sealed import Sealed, SealedVote
from support import bundled

TRIES = 100
"""How often a failing command is tried; the script itself never gives up."""
SYNC_SECONDS = 80.0
"""Seconds that it waits for the producers' nodes."""
START_SECONDS, WALLET_SECONDS, FEATURE_SECONDS, SHORT_SECONDS, RETRY_SECONDS = 10.0, 0.4, 3.0, 1.0, 1.0
PLUGINS = ("chain", "chain_api", "http", "producer", "producer_api", "net")
"""chain_plugin first: the bundled nodeos needs that."""


@dataclass
class Script:
    """One run. `close` ends its processes."""

    folder: Path
    sealed: Sealed
    rows: Sequence[AllocationRow]
    """Users and producers: those of the boot that it is compared with. Keys of accounts that sign are replaced."""
    staking_seconds: float = 0.0
    waits: float = 0.0
    """Seconds of fixed waits so far."""
    _processes: list[subprocess.Popen[bytes]] = field(default_factory=list)
    _keys: dict[str, PrivateKey] = field(default_factory=dict)
    _http: list[int] = field(default_factory=list)
    _p2p: list[int] = field(default_factory=list)

    def run(self) -> None:
        """Runs from nothing to the vote that crosses the threshold. Raises BenchError."""
        self._wallet_port = free_port()
        signing = ("eosio", *(one.account for one in self.sealed.producers), *(vote.voter for vote in self._voters))
        self._keys = {name: PrivateKey.generate() for name in dict.fromkeys(signing)}
        self._wallet()
        self._start(0, "eosio")
        self._wait(START_SECONDS)
        self._contracts()
        begun = time.monotonic()
        for row in self.rows:
            self._stake(row)
        self.staking_seconds = time.monotonic() - begun
        self._producers()
        self._vote()

    def close(self) -> None:
        """Ends all nodes and the wallet."""
        for process in self._processes:
            process.terminate()
        for process in self._processes:
            process.wait(60)

    @property
    def _voters(self) -> list[SealedVote]:
        """The voters in order of stake: the richest of those who vote directly comes first."""
        stakes = {row.account: row.net + row.cpu for row in self.rows}
        direct = [vote for vote in self.sealed.votes if not vote.proxy]
        return sorted(direct, key=lambda vote: -stakes[vote.voter])

    def _wallet(self) -> None:
        place = self.folder / "wallet"
        place.mkdir(parents=True)
        options = ("--data-dir", str(place), "--config-dir", str(place), "--unlock-timeout", "999999999")
        self._background("keosd", *options, "--http-server-address", f"127.0.0.1:{self._wallet_port}", log="keosd")
        self._wait(WALLET_SECONDS)
        self._cleos("wallet", "create", "--file", str(place / "password"))
        for key in self._keys.values():
            self._cleos("wallet", "import", "--private-key", key.wif)

    def _contracts(self) -> None:
        contracts = bundled.fetch().contracts
        supply, issue = (Asset(amount, self._symbol) for amount in (self.sealed.max_supply, self.sealed.issue))
        for name in self.sealed.system_accounts:
            self._cleos("create", "account", "eosio", name, str(self._keys["eosio"].public))
        for name in ("eosio.token", "eosio.msig"):
            self._cleos("set", "contract", name, str(contracts / name))
        self._push("eosio.token", "create", ["eosio", str(supply)], "eosio.token")
        self._push("eosio.token", "issue", ["eosio", str(issue), "memo"], "eosio")
        self._wait(SHORT_SECONDS)
        preactivate, *features = self.sealed.features
        self._schedule(preactivate.digest)
        self._wait(FEATURE_SECONDS)
        self._cleos("set", "contract", "eosio", str(contracts / "eosio.bios"))
        self._wait(FEATURE_SECONDS)
        for feature in features:
            self._push("eosio", "activate", [feature.digest], "eosio")
        self._wait(SHORT_SECONDS)
        self._cleos("set", "contract", "eosio", str(contracts / "eosio.system"))
        self._wait(SHORT_SECONDS)
        self._push("eosio", "setpriv", ["eosio.msig", 1], "eosio")
        self._push("eosio", "init", ["0", self.sealed.symbol], "eosio")
        self._wait(SHORT_SECONDS)

    def _stake(self, row: AllocationRow) -> None:
        net, cpu, ram, liquid = (str(Asset(amount, self._symbol)) for amount in (row.net, row.cpu, row.ram, row.liquid))
        key = self._keys[row.account].public if row.account in self._keys else row.key
        stakes = ("--stake-net", net, "--stake-cpu", cpu, "--buy-ram", ram)
        self._cleos("system", "newaccount", "--transfer", "eosio", row.account, str(key), *stakes)
        if row.liquid:
            self._cleos("transfer", "eosio", row.account, liquid)

    def _producers(self) -> None:
        for one in self.sealed.producers:
            self._cleos("system", "regproducer", one.account, str(self._keys[one.account].public), one.url)
        self._wait(SHORT_SECONDS)
        self._cleos("system", "listproducers")
        for number, one in enumerate(self.sealed.producers, 1):
            self._start(number, one.account)
        self._wait(SYNC_SECONDS)

    def _vote(self) -> None:
        stakes = {row.account: row.net + row.cpu for row in self.rows}
        voted = 0
        for vote in self._voters:
            self._cleos("system", "voteproducer", "prods", vote.voter, *vote.producers)
            voted += stakes[vote.voter]
            if voted >= MIN_ACTIVATED_STAKE:
                return
        raise BenchError("the script's votes do not reach the threshold")

    def _start(self, number: int, account: str) -> None:
        """Starts a node, which dials all nodes that were started before."""
        place = self.folder / f"{number:02}-{account}"
        place.mkdir(parents=True)
        genesis = self.folder / "genesis.json"
        if not genesis.exists():
            own = {"initial_key": str(self._keys["eosio"].public)}
            genesis.write_text(json.dumps(dict(self.sealed.genesis) | own))
        http, p2p = free_port(), free_port()
        key = self._keys[account]
        options = ["--genesis-json", str(genesis), "--config-dir", str(place), "--data-dir", str(place / "data")]
        options += ["--http-server-address", f"127.0.0.1:{http}", "--p2p-listen-endpoint", f"127.0.0.1:{p2p}"]
        options += ["--chain-state-db-size-mb", "1024", "--max-clients", "60", "--p2p-max-nodes-per-host", "60"]
        options += ["--enable-stale-production", "--producer-name", account, "--max-irreversible-block-age", "-1"]
        options += ["--signature-provider", f"{key.public}=KEY:{key.wif}", "--contracts-console"]
        options += ["--resource-monitor-not-shutdown-on-threshold-exceeded"]
        options += [word for plugin in PLUGINS for word in ("--plugin", f"eosio::{plugin}_plugin")]
        options += [word for port in self._p2p for word in ("--p2p-peer-address", f"127.0.0.1:{port}")]
        self._http.append(http)
        self._p2p.append(p2p)
        self._background("nodeos", *options, log=place.name)

    def _schedule(self, digest: str) -> None:
        url = f"http://127.0.0.1:{self._http[0]}/v1/producer/schedule_protocol_feature_activations"
        body = json.dumps({"protocol_features_to_activate": [digest]}).encode()
        try:
            urllib.request.urlopen(url, body, timeout=30).close()
        except urllib.error.URLError as error:
            raise BenchError(f"the script's node takes no feature: {error}") from error

    def _push(self, account: str, action: str, data: list[Any], actor: str) -> None:
        self._cleos("push", "action", account, action, json.dumps(data), "-p", f"{actor}@active")

    def _cleos(self, *words: str) -> None:
        """Runs a command until it succeeds, as the script does. Raises BenchError."""
        node = ("--url", f"http://127.0.0.1:{self._http[0]}") if self._http else ()
        wallet = ("--wallet-url", f"http://127.0.0.1:{self._wallet_port}")
        command = [*bundled.fetch().command("cleos"), "--no-auto-keosd", *node, *wallet, *words]
        for _ in range(TRIES):
            done = subprocess.run(command, capture_output=True, check=False)
            if not done.returncode:
                return
            self._wait(RETRY_SECONDS)
        raise BenchError(f"cleos {' '.join(words[:3])}: {done.stderr.decode(errors='replace')[-500:]}")

    def _background(self, program: str, *options: str, log: str) -> None:
        command = [*bundled.fetch().command(program), *options]
        with (self.folder / f"{log}.log").open("wb") as out:
            environment = os.environ | {"HOME": str(self.folder)}
            process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=out, stderr=out, env=environment)
        self._processes.append(process)

    def _wait(self, seconds: float) -> None:
        self.waits += seconds
        time.sleep(seconds)

    @property
    def _symbol(self) -> Symbol:
        return Symbol.parse(self.sealed.symbol)
