"""Another program at keosd's address: whatever it answers, the operator gets one line within seconds."""

from __future__ import annotations

import contextlib
import json
import socket
import threading
import time
from collections.abc import Callable, Iterator

import pytest

from agent.errors import KeosdError
from agent.keys import keosd as keosd_module
from agent.keys.keosd import Keosd
from agent.party.keosd import trouble_with
from antelope.keys import PrivateKey

KEY = PrivateKey.generate().public
Answer = Callable[[socket.socket], None]


def _http(body: bytes, status: str = "200 OK") -> Answer:
    return lambda caller: caller.sendall(f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body)


def _drips(caller: socket.socket) -> None:
    caller.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
    while True:
        caller.sendall(b" ")
        time.sleep(0.05)


def _floods(caller: socket.socket) -> None:
    caller.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
    while True:
        caller.sendall(b" " * 100_000)


@contextlib.contextmanager
def _stranger(answer: Answer) -> Iterator[Keosd]:
    """Takes calls one by one, and answers each in its own way."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            while True:
                with contextlib.suppress(OSError):
                    caller, _address = server.accept()
                    with caller:
                        caller.recv(65536)
                        answer(caller)
                    continue
                return

        threading.Thread(target=serve, daemon=True).start()
        yield Keosd(f"http://127.0.0.1:{server.getsockname()[1]}")


@pytest.mark.parametrize(
    "answer",
    [_http(b"5"), _http(b"null"), _http(b'["EOSjunk"]'), _http(b"[" * 200_000), _http(b'{"error":[1]}', "500 No"),
     _http(b'{"error":null}', "500 No"), _http(b"[]", "500 No"), _http(b"\xff\xfe"), _drips, _floods],
    ids=["number", "null", "junk", "deep", "list", "no error", "no object", "binary", "drips", "floods"],
)  # fmt: skip
def test_junk_is_told_in_a_line_and_in_time(answer: Answer, monkeypatch: pytest.MonkeyPatch) -> None:
    """An endless or trickling answer ends with a reason, and is never read to its end."""
    monkeypatch.setattr(keosd_module, "SECONDS", 0.5)
    monkeypatch.setattr(keosd_module, "LIMIT", 1 << 20)
    with _stranger(answer) as keosd:
        began = time.monotonic()
        assert keosd.address in trouble_with(keosd, [KEY])
        with pytest.raises(KeosdError, match=keosd.address):
            keosd.key(KEY).sign(bytes(32))
        assert time.monotonic() - began < 5


def test_a_signature_by_another_key_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    """keosd's answer is checked before it is used."""
    other = PrivateKey.generate().sign(bytes(32))
    with _stranger(_http(json.dumps(str(other)).encode())) as keosd, pytest.raises(KeosdError, match="another key"):
        keosd.key(KEY).sign(bytes(32))


def test_its_words_are_cut() -> None:
    """The operator is shown the reason, shortened."""
    body = json.dumps({"error": {"code": 7, "what": "x" * 100_000}}).encode()
    with _stranger(_http(body, "500 No")) as keosd, pytest.raises(KeosdError) as refused:
        keosd.call("sign_digest")
    assert len(str(refused.value)) < 400
    assert refused.value.code == 7
