"""Figures are judged by their goals, and the table tells all of them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bench.__main__ import BENCHMARKS, QUICK, main
from bench.harness import BenchError, Figure, machine
from bench.results import Ran, read, write


@pytest.mark.parametrize(
    ("figure", "ratio", "met"),
    [
        (Figure("b", "w", 3.0, "s", 2.0, "y", at_most=1.5), 1.5, True),
        (Figure("b", "w", 3.1, "s", 2.0, "y", at_most=1.5), 1.55, False),
        (Figure("b", "w", 9.0, "s", 2.0, "y", at_least=5.0), 4.5, False),
        (Figure("b", "w", 9.0, "s", 2.0, "y"), 4.5, None),
        (Figure("b", "w", 301.0, "MiB", at_most=300.0), None, False),
        (Figure("b", "w", 300.0, "MiB", at_most=300.0), None, True),
        (Figure("b", "w", 1.0, "s", 0.0, "y", at_most=1.5), float("inf"), False),
    ],
)
def test_goals_are_for_the_ratio_where_there_is_a_yardstick(
    figure: Figure, ratio: float | None, met: bool | None
) -> None:
    """Else for the value; without a goal nothing is judged."""
    assert figure.ratio == pytest.approx(ratio) if ratio is not None else figure.ratio is None
    assert figure.met is met


def test_the_table_has_every_figure_and_the_machine(tmp_path: Path) -> None:
    """For people and for programs, failures included."""
    figures = [Figure("load", "step", 30.0, "s", 22.0, "replay", at_most=1.5), Figure("load", "memory", 310.0, "MiB")]
    runs = [Ran("load", machine(), tuple(figures), "", 12.0), Ran("audit", machine(), (), "no node", 1.0)]
    write(tmp_path / "out", runs)
    text = (tmp_path / "out" / "results.md").read_text()
    assert "| load | step | 30 s | replay: 22 s | 1.36 | ≤ 1.5 | met |" in text
    assert "- failed: audit: no node" in text
    document = json.loads((tmp_path / "out" / "results.json").read_text())
    assert [one["what"] for one in document["figures"]] == ["step", "memory"]
    assert document["figures"][0]["met"] is True
    assert document["machine"]["cores"] >= 1
    assert document["failures"] == ["audit: no node"]
    assert [one["run"] for one in document["figures"]] == ["load", "load"]
    assert [run.met for run in runs] == [True, False]


def test_what_was_written_can_be_read_and_added_to(tmp_path: Path) -> None:
    """A long measurement may be made in parts; nothing is there at first."""
    assert read(tmp_path) == []
    first = Ran("load", machine(), (Figure("load", "step", 30.0, "s", 22.0, "replay", at_most=1.0),), "", 12.0)
    write(tmp_path, [first])
    assert read(tmp_path) == [first]
    second = Ran("audit", machine(), (Figure("audit", "memory", 1.0, "MiB"),), "", 3.0)
    write(tmp_path, [*read(tmp_path), second])
    assert read(tmp_path) == [first, second]
    assert not first.met
    (tmp_path / "results.json").write_text("{}")
    with pytest.raises(BenchError, match="not of this version"):
        read(tmp_path)


def test_a_quick_run_has_the_same_benchmarks() -> None:
    """Those with little to do are of a benchmark that there is."""
    assert set(QUICK) <= set(BENCHMARKS)


def test_an_unknown_benchmark_is_refused(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """In one line, with status 2, before anything runs."""
    monkeypatch.setattr("sys.argv", ["bench", "no-such"])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 2
    assert "there is no benchmark 'no-such'; there are coordination, agents" in capsys.readouterr().err
