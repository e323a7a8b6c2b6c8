"""HOST:PORT and nothing else."""

from __future__ import annotations

import pytest

from support.endpoint import Endpoint


@pytest.mark.parametrize("text", ["localhost:1", "10.99.0.11:9876", "node-1.example.org:65535", "[::1]:80"])
def test_good_ones_come_back(text: str) -> None:
    """Reading and writing are inverse."""
    assert str(Endpoint.parse(text)) == text


@pytest.mark.parametrize(
    "text",
    ["", "host", ":1", "host:", "host:65536", "a b:1", "host:1\n", "::1:80", "-x:1", "h:\u0661", "[x]:1"],
)
def test_others_are_refused(text: str) -> None:
    """No newline, no second colon, no option."""
    with pytest.raises(ValueError, match="HOST:PORT"):
        Endpoint.parse(text)
