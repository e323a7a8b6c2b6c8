"""The report as a document: JSON that holds all that the audit needs to be run again.

Nothing in it is private: of the operator's machines only the nodes' p2p endpoints, of keys only public ones, no paths.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import cattrs

from antelope.errors import BadJson
from antelope.strict_json import read_object
from boot.blueprint import Blueprint
from coordinator.errors import UsageProblem
from coordinator.report.distribution import Distribution
from coordinator.report.peer_graph import Drawing
from inventory.sealed import Sealed

FORMAT = 1
LARGEST = 256 << 20
"""Maximum bytes of a report that is read."""
MOST_EMBEDDED = 32 << 20
"""Bytes of artifacts that a report carries; a larger allocation stays outside."""
_EMBEDDED = re.compile(rb'id="report">(.*?)</script>', re.DOTALL)


@dataclass(frozen=True)
class ReportedTransaction:
    """One transaction of the boot."""

    key: str
    """Which part of its step's work it did."""
    id: str
    block: int


@dataclass(frozen=True)
class ReportedStep:
    """One step of the boot."""

    name: str
    title: str
    result: str
    detail: str
    seconds: float
    transactions: tuple[ReportedTransaction, ...]
    began: str | None
    """When the first of its transactions was in a block (UTC, ISO 8601); None without transactions, or if no node has
    that block.
    """
    ended: str | None


@dataclass(frozen=True)
class ReportedNode:
    """A node of the operator's or of a party."""

    name: str
    host: str
    role: str
    account: str
    p2p: str
    version: str
    """The version that nodeos reports; empty if it was not asked."""


@dataclass(frozen=True)
class ReportedProducer:
    """A producer that was registered by the boot."""

    account: str
    account_key: str
    signing_key: str
    elected: bool
    """Whether the votes of the boot elected it."""
    by: str
    """The host or party that has its keys."""


@dataclass(frozen=True)
class ReportedAttestation:
    """A party's own audit, signed with its account's key over sha256(document)."""

    party: str
    account: str
    key: str
    document: str
    signature: str
    counts: bool
    """Whether signature and network are right and it found the chain as sealed."""
    why: str
    """Why it does not count."""


@dataclass(frozen=True)
class LaunchReport:
    """All of it."""

    format: int
    made: str
    """UTC, ISO 8601."""
    software: str
    """bootcoord's version."""
    network: str
    chain_id: str
    manifest: str
    phase: str
    schedule: tuple[str, ...]
    first_block: str | None
    """Time of the first block that could still be read, which is block 1 unless nodes began from a snapshot."""
    steps: tuple[ReportedStep, ...]
    nodes: tuple[ReportedNode, ...]
    producers: tuple[ReportedProducer, ...]
    attestations: tuple[ReportedAttestation, ...]
    late_accounts: tuple[str, ...]
    """Of parties and producers that joined after the seal: the audit expects them."""
    upgrades: tuple[tuple[str, str, str], ...]
    """Contracts that the producers replaced: account, sha256 of the code and of the packed ABI."""
    distribution: Distribution
    peers: Drawing
    audit: Mapping[str, Any]
    """What `coord verify --json` prints."""
    sealed: Mapping[str, Any]
    """The sealed document; sha256 of its canonical form is the manifest."""
    artifacts: Mapping[str, str]
    """The files that it names, by sha256: zlib, then base64. Without those that are too large."""

    def to_json(self) -> str:
        """The text of the file."""
        return json.dumps(_CONVERTER.unstructure(self), indent=1, ensure_ascii=False)

    @staticmethod
    def read(data: bytes, name: str) -> LaunchReport:
        """From a report's file, HTML or JSON. Raises UsageProblem."""
        found = _EMBEDDED.search(data)
        try:
            value = read_object(found[1] if found else data, size=LARGEST)
            report = _CONVERTER.structure(value, LaunchReport)
        except (BadJson, cattrs.BaseValidationError) as error:
            raise UsageProblem(f"{name} is not a report of a launch, as coord report writes it") from error
        if report.format != FORMAT:
            raise UsageProblem(f"{name} is a report of format {report.format}; this version reads {FORMAT}")
        return report

    def blueprint(self, outside: Callable[[str], bytes], name: str) -> Blueprint:
        """What the audit compares the chain with. outside: an artifact by sha256 that the report does not carry; raises
        KeyError. name: of the report's file.

        Raises UsageProblem when a part is missing or is not what its hash says.
        """
        try:
            sealed = Sealed.parse(self.canonical)
            held = {sha256: _unpacked(text) for sha256, text in self.artifacts.items()}
        except (ValueError, zlib.error) as error:
            raise UsageProblem(f"{name} is damaged: {error}") from error
        if (sealed.manifest, sealed.chain_id) != (self.manifest, self.chain_id):
            raise UsageProblem(f"{name} is damaged: its sealed network is not the one of its manifest")
        for sha256 in sealed.artifacts:
            try:
                data = held.setdefault(sha256, held.get(sha256) or outside(sha256))
            except KeyError:
                raise UsageProblem(
                    f"{name} does not carry artifact {sha256}: name the folder that has it with --artifacts"
                ) from None
            if hashlib.sha256(data).hexdigest() != sha256:
                raise UsageProblem(f"{name}: artifact {sha256} is damaged")
        return Blueprint(sealed, held.__getitem__)

    @property
    def canonical(self) -> bytes:
        """The sealed document as it was sealed; its sha256 is the manifest."""
        return json.dumps(self.sealed, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def packed(sealed: Sealed, blueprint: Blueprint) -> dict[str, str]:
    """The artifacts as a report carries them."""
    found: dict[str, str] = {}
    room = MOST_EMBEDDED
    for sha256 in sealed.artifacts:
        data = blueprint.verified(sha256)
        if len(data) <= room:
            room -= len(data)
            found[sha256] = base64.b64encode(zlib.compress(data, 9)).decode()
    return found


def embedded(document: str) -> str:
    """The element with which a page carries the document; nothing in the document can close it."""
    text = document.replace("<", "\\u003c")  # as JSON writes it too
    return f'<script type="application/json" id="report">{text}</script>'


def _unpacked(text: str) -> bytes:
    decompressor = zlib.decompressobj()
    data = decompressor.decompress(base64.b64decode(text, validate=True), LARGEST)
    if not decompressor.eof:
        raise ValueError("an artifact is cut off")
    return data


_CONVERTER = cattrs.Converter(forbid_extra_keys=True)
