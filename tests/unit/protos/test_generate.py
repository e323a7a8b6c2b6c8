"""The generated code is what the contract gives."""

from __future__ import annotations

from pathlib import Path

import pytest

from protos import generate


def test_generated_code_is_fresh() -> None:
    """Nobody changed coordination.proto without generating the code again."""
    assert generate.stale() == []


def test_a_changed_contract_is_noticed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A field that is only in the contract makes the generated code stale."""
    folder = tmp_path / "protos"
    folder.mkdir()
    for name in (generate.PROTO, *generate.GENERATED):
        (tmp_path / name).write_bytes((generate.ROOT / name).read_bytes())
    contract = tmp_path / generate.PROTO
    contract.write_text(contract.read_text().replace("string sha256 = 1;", "string sha256 = 1; bool late = 9;", 1))
    monkeypatch.setattr(generate, "ROOT", tmp_path)
    assert "protos/coordination_pb2.py" in generate.stale()
