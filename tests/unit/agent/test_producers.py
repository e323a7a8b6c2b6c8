"""The producers' endpoints that an agent keeps."""

from __future__ import annotations

from pathlib import Path

import pytest

from agent.errors import DutyError
from agent.memory import Memory
from agent.producers import ProducerEndpoints
from antelope.elections import MAX_PRODUCERS
from support.journal import Journal


def test_they_are_kept_and_replaced(tmp_path: Path) -> None:
    """Also by the next agent; the latest are all that count."""
    endpoints = ProducerEndpoints(Memory(Journal(tmp_path / "journal")))
    assert not endpoints.known
    endpoints.keep(["a.example:9876", "10.0.0.1:1", "a.example:9876"])
    assert ProducerEndpoints(Memory(Journal(tmp_path / "journal"))).known == ("a.example:9876", "10.0.0.1:1")
    endpoints.keep(["[::1]:9876"])
    assert endpoints.known == ("[::1]:9876",)


@pytest.mark.parametrize(
    "told",
    [
        ["a.example"],
        ["a.example:0"],
        ["a:1\np2p-peer-address = b:1"],
        [f"a{number}:1" for number in range(MAX_PRODUCERS + 1)],
    ],
)
def test_nonsense_is_refused(tmp_path: Path, told: list[str]) -> None:
    """What is not an endpoint, or too much, and what was known before stays."""
    endpoints = ProducerEndpoints(Memory(Journal(tmp_path / "journal")))
    endpoints.keep(["a.example:9876"])
    with pytest.raises(DutyError, match="refused"):
        endpoints.keep(told)
    assert endpoints.known == ("a.example:9876",)
