"""The report of a launch: what it carries, that it is whole, and that nothing in it can act."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from boot.blueprint import Blueprint
from coordinator.errors import UsageProblem
from coordinator.report.distribution import distribution
from coordinator.report.launch import plots
from coordinator.report.launch.document import (
    FORMAT,
    LaunchReport,
    ReportedAttestation,
    ReportedNode,
    ReportedProducer,
    ReportedStep,
    ReportedTransaction,
    packed,
)
from coordinator.report.launch.page import page
from coordinator.report.peer_graph import Member, draw
from tests.unit.agent.party.conftest import sealed_network

EVIL = "</script><script>alert(1)</script><img src=x onerror=alert(1)>"
AUDIT: dict[str, Any] = {
    "born": True, "unchanged": False, "block": {"num": 1234, "id": "ab"},
    "checks": [
        {"name": "born: order", "ok": True, "detail": "each part was complete", "question": "born"},
        {"name": "planned accounts", "ok": False, "detail": EVIL, "question": "today"},
    ],
    "accounts": {"planned": 5, "matched": 4, "missing": [], "wrong": []},
}  # fmt: skip


@pytest.fixture
def report(tmp_path: Path) -> LaunchReport:
    """Of a small network, with a party that calls itself names."""
    bundle = sealed_network(tmp_path)
    blueprint = Blueprint(bundle.sealed, bundle.artifacts.__getitem__)
    pushed = (ReportedTransaction("0000", "ab" * 32, 14), ReportedTransaction("0001", "cd" * 32, 16))
    return LaunchReport(
        format=FORMAT, made="2026-11-28T10:00:00Z", software="0.1.0", network=bundle.sealed.network,
        chain_id=bundle.sealed.chain_id, manifest=bundle.sealed.manifest, phase="live", schedule=("alice",),
        first_block="2026-11-28T09:00:00.000Z",
        steps=(
            ReportedStep("genesis", "start it", "done", "", 1.0, (), None, None),
            ReportedStep("accounts", "create <them>", "done", "5 accounts", 2.0, pushed,
                         "2026-11-28T09:00:07.000Z", "2026-11-28T09:01:08.000Z"),
        ),
        nodes=(ReportedNode(EVIL, EVIL, "party", "bob", "h:1", EVIL),),
        producers=(ReportedProducer("alice", "EOS1", "EOS2", True, "one"),),
        attestations=(ReportedAttestation(EVIL, "bob", "EOS3", "{}", "SIG_K1_x", False, "it found differences"),),
        late_accounts=("bob",), upgrades=(("eosio.token", "ab", "cd"),),
        distribution=distribution(blueprint.rows), peers=draw([Member("a", "one", "genesis", ("b",)),
                                                               Member("b", "two", "party", ())]),
        audit=AUDIT, sealed=json.loads(bundle.sealed.canonical()), artifacts=packed(bundle.sealed, blueprint),
    )  # fmt: skip


def absent(sha256: str) -> bytes:
    """No folder has more."""
    raise KeyError(sha256)


@pytest.mark.parametrize("form", ["html", "json"])
def test_a_report_is_read_as_it_was_written(report: LaunchReport, form: str) -> None:
    """From the page as from the JSON; what it carries is the sealed network, whole."""
    text = page(report) if form == "html" else report.to_json()
    again = LaunchReport.read(text.encode(), "r")
    assert again == report
    blueprint = again.blueprint(absent, "r")
    assert hashlib.sha256(again.canonical).hexdigest() == report.manifest == blueprint.sealed.manifest
    assert [blueprint.verified(sha256) for sha256 in blueprint.sealed.artifacts]


class Elements(HTMLParser):
    """What a browser would find."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.text: list[str] = []
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text.append(data)


def test_a_page_fetches_nothing_and_runs_nothing(report: LaunchReport) -> None:
    """Whatever names and details say: one script element, of data; no image, no handler, a policy that forbids all."""
    elements = Elements()
    elements.feed(page(report))
    scripts = [attributes for tag, attributes in elements.found if tag == "script"]
    assert scripts == [{"type": "application/json", "id": "report"}]
    assert not {tag for tag, _ in elements.found} & {"img", "iframe", "link", "object", "base", "form"}
    assert not [name for _, attributes in elements.found for name in attributes if name.startswith("on")]
    assert not [
        one for _, attributes in elements.found for one in (attributes.get("src"), attributes.get("href")) if one
    ]
    policies = [
        attributes["content"] for tag, attributes in elements.found if tag == "meta" and "content" in attributes
    ]
    assert "default-src 'none'; style-src 'unsafe-inline'" in policies
    assert EVIL in "".join(elements.text)


def test_a_page_tells_what_was_found(report: LaunchReport) -> None:
    """The two answers, the transactions, who holds keys; and an audit that failed is not hidden."""
    text = page(report)
    for words in ("Born as planned", "Different by then: planned accounts", "ab" * 32, "create &lt;them&gt;",
                  "0 of 1 parties attest", "does not: it found differences", "14 to 16"):  # fmt: skip
        assert words in text, words
    failed = dataclasses.replace(report, audit={**AUDIT, "born": False})
    assert "NOT born as planned" in page(failed)
    assert 'class="verdict no"' in page(failed)


def test_a_timeline_has_a_bar_for_each_step_with_blocks(report: LaunchReport) -> None:
    """From its first to its last, in proportion; none without times."""
    drawn = plots.timeline(report.steps)
    assert drawn.count('class="bar"') == 1
    assert "accounts" in drawn
    assert "genesis" not in drawn
    assert f'width="{plots.WIDE - plots.LEFT - 70:.1f}"' in drawn
    assert "1:00" in drawn
    assert plots.timeline(report.steps[:1]) == ""


def test_the_labels_of_a_curve_are_inside_its_drawing(report: LaunchReport) -> None:
    """At 8 pixels a letter, more than any font needs: a report is also read where its font is another one."""
    drawn = plots.lorenz(report.distribution)
    width = float(re.search(r'viewBox="0 0 (\d+)', drawn)[1])  # type: ignore[index]
    labels = re.findall(r'x="([\d.]+)" y="[\d.]+" text-anchor="(\w+)">([^<]+)<', drawn)
    assert len(labels) == 7
    for x, anchor, text in labels:
        left = float(x) - 8 * len(text) * {"end": 1, "middle": 0.5}[anchor]
        assert left >= 0
        assert left + 8 * len(text) <= width


def test_a_damaged_report_says_so(report: LaunchReport) -> None:
    """Another seal than the manifest's, an artifact that is torn, missing or another; no report at all."""

    def refused(**changed: Any) -> str:
        with pytest.raises(UsageProblem) as caught:
            dataclasses.replace(report, **changed).blueprint(absent, "r.html")
        return str(caught.value)

    sha256, *others = report.artifacts
    assert refused(manifest="00" * 32).startswith(
        "r.html is damaged: its sealed network is not the one of its manifest"
    )
    assert "is damaged" in refused(sealed={**report.sealed, "issue": 1})
    assert "is damaged" in refused(sealed={})
    assert "is damaged" in refused(artifacts={**report.artifacts, sha256: report.artifacts[sha256][:-8]})
    swapped = {**report.artifacts, sha256: report.artifacts[others[0]]}
    assert refused(artifacts=swapped) == f"r.html: artifact {sha256} is damaged"
    without = {name: text for name, text in report.artifacts.items() if name != sha256}
    assert refused(artifacts=without) == (
        f"r.html does not carry artifact {sha256}: name the folder that has it with --artifacts"
    )
    whole = dataclasses.replace(report, artifacts=without)
    data = report.blueprint(absent, "r").verified(sha256)
    assert whole.blueprint(lambda name: data if name == sha256 else absent(name), "r").verified(sha256) == data


@pytest.mark.parametrize("data", [b"", b"<html></html>", b"[]", b"{", b"\xff", b'{"format": 1}', b"[" * 100_000])
def test_what_is_no_report_is_one_line(data: bytes) -> None:
    """Never a traceback."""
    with pytest.raises(UsageProblem, match="r is not a report of a launch, as coord report writes it"):
        LaunchReport.read(data, "r")


def test_a_report_of_another_format_says_so(report: LaunchReport) -> None:
    """Which this version reads."""
    other = dataclasses.replace(report, format=2).to_json().encode()
    with pytest.raises(UsageProblem, match="a report of format 2; this version reads 1"):
        LaunchReport.read(other, "r")
