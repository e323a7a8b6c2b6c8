"""Signs with the keys of a keosd on this machine. It is asked over HTTP, so no key appears on a command line."""

from __future__ import annotations

import contextlib
import http.client
import json
import re
import socket
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from agent.errors import KeosdError
from antelope.errors import BadKey
from antelope.keys import PublicKey, Signature
from antelope.strict_json import read_json
from support.endpoint import dialable

SECONDS = 5.0
"""Seconds for a whole answer. Most take milliseconds; creating a wallet takes longest."""
LIMIT = 16 << 20
"""Maximum bytes of an answer. The list of a wallet with 100,000 keys is smaller."""

_SOCKET = re.compile(r"/[A-Za-z0-9._+@/-]{1,106}", re.ASCII)
_URL = re.compile(r"http://(127\.0\.0\.1|localhost|\[::1\]):[0-9]{1,5}", re.ASCII)
_LOCKED, _MISSING, _NO_WALLET = 3120003, 3120004, 3120006
# Source: libraries/chain/include/eosio/chain/exceptions.hpp of AntelopeIO/leap, wallet_exception.


@dataclass(frozen=True)
class Keosd:
    """A keosd on this machine. Keys and digests go nowhere else: the constructor raises KeosdError."""

    address: str
    """http://127.0.0.1:PORT, or the absolute path of a Unix socket."""

    def __post_init__(self) -> None:
        url = _URL.fullmatch(self.address) and dialable(self.address.removeprefix("http://"))
        if not (url or _SOCKET.fullmatch(self.address)):
            raise KeosdError(
                f"{self.address[:200]!r} is not a keosd of this machine: name its socket (at most 107 letters, digits "
                "and ._+@/-), or http://127.0.0.1:PORT"
            )

    @staticmethod
    def at(text: str, folder: Path = Path()) -> Keosd:
        """From an operator's text. A path is relative to folder, or to home (~). Raises KeosdError."""
        if text.startswith(("http:", "https:")):
            return Keosd(text.rstrip("/"))
        try:
            return Keosd(str((folder / Path(text).expanduser()).absolute()))
        except RuntimeError as error:  # ~ of an unknown user
            raise KeosdError(f"{text[:200]!r}: {error}") from error

    @property
    def signing_url(self) -> str:
        """What nodeos' signature-provider names after KEOSD:."""
        base = f"unix://{self.address}" if self.address.startswith("/") else self.address
        return f"{base}/v1/wallet/sign_digest"

    def public_keys(self) -> frozenset[PublicKey]:
        """The keys of all unlocked wallets. Raises KeosdError."""
        try:
            return frozenset(PublicKey.parse(str(key)) for key in self.call("get_public_keys"))
        except KeosdError as error:
            if error.code in (_LOCKED, _NO_WALLET):
                return frozenset()
            raise
        except (TypeError, BadKey) as error:
            raise KeosdError(f"keosd at {self.address} does not answer with public keys") from error

    def key(self, public: PublicKey) -> KeosdKey:
        """One of its keys, to sign with."""
        return KeosdKey(public, self)

    def call(self, name: str, body: object = None, fine: int = 0) -> Any:
        """keosd's answer; None if it refused with the code `fine`. Errors never contain the (secret) body.

        Blocks for at most 2 * SECONDS, whatever listens there. Raises KeosdError.
        """
        try:
            status, text = self._post(f"/v1/wallet/{name}", "" if body is None else json.dumps(body))
            answer = read_json(text)
        except (http.client.HTTPException, OSError, ValueError) as error:
            kind = type(error).__name__
            raise KeosdError(f"keosd at {self.address} does not answer ({kind}): is it running?") from error
        if status <= http.client.ACCEPTED:
            return answer
        told = answer.get("error") if isinstance(answer, dict) else None
        fault = told if isinstance(told, dict) else {}
        if fine and fault.get("code") == fine:
            return None
        what = str(fault.get("what") or (answer.get("message") if fault else "") or f"HTTP {status}")[:200]
        raise KeosdError(f"keosd at {self.address} refused {name}: {what}", fault.get("code", 0))

    def _post(self, path: str, body: str) -> tuple[int, bytes]:
        """Status and bytes of the answer. Raises HTTPException, OSError, ValueError (larger than LIMIT)."""
        with contextlib.closing(self._connection()) as connection:
            connection.connect()
            late = threading.Timer(
                SECONDS, _hang_up, [connection.sock]
            )  # the socket's timeout covers only the next byte
            late.start()
            try:
                connection.request("POST", path, body)
                response = connection.getresponse()
                text = response.read(LIMIT + 1)
            finally:
                late.cancel()
        if len(text) > LIMIT:
            raise ValueError(f"more than {LIMIT} bytes")
        return response.status, text

    def _connection(self) -> http.client.HTTPConnection:
        if self.address.startswith("/"):
            return _SocketConnection(self.address)
        place = urlsplit(self.address)
        return http.client.HTTPConnection(str(place.hostname), place.port, timeout=SECONDS)


@dataclass(frozen=True)
class KeosdKey:
    """A key whose private half a keosd holds."""

    public: PublicKey
    keosd: Keosd

    def sign(self, digest: bytes) -> Signature:
        """Blocks until keosd has signed a 32-byte digest. Raises KeosdError, as when its wallet is locked."""
        try:
            signature = Signature.parse(str(self.keosd.call("sign_digest", [digest.hex(), str(self.public)])))
        except KeosdError as error:
            if error.code in (_LOCKED, _MISSING, _NO_WALLET):
                raise KeosdError(self.missing, error.code) from error
            raise
        except BadKey as error:
            raise KeosdError(f"keosd at {self.keosd.address}: {error}") from error
        if not signature.verify(digest, self.public):
            raise KeosdError(f"keosd at {self.keosd.address} signed with another key than {self.public}")
        return signature

    @property
    def missing(self) -> str:
        """The message if none of keosd's open wallets has it."""
        return (
            f"keosd at {self.keosd.address} has no unlocked wallet with {self.public}: "
            "open and unlock it (cleos wallet open, cleos wallet unlock)"
        )


def _hang_up(connected: socket.socket) -> None:
    """Ends a read that is under way."""
    with contextlib.suppress(OSError):
        connected.shutdown(socket.SHUT_RDWR)


class _SocketConnection(http.client.HTTPConnection):
    """HTTP over a Unix socket."""

    def __init__(self, path: str) -> None:
        super().__init__("localhost", timeout=SECONDS)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(SECONDS)
        self.sock.connect(self._path)
