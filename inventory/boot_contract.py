"""Finds the contract of a directory that can be on eosio before the system contract, by its actions and imports.

It must offer `activate`, for the protocol features, and must not import what those features open.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path

from antelope.abi import Abi
from antelope.errors import FormatError
from antelope.features import PREACTIVATE_FEATURE
from antelope.intrinsics import closed
from antelope.wasm import imports

ACTIVATE = "activate"
"""The action that activates a protocol feature."""
_NEEDED = "preactivate_feature"


@dataclass(frozen=True)
class Found:
    """A folder's boot contract, or the reasons why no contract with `activate` can be used."""

    folder: Path | None
    reasons: tuple[str, ...]


def find(directory: Path, others: Collection[str]) -> Found:
    """The smallest contract that can be used. others: folders whose contracts are deployed elsewhere."""
    usable: list[tuple[int, Path]] = []
    reasons = []
    for folder in contract_folders(directory):
        if folder.name in others:
            continue
        try:
            wasm, abi = ((folder / f"{folder.name}.{kind}").read_bytes() for kind in ("wasm", "abi"))
            if ACTIVATE not in Abi.parse(abi).actions:
                continue
            reason = unusable(wasm)
        except (OSError, FormatError) as error:
            reason = f"cannot be read: {error}"
        if reason:
            reasons.append(f"{folder} {reason}")
        else:
            usable.append((len(wasm), folder))
    return Found(min(usable)[1], ()) if usable else Found(None, tuple(reasons))


def contract_folders(directory: Path) -> Iterator[Path]:
    """The folders NAME with NAME/NAME.wasm and NAME/NAME.abi, by name. Raises OSError."""
    for folder in sorted(directory.iterdir()):
        if all((folder / f"{folder.name}.{kind}").is_file() for kind in ("wasm", "abi")):
            yield folder


def unusable(wasm: bytes) -> str:
    """Why code cannot be on eosio before the features are active; empty if it can. Raises BadWasm."""
    imported = imports(wasm)
    if shut := closed(imported, (PREACTIVATE_FEATURE,)):
        name, feature = next(iter(shut.items()))
        opened = f"which {feature} opens" if feature else "which no feature known here opens"
        return f"imports {name}, {opened}: it cannot be on eosio before the features are active"
    if _NEEDED not in imported:
        return f"does not import {_NEEDED}: its {ACTIVATE} activates nothing"
    return ""
