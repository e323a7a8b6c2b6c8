"""Each way in which a real nodeos was seen to end, and the one line that a person gets.

The logs in corpus/ were written by the bundled nodeos, by Spring 1.2.2 (spring-*), and by what was put in its place,
provoked one by one; lines about protocol features are left out, and paths are others. corpus/expected.tsv has a line
for each: its name, the class of the fault, the signal that ended it, if one did, and the words.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from agent import errors
from agent.nodes.failure import explain

CORPUS = Path(__file__).parent / "corpus"
EXPECTED = {
    name: (kind, -int(signal) if signal else None, words)
    for name, kind, signal, words in (
        line.split("\t") for line in (CORPUS / "expected.tsv").read_text().splitlines()
    )
}  # fmt: skip


def test_every_log_has_its_words() -> None:
    """Every file of the corpus has an expectation, and every expectation a file."""
    assert {path.stem for path in CORPUS.glob("*.txt")} == set(EXPECTED)
    assert len(EXPECTED) > 60


@pytest.mark.parametrize("name", EXPECTED)
def test_the_line_that_explains_it_reaches_the_user(name: str) -> None:
    """The kind of fault and its exact words: the option, file, address or limit at fault."""
    kind, ended, words = EXPECTED[name]
    fault = explain("one", (CORPUS / f"{name}.txt").read_text(), ended)
    assert type(fault) is getattr(errors, kind)
    assert str(fault) == f"node one: {words}"
    assert "-util" not in words  # a program that nodeos names in its messages, and its package may not have
