"""A keosd of this machine: it signs with the keys that it holds. Over HTTP, so that no key is in any argv."""

from __future__ import annotations

import http.client
import json
import re
import socket
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from antelope.errors import BadKey
from antelope.keys import PublicKey, Signature

SECONDS = 5.0
"""For an answer, which comes within milliseconds; making a wallet takes longest."""

_SOCKET = re.compile(r"/[A-Za-z0-9._+@/-]{1,106}", re.ASCII)
_URL = re.compile(r"http://(127\.0\.0\.1|localhost|\[::1\]):[0-9]{1,5}", re.ASCII)
_LOCKED, _MISSING, _NO_WALLET = 3120003, 3120004, 3120006
# Source: libraries/chain/include/eosio/chain/exceptions.hpp of AntelopeIO/leap, wallet_exception.


class KeosdError(Exception):
    """keosd refused or cannot be reached; one line says why. code: keosd's own, 0 when there was no answer."""

    def __init__(self, message: str, code: int = 0) -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True)
class Keosd:
    """One on this machine: keys, and what is to be signed, go nowhere else. Constructing it raises KeosdError."""

    address: str
    """http://127.0.0.1:PORT, or the absolute path of a Unix socket."""

    def __post_init__(self) -> None:
        if not (_URL.fullmatch(self.address) or _SOCKET.fullmatch(self.address)):
            raise KeosdError(
                f"{self.address[:200]!r} is no keosd of this machine: name its socket (at most 107 letters, digits and "
                "._+@/-), or http://127.0.0.1:PORT"
            )

    @staticmethod
    def at(text: str, folder: Path = Path()) -> Keosd:
        """As an operator types it: a path counts from a folder, or from home (~). Raises KeosdError."""
        if text.startswith("http"):
            return Keosd(text.rstrip("/"))
        return Keosd(str((folder / Path(text).expanduser()).absolute()))

    @property
    def signing_url(self) -> str:
        """What nodeos' signature-provider names after KEOSD:."""
        base = f"unix://{self.address}" if self.address.startswith("/") else self.address
        return f"{base}/v1/wallet/sign_digest"

    def public_keys(self) -> frozenset[PublicKey]:
        """Of all wallets that are unlocked. Raises KeosdError."""
        try:
            return frozenset(PublicKey.parse(str(key)) for key in self.call("get_public_keys"))
        except KeosdError as error:
            if error.code in (_LOCKED, _NO_WALLET):
                return frozenset()
            raise

    def key(self, public: PublicKey) -> KeosdKey:
        """One of its keys, to sign with."""
        return KeosdKey(public, self)

    def call(self, name: str, body: object = None, fine: int = 0) -> Any:
        """keosd's answer, None when it refused with the code that is fine. Errors never repeat the (secret) body.

        Blocks, SECONDS at most. Raises KeosdError.
        """
        connection = self._connection()
        try:
            connection.request("POST", f"/v1/wallet/{name}", "" if body is None else json.dumps(body))
            response = connection.getresponse()
            answer = json.loads(response.read())
        except (http.client.HTTPException, OSError, ValueError) as error:
            kind = type(error).__name__
            raise KeosdError(f"keosd at {self.address} does not answer ({kind}): is it running?") from error
        finally:
            connection.close()
        if response.status <= http.client.ACCEPTED:
            return answer
        fault = answer.get("error", {}) if isinstance(answer, dict) else {}
        if fine and fault.get("code") == fine:
            return None
        raise KeosdError(
            f"keosd at {self.address} refused {name}: {fault.get('what', f'HTTP {response.status}')}",
            fault.get("code", 0),
        )

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
        """What is said while none of keosd's open wallets has it."""
        return (
            f"keosd at {self.keosd.address} has no unlocked wallet with {self.public}: "
            "open and unlock it (cleos wallet open, cleos wallet unlock)"
        )


class _SocketConnection(http.client.HTTPConnection):
    """HTTP over a Unix socket."""

    def __init__(self, path: str) -> None:
        super().__init__("localhost", timeout=SECONDS)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(SECONDS)
        self.sock.connect(self._path)
