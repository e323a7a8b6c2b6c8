"""What an allocation costs Python alone, without a chain.

An agent derives, signs and records each transaction; a coordinator records what is reported of them. Each part runs in
a separate process, whose memory is measured.

`python -m bench.rows [--rows N]`
"""

from __future__ import annotations

import argparse
import hashlib
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path

from agent.pushes.load import SIGNED_AT_ONCE
from agent.pushes.records import PushRecords, Record
from antelope.genesis import Genesis
from antelope.keys import PrivateKey
from antelope.names import name_to_int
from antelope.transaction import Transaction, sign_packed
from bench.allocation import account
from bench.harness import BenchError, Figure, Say, say, show
from bench.watching import peak_mib
from boot.blueprint import Blueprint
from boot.step import KeyedWork, Push
from boot.steps import accounts
from coordinator.state.folder import StateFolder
from inventory.rows import LAYOUT, ROW_BYTES
from inventory.sealed import FORMAT, Sealed, SealedContract
from support.journal import Journal

ROWS = 1_000_000
MEMORY_MIB = 300.0
KEY = PrivateKey(bytes(31) + b"\x01")


def write_artifact(path: Path, rows: int) -> None:
    """The allocation of this many accounts, all with the same key."""
    key = KEY.public.pack()
    with path.open("wb") as file:
        for number in range(rows):
            file.write(LAYOUT.pack(name_to_int(account(number)), key, 1000, 4500, 4500, 90_000))


def blueprint(artifact: bytes) -> Blueprint:
    """A sealed network with this allocation."""
    digest = hashlib.sha256(artifact).hexdigest()
    genesis = Genesis(datetime(2026, 1, 1, tzinfo=UTC), KEY.public)
    contract = SealedContract("eosio", "00" * 32, "00" * 32)
    sealed = Sealed(
        format=FORMAT,
        network="bench",
        chain_id=genesis.chain_id(),
        genesis=json.loads(genesis.to_json()),
        symbol="4,SYS",
        max_supply=1 << 60,
        issue=1 << 60,
        boot_contract=contract,
        contracts=(contract,),
        system_accounts=(),
        features=(),
        allocation=digest,
        accounts=len(artifact) // ROW_BYTES,
        producers=(),
        proxies=(),
        votes=(),
    )
    return Blueprint(sealed, {digest: artifact}.__getitem__)


def sign_all(made: Blueprint, folder: Path) -> int:
    """The agent's part: derives, packs, signs and records. Returns the number of transactions."""
    records = PushRecords(Journal(folder / "journal.sqlite"), made.sealed.chain_id)
    header = Transaction(1_800_000_000, 1, 2, actions=())
    work = KeyedWork(accounts.work(made))
    for keys in _parts(work, SIGNED_AT_ONCE):
        fresh = []
        for item in map(work.__getitem__, keys):
            if isinstance(item, Push):
                signed = sign_packed(header.packed_with(item.packed), made.sealed.chain_id, [KEY])
                fresh.append((Record("accounts", item.key, signed.id, header.expiration, 1), signed))
        records.add(fresh)
    return len(work)


def record_all(made: Blueprint, folder: Path) -> int:
    """The coordinator's part: holds all work by key, and records what is reported, in batches as it arrives."""
    state = StateFolder(folder, "bench")
    work = KeyedWork(accounts.work(made))
    for keys in _parts(work, 100):
        state.record_pushes("accounts", [(key, "ab" * 32, 7) for key in keys if work.holder(key) == "eosio"])
    state.close()
    return len(work)


def _parts(work: KeyedWork, size: int) -> Iterator[list[str]]:
    keys = list(work)
    return (keys[start : start + size] for start in range(0, len(keys), size))


PARTS: Mapping[str, Callable[[Blueprint, Path], int]] = {"agent": sign_all, "coordinator": record_all}


def run(tell: Say, rows: int = ROWS) -> Iterator[Figure]:
    """The figures. Raises BenchError."""
    with tempfile.TemporaryDirectory() as folder:
        artifact = Path(folder) / "allocation"
        write_artifact(artifact, rows)
        for part in PARTS:
            tell(f"{rows} rows: the part of the {part}")
            command = [sys.executable, "-m", "bench.rows", "--part", part, "--artifact", str(artifact)]
            done = subprocess.run(command, capture_output=True, text=True, check=False)
            if done.returncode:
                raise BenchError(f"the part of the {part} failed:\n{done.stderr[-2000:]}")
            found = json.loads(done.stdout)
            name = f"rows, {rows}, {part}"
            yield Figure(name, "CPU", found["seconds"] / rows * 1e6, "µs a row")
            yield Figure(name, "memory, the allocation included", found["mib"], "MiB", at_most=MEMORY_MIB)


def _part(name: str, artifact: Path) -> None:
    made = blueprint(artifact.read_bytes())
    began = time.process_time()
    PARTS[name](made, artifact.parent / name)
    print(json.dumps({"seconds": time.process_time() - began, "mib": peak_mib()}))


def main() -> int:
    """Prints the figures."""
    parser = argparse.ArgumentParser(prog="python -m bench.rows")
    parser.add_argument("--rows", type=int, default=ROWS)
    parser.add_argument("--part", choices=tuple(PARTS), help="only this, in this process, of the file --artifact")
    parser.add_argument("--artifact", type=Path)
    options = parser.parse_args()
    if options.part:
        _part(options.part, options.artifact)
        return 0
    return show(run(say, options.rows))


if __name__ == "__main__":
    sys.exit(main())
