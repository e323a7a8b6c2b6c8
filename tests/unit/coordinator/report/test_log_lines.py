"""Lines of logs: cut, sorted, folded."""

from __future__ import annotations

import pytest

from coordinator.report.log_lines import Folded, InOrder, Level, LineReader, LogLine, fold


def line(time: str, source: str, text: str = "text", number: int = 1) -> LogLine:
    """One of 10 o'clock."""
    return LogLine(f"2026-11-28T10:00:{time}", source, number, Level.INFO, text)


@pytest.mark.parametrize(
    ("text", "level"),
    [
        (
            "warn  2026-11-28T10:00:01.000 net-0  net_plugin.cpp:3263  handle_message ] text",
            Level.WARN,
        ),
        (
            "<4>warn  2026-11-28T10:00:01.000 net-0  net_plugin.cpp:3263  handle_message ] t",
            Level.WARN,
        ),
        ("debug 2026-11-28T10:00:01.000 nodeos    x.cpp:1           f                    ] text", Level.DEBUG),
        ("2026-11-28T10:00:01.000Z CRITICAL text", Level.ERROR),
        ("---- bootcoord starts nodeos 2026-11-28T10:00:01.000+00:00 /usr/bin/nodeos", Level.INFO),
    ],
)
def test_a_lines_time_and_level_are_read(text: str, level: Level) -> None:
    """As nodeos (also below systemd), an agent, and the one who starts nodeos write them."""
    assert LineReader("a").feed(text.encode() + b"\n") == [LogLine("2026-11-28T10:00:01.000", "a", 1, level, text)]
    assert LineReader("a").feed(text.encode() + b"\n")[0].level is level


def test_a_line_is_whole_however_it_arrives() -> None:
    """In pieces, split within a letter, with a Windows line end, without one, or with bytes that are not text."""
    reader, raw = LineReader("a"), "2026-11-28T10:00:01.000Z INFO é\r\nmore\n\xff".encode("latin-1")
    raw = raw.replace(b"\xe9", "é".encode())
    found = [made for byte in raw for made in reader.feed(bytes([byte]))] + reader.end()
    assert [made.text for made in found] == ["2026-11-28T10:00:01.000Z INFO é", "more", "�"]
    assert {made.time for made in found} == {"2026-11-28T10:00:01.000"}
    assert reader.end() == []


def test_chatter_is_folded_in_runs() -> None:
    """Each run becomes one line that counts them by log; nodeos' real messages are recognised, others are kept."""
    chatter = [
        'x net_plugin.cpp:1 f ] ["127.0.0.1:20000 - 2ca6684" - 7 127.0.0.1:38744] Peer closed connection',
        'x net_plugin.cpp:1 f ] ["127.0.0.1:20000 - 2ca6684" - 7 127.0.0.1:38744] Closing connection',
        'x net_plugin.cpp:1 f ] ["h:1" - 3 :] closing',
        'x net_plugin.cpp:1 f ] ["h:1" - 3 :] received go_away_message, reason = duplicate',
        "x net_plugin.cpp:1 f ] Accepted new connection: 127.0.0.1",
    ]
    other = [
        'x net_plugin.cpp:1 f ] ["h:1" - 3 :] received go_away_message, reason = wrong chain',
        "x net_plugin.cpp:1 f ] connection failed to 127.0.0.1:1, Connection refused",
        "x producer_plugin.cpp:1 f ] closing",
    ]
    lines = [
        line(f"0{number}.000", "ab"[number % 2], text) for number, text in enumerate([*chatter, *other, chatter[0]])
    ]
    folded = list(fold(lines))
    assert folded == [Folded((("a", 3), ("b", 2))), *lines[5:8], Folded((("a", 1),))]
    assert [item.text for item in folded if isinstance(item, Folded)] == [
        "... 5 lines about connections to peers (a 3, b 2)",
        "... 1 line about connections to peers",
    ]


def test_lines_wait_for_those_of_a_slower_log() -> None:
    """Held for a second from their arrival, then released in the order of their times."""
    ordered = InOrder(["a", "b"], 1.0)
    assert ordered.waiting
    ordered.add([line("01.000", "a"), line("03.000", "a", number=2)], 10.0)
    assert ordered.waiting
    ordered.add([line("02.000", "b")], 10.5)
    assert not ordered.waiting
    assert ordered.release(10.9) == []
    assert [made.source for made in ordered.release(11.0)] == ["a", "a"]
    assert ordered.release(11.0) == []
    ordered.add([line("01.500", "a", number=3)], 11.2)
    assert [made.time[-6:] for made in ordered.drain()] == ["01.500", "02.000"]


def test_a_log_that_ends_is_not_waited_for() -> None:
    """Without a line."""
    ordered = InOrder(["a"], 1.0)
    ordered.ended("a")
    assert not ordered.waiting
