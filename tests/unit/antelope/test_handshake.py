"""A peer is known by the key with which it signed its handshake."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest

from antelope.answers import PeerLink
from antelope.keys import PrivateKey

KEY, OTHER = PrivateKey(bytes(31) + b"\x01"), PrivateKey(bytes(31) + b"\x02")
TIME = 1795379152978813898


def _link(**changes: Any) -> PeerLink:
    token = hashlib.sha256(TIME.to_bytes(8, "little")).digest()
    proof = {"time": str(TIME), "token": token.hex(), "key": str(KEY.public), "sig": str(KEY.sign(token))}
    handshake = {"generation": 1, "p2p_address": "h:9876 - 1234567", "head_num": 7} | proof | changes
    return PeerLink.from_json({"peer": "", "connecting": False, "syncing": False, "last_handshake": handshake})


def test_a_signed_handshake_proves_its_key() -> None:
    """Token and signature are nodeos' own: the sha256 of the time in nanoseconds, signed."""
    assert _link().key == KEY.public
    # Of a bundled nodeos with peer-private-key, as /v1/net/connections showed it.
    assert _link(
        time="1795379152978813898",
        token="7e0f3b327c2cd7ccf9ba5438e98f2b777265ae4d567f666b548c332338fb263f",
        key="EOS6y7P6E9MNdANjD2MRK5eDR5X5wtzWcYZueMuEM8jXsko93pV6J",
        sig="SIG_K1_K1WWugtznzqGBG8s5M87TufznENxxqsx8oupNYgj66VKXm3JEHCjvqksQbVs1LWXNXcQkC8B7RFZQszomkAcuzJbS4WMpG",
    ).key


@pytest.mark.parametrize(
    "change",
    [
        {"key": str(OTHER.public)},
        {"sig": str(OTHER.sign(bytes(32)))},
        {"token": "00" * 32},
        {"time": "0"},
        {"time": "x"},
        {"time": str(1 << 70)},
        {"key": "EOS1111111111111111111111111111111114T1Anm"},
        {"sig": "SIG_K1_111111111111111111111111111111111111111111111111111111111111111116uk5ne"},
        {"sig": None},
    ],
)
def test_anything_else_proves_nothing(change: dict[str, Any]) -> None:
    """With another's key or signature, or an empty handshake, the link is listed without an owner."""
    link = _link(**change)
    assert link.key is None
    assert link.handshaken
