"""What `coord producer add` writes into an inventory."""

from __future__ import annotations

from pathlib import Path

import pytest

from coordinator.errors import UsageProblem
from coordinator.workflows.changing.growing import drafted
from tests.unit.inventory.test_later import FILE, read


def test_the_command_writes_what_a_person_would(tmp_path: Path) -> None:
    """At the end of the file; a file that would be wrong with it stays as it was, byte for byte."""
    network = read(tmp_path, FILE)
    draft = drafted(network, "defproducerx", "h2", {})
    assert draft.network.node("defproducerx").host == "h2"
    assert (draft.network.source, network.source.read_text()) == (network.source, FILE)
    draft.write()
    assert network.source.read_text() == FILE + '\n[[producers.later]]\naccount = "defproducerx"\nhost = "h2"\n'
    for account, host in (("defproducery", "h9"), ("short", None)):
        text = network.source.read_text()
        with pytest.raises(UsageProblem):
            drafted(network, account, host, {})
        assert network.source.read_text() == text
    inline = read(
        tmp_path,
        FILE.replace("[producers]\ncount = 2", "").replace("[network]", "producers = { count = 2 }\n[network]"),
    )
    with pytest.raises(UsageProblem, match="would be wrong"):
        drafted(inline, "defproducerx", None, {})
    assert [path.name for path in tmp_path.iterdir()] == ["net.toml"]
