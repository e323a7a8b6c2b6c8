"""The report as one HTML file: nothing is fetched, no script runs, and it can be printed. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from html import escape
from importlib.resources import files
from typing import Any

from antelope.asset import Asset, Symbol
from coordinator.report.launch import plots
from coordinator.report.launch.document import LaunchReport, ReportedStep, embedded

POLICY = "default-src 'none'; style-src 'unsafe-inline'"
"""Content security policy: even a mistake in here could neither run nor fetch anything."""
QUESTIONS = {"born": "Was it born as planned?", "today": "What is different today?"}


def page(report: LaunchReport) -> str:
    """The whole file."""
    title = f"The launch of {report.network}"
    return "\n".join(
        (
            '<!doctype html><html lang="en"><head><meta charset="utf-8">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            f'<meta http-equiv="Content-Security-Policy" content="{escape(POLICY)}">',
            f"<title>{escape(title)}</title><style>{_style()}</style></head><body><main>",
            f"<header><h1>{escape(title)}</h1>",
            f'<p class="soft">Written {_time(report.made)} by bootcoord {escape(report.software)}</p></header>',
            *_verdict(report),
            *_facts(report),
            *_course(report),
            *_people(report),
            *_chain(report),
            *_allocation(report),
            *_audit(report),
            *_again(report),
            "</main>",
            embedded(report.to_json()),
            "</body></html>",
            "",
        )
    )


@cache
def _style() -> str:
    return (files(__package__) / "report.css").read_text()


def _verdict(report: LaunchReport) -> Iterator[str]:
    born, unchanged = report.audit["born"], report.audit["unchanged"]
    block = report.audit["block"]["num"]
    differing = [check["name"] for check in report.audit["checks"] if check["question"] == "today" and not check["ok"]]
    yield f'<div class="verdict{"" if born else " no"}">'
    yield f"<strong>{'Born as planned' if born else 'NOT born as planned'}.</strong> "
    yield f"The audit at block {block:,} compared the chain with what was sealed before its first block. "
    yield "Nothing was different then." if unchanged else f"Different by then: {escape(', '.join(differing))}."
    counted = sum(one.counts for one in report.attestations)
    if report.attestations:
        yield f" {counted} of {len(report.attestations)} parties attest the same from their own nodes."
    yield "</div>"


def _facts(report: LaunchReport) -> Iterator[str]:
    versions = dict.fromkeys(node.version for node in report.nodes if node.version)
    last = max((step.ended for step in report.steps if step.ended), default=None)
    yield from _list(
        (
            ("Chain id", _hash(report.chain_id)),
            ("Manifest", _hash(report.manifest)),
            ("First block", _time(report.first_block) if report.first_block else "not read"),
            ("Last block of the boot", _time(last) if last else "not read"),
            ("Phase", escape(report.phase)),
            ("Schedule", escape(", ".join(report.schedule) or "none")),
            ("nodeos", escape(", ".join(versions) or "not asked")),
        )
    )


def _course(report: LaunchReport) -> Iterator[str]:
    yield "<section><h2>The boot, step by step</h2>"
    if drawn := plots.timeline(report.steps):
        yield f'<figure class="broad">{drawn}</figure>'
        yield '<p class="soft">Bars run from the first to the last block of a step; the number counts transactions.</p>'
    rows = [
        (
            f'<span class="whole">{escape(step.name)}</span>', escape(step.title) + _detail(step),
            f"{step.seconds:,.1f}", f"{len(step.transactions):,}", _blocks(step),
        )
        for step in report.steps
    ]  # fmt: skip
    yield from _table(
        "Steps in their order", ("Step", "What it did", "Seconds", "Transactions", "Blocks"), rows, (2, 3)
    )
    yield "<details><summary>All transactions</summary>"
    for step in report.steps:
        if step.transactions:
            pushed = ((escape(one.key), _hash(one.id or "-"), f"{one.block:,}") for one in step.transactions)
            yield from _table(escape(step.name), ("Part", "Transaction", "Block"), pushed, (2,))
    yield "</details></section>"


def _detail(step: ReportedStep) -> str:
    return f'<br><span class="soft">{escape(step.detail)}</span>' if step.detail else ""


def _blocks(step: ReportedStep) -> str:
    blocks = sorted({one.block for one in step.transactions})
    if not blocks:
        return ""
    return f"{blocks[0]:,}" if blocks[0] == blocks[-1] else f"{blocks[0]:,} to {blocks[-1]:,}"


def _people(report: LaunchReport) -> Iterator[str]:
    yield "<section><h2>By whom</h2>"
    rows: Iterable[Sequence[str]] = (
        (escape(one.account), escape(one.by), "elected" if one.elected else "stands by", _hash(one.signing_key))
        for one in report.producers
    )
    yield from _table(
        "Producers that the boot registered", ("Producer", "Keys are with", "", "Signs blocks with"), rows
    )
    if report.attestations:
        rows = (
            (
                escape(one.party), escape(one.account), "counts" if one.counts else f"does not: {escape(one.why)}",
                _hash(one.signature),
            )
            for one in report.attestations
        )  # fmt: skip
        yield from _table("Attestations of parties", ("Party", "Account", "", "Signature"), rows)
    yield f"<figure>{plots.peers(report.peers)}</figure>"
    rows = (
        (escape(one.name), escape(one.host), escape(one.role), escape(one.p2p), escape(one.version))
        for one in report.nodes
    )
    yield from _table("Nodes", ("Node", "Host", "Role", "P2P endpoint", "nodeos"), rows)
    yield "</section>"


def _chain(report: LaunchReport) -> Iterator[str]:
    sealed: Any = report.sealed
    yield "<section><h2>What was sealed</h2>"
    contracts = ({**sealed["boot_contract"], "account": "eosio, at first"}, *sealed["contracts"])
    rows = ((escape(one["account"]), _hash(one["wasm"]), _hash(one["abi"])) for one in contracts)
    yield from _table("Contracts, by sha256", ("Account", "Code", "ABI"), rows)
    yield from _list(
        (
            ("System accounts", escape(", ".join(sealed["system_accounts"]))),
            ("Privileged", escape(", ".join(("eosio", *sealed.get("privileged", ["eosio.msig"]))))),
            ("Protocol features", escape(", ".join(one["name"] for one in sealed["features"]))),
            ("Genesis", f"{_time(sealed['genesis']['initial_timestamp'])}, {_hash(sealed['genesis']['initial_key'])}"),
        )
    )
    yield "</section>"


def _allocation(report: LaunchReport) -> Iterator[str]:
    found, symbol = report.distribution, Symbol.parse(str(report.sealed["symbol"]))
    yield "<section><h2>The allocation</h2>"
    yield from _list(
        (
            ("Accounts", f"{found.accounts:,}"),
            ("Tokens", _amount(found.total, symbol)),
            ("Issued", _amount(int(report.sealed["issue"]), symbol)),
            ("Median", _amount(found.median, symbol)),
            ("Gini coefficient", f"{found.gini:.3f}"),
            ("The richest fifth has", f"{found.richest:.1%}"),
        )
    )
    yield f'<div class="beside"><figure>{plots.lorenz(found)}</figure><div>'
    rows = ((escape(one.account), _amount(one.balance, symbol)) for one in found.top)
    yield from _table("Largest accounts", ("Account", "Tokens"), rows, (1,))
    yield "</div></div></section>"


def _audit(report: LaunchReport) -> Iterator[str]:
    yield "<section><h2>The audit</h2>"
    for question, title in QUESTIONS.items():
        checks = [check for check in report.audit["checks"] if check["question"] == question]
        rows = [(escape(check["name"]), _mark(check["ok"], question), escape(check["detail"])) for check in checks]
        yield from _table(title, ("Check", "", "Found"), rows)
    accounts = report.audit["accounts"]
    yield f"<p>{accounts['matched']:,} of {accounts['planned']:,} accounts were as at birth.</p></section>"


def _mark(ok: bool, question: str) -> str:
    return "ok" if ok else "FAIL" if question == "born" else "differs"


def _again(report: LaunchReport) -> Iterator[str]:
    yield "<section><h2>Check it yourself</h2>"
    yield "<p>This file carries what was sealed. Ask any node of the chain, best one of your own:</p>"
    yield "<pre>coord audit THIS-FILE --url http://127.0.0.1:8888</pre>"
    yield "<p>The manifest is the sha256 of the sealed document, and the chain id that of the genesis:</p>"
    yield "<pre>coord audit THIS-FILE --sealed | sha256sum</pre>"
    yield "<p>How to do the same with cleos alone is in docs/audit.md of bootcoord.</p></section>"


def _list(rows: Iterable[tuple[str, str]]) -> Iterator[str]:
    yield "<dl>"
    yield from (f"<dt>{name}</dt><dd>{value}</dd>" for name, value in rows)
    yield "</dl>"


def _table(
    caption: str, heads: Sequence[str], rows: Iterable[Sequence[str]], numbers: Sequence[int] = ()
) -> Iterator[str]:
    kinds = [' class="number"' if place in numbers else "" for place in range(len(heads))]
    yield f'<div class="wide"><table><caption>{caption}</caption><thead><tr>'
    yield "".join(f'<th scope="col"{kind}>{head}</th>' for head, kind in zip(heads, kinds, strict=True))
    yield "</tr></thead><tbody>"
    for row in rows:
        cells = (f"<td{_kind(cell, kind)}>{cell}</td>" for cell, kind in zip(row, kinds, strict=True))
        yield f"<tr>{''.join(cells)}</tr>"
    yield "</tbody></table></div>"


def _kind(cell: str, kind: str) -> str:
    return {"FAIL": ' class="fail"', "ok": ' class="fine"'}.get(cell, kind)


def _hash(text: str) -> str:
    return f'<span class="hash">{escape(text)}</span>'


def _time(text: str) -> str:
    """A moment in UTC, to the second."""
    return escape(f"{text[:19].replace('T', ' ')} UTC")


def _amount(amount: int, symbol: Symbol) -> str:
    number, _, code = str(Asset(amount, symbol)).partition(" ")
    whole, _, part = number.partition(".")
    return escape(f"{int(whole):,}{'.' + part if part else ''} {code}")
