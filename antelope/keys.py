"""Keys and signatures, as text and packed.

Text forms: legacy public keys (EOS…), WIF private keys (5…), and the typed forms PUB_, PVT_, SIG_ with K1 (secp256k1),
R1 (secp256r1) or WA (WebAuthn). This library signs with K1 only; R1 and WA keys are represented, but not used.
Format: libraries/libfc/include/fc/crypto/{public_key,private_key,signature}.hpp of AntelopeIO/leap.
"""

from __future__ import annotations

import hashlib
import re
import secrets
from dataclasses import dataclass, field
from typing import Protocol

import base58
import coincurve
from coincurve._libsecp256k1 import ffi  # type: ignore[import-not-found] # the binary module has no stub

from antelope.codec import Reader, pack_varuint32
from antelope.errors import BadKey
from antelope.ripemd import ripemd160

KINDS = ("K1", "R1", "WA")
_BASE58 = re.compile(r"[1-9A-HJ-NP-Za-km-z]{1,1000}", re.ASCII)
_ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
_WIF_VERSION = b"\x80"
_LONGEST = 4096
"""Bytes of a WebAuthn key or signature: base58 takes time by the square of the length."""


def _decode(text: str, what: str) -> bytes:
    if _BASE58.fullmatch(text) is None:
        raise BadKey(f"{what} is not base58")
    return base58.b58decode(text)


def _checked(text: str, suffix: str, what: str) -> bytes:
    """The payload of base58 whose last 4 bytes are ripemd160(payload + suffix)."""
    raw = _decode(text, what)
    payload, checksum = raw[:-4], raw[-4:]
    if ripemd160(payload + suffix.encode())[:4] != checksum:
        raise BadKey(f"{what} has a wrong checksum: a character is missing or mistyped")
    return payload


def _with_checksum(payload: bytes, suffix: str) -> str:
    return base58.b58encode(payload + ripemd160(payload + suffix.encode())[:4]).decode("ascii")


def _typed(text: str, prefix: str, what: str) -> tuple[int, bytes]:
    """Kind and payload of PREFIX_KIND_base58."""
    parts = text.split("_")
    if len(parts) != 3 or parts[0] != prefix or parts[1] not in KINDS:
        raise BadKey(f"{what} is not of the form {prefix}_K1_…")
    return KINDS.index(parts[1]), _checked(parts[2], parts[1], what)


def _check_length(data: bytes) -> None:
    if len(data) > _LONGEST:
        raise BadKey(f"{len(data)} bytes are too long for a key or signature: {_LONGEST} at most")


def _check_public(kind: int, data: bytes) -> None:
    plain = len(data) == 33 and data[0] in (2, 3)
    if not (plain if kind < 2 else len(data) > 34 and data[0] in (2, 3)):
        raise BadKey(f"{len(data)} bytes starting with {data[:1].hex()} are not a compressed {KINDS[kind]} public key")


@dataclass(frozen=True, slots=True, order=True)
class PublicKey:
    """A public key; data is the compressed point (33 bytes), for WA followed by the relying party. Sorts as on
    chain."""

    kind: int = field(kw_only=True, default=0)
    data: bytes

    def __post_init__(self) -> None:
        if not 0 <= self.kind < len(KINDS):
            raise BadKey(f"unknown kind {self.kind} of public key")
        _check_length(self.data)
        _check_public(self.kind, self.data)

    @classmethod
    def parse(cls, text: str, prefix: str = "EOS") -> PublicKey:
        """A public key from EOS… (or another chain's legacy prefix) or PUB_K1_…. Raises BadKey."""
        what = f"public key {text[:80]!r}"
        if text.startswith("PUB_"):
            kind, data = _typed(text, "PUB", what)
            return cls(data, kind=kind)
        if not text.startswith(prefix):
            raise BadKey(f"{what} starts neither with {prefix} nor with PUB_")
        return cls(_checked(text[len(prefix) :], "", what))

    @classmethod
    def read(cls, reader: Reader) -> PublicKey:
        """A public key from its packed bytes."""
        kind = reader.varuint32()
        data = reader.take(33)
        if kind == 2:
            presence, relying_party = reader.take(1), reader.bytes_()
            data += presence + pack_varuint32(len(relying_party)) + relying_party
        return cls(data, kind=kind)

    def pack(self) -> bytes:
        """The kind, then the data."""
        return bytes((self.kind,)) + self.data

    @property
    def modern(self) -> str:
        """PUB_K1_…"""
        return f"PUB_{KINDS[self.kind]}_{_with_checksum(self.data, KINDS[self.kind])}"

    def legacy(self, prefix: str = "EOS") -> str:
        """EOS…, or with another chain's prefix; the modern form for kinds that have no legacy form."""
        return prefix + _with_checksum(self.data, "") if self.kind == 0 else self.modern

    def __str__(self) -> str:
        return self.legacy()


@dataclass(frozen=True, slots=True)
class Signature:
    """A signature; for K1 and R1, data is the recovery byte (27 + 4 + id), r and s: 65 bytes."""

    data: bytes
    kind: int = 0

    def __post_init__(self) -> None:
        if not 0 <= self.kind < len(KINDS):
            raise BadKey(f"unknown kind {self.kind} of signature")
        _check_length(self.data)
        if len(self.data) < 65 or (self.kind < 2 and len(self.data) != 65):
            raise BadKey(f"{len(self.data)} bytes are not a {KINDS[self.kind]} signature")

    @classmethod
    def parse(cls, text: str) -> Signature:
        """A signature from SIG_K1_…. Raises BadKey."""
        kind, data = _typed(text, "SIG", f"signature {text[:110]!r}")
        return cls(data, kind)

    @classmethod
    def read(cls, reader: Reader) -> Signature:
        """A signature from its packed bytes."""
        kind = reader.varuint32()
        data = reader.take(65)
        if kind == 2:
            for _ in ("authenticator data", "client JSON"):
                part = reader.bytes_()
                data += pack_varuint32(len(part)) + part
        return cls(data, kind)

    def pack(self) -> bytes:
        """The kind, then the data."""
        return bytes((self.kind,)) + self.data

    def recover(self, digest: bytes) -> PublicKey:
        """The K1 public key that made this signature over a 32-byte digest. Raises BadKey if there is none."""
        recovery = self.data[0] - 31
        if self.kind != 0 or not 0 <= recovery <= 3:
            raise BadKey("only compressed K1 signatures can be recovered")
        try:
            key = coincurve.PublicKey.from_signature_and_message(
                self.data[1:] + bytes((recovery,)), digest, hasher=None
            )
        except Exception as error:  # coincurve raises bare Exceptions besides ValueError
            raise BadKey("no key made this signature") from error
        return PublicKey(key.format(compressed=True))

    def verify(self, digest: bytes, key: PublicKey) -> bool:
        """Whether this key made this signature over a 32-byte digest."""
        try:
            return self.recover(digest) == key
        except BadKey:
            return False

    def __str__(self) -> str:
        return f"SIG_{KINDS[self.kind]}_{_with_checksum(self.data, KINDS[self.kind])}"


class SigningKey(Protocol):
    """Something that signs: a private key, or a process that holds one and signs on request."""

    @property
    def public(self) -> PublicKey:
        """The public key that verifies its signatures."""

    def sign(self, digest: bytes) -> Signature:
        """A signature over a 32-byte digest. May block, if another process holds the key."""


class PrivateKey:
    """A K1 private key. Only `wif` and `modern` give the secret: str() and repr() show the public key."""

    __slots__ = ("_key", "_public")

    def __init__(self, secret: bytes) -> None:
        if len(secret) != 32 or not 0 < int.from_bytes(secret, "big") < _ORDER:
            raise BadKey("a private key is 32 bytes, between 1 and the order of secp256k1")
        self._key = coincurve.PrivateKey(secret)
        self._public = PublicKey(self._key.public_key.format(compressed=True))

    @classmethod
    def generate(cls) -> PrivateKey:
        """A new key from the system's random source."""
        return cls((secrets.randbelow(_ORDER - 1) + 1).to_bytes(32, "big"))

    @classmethod
    def parse(cls, text: str) -> PrivateKey:
        """A private key from WIF or PVT_K1_…. Raises BadKey, which never repeats the text."""
        if text.startswith("PVT_"):
            kind, secret = _typed(text, "PVT", "the private key")
            if kind != 0:
                raise BadKey("only K1 private keys can sign here")
            return cls(secret)
        raw = _decode(text, "the private key")
        payload, checksum = raw[:-4], raw[-4:]
        if payload[:1] != _WIF_VERSION or len(payload) != 33 or _sha256d(payload)[:4] != checksum:
            raise BadKey("the private key is neither WIF (5…) nor PVT_K1_…, or its checksum is wrong")
        return cls(payload[1:])

    @property
    def public(self) -> PublicKey:
        """Its public key."""
        return self._public

    @property
    def wif(self) -> str:
        """The secret, as 5…"""
        payload = _WIF_VERSION + self._key.secret
        return base58.b58encode(payload + _sha256d(payload)[:4]).decode("ascii")

    @property
    def modern(self) -> str:
        """The secret, as PVT_K1_…"""
        return f"PVT_K1_{_with_checksum(self._key.secret, 'K1')}"

    def sign(self, digest: bytes) -> Signature:
        """A canonical signature over a 32-byte digest; the same for the same digest.

        nodeos rejects signatures whose r or s has its highest bit set. About every second RFC 6979 nonce gives a
        canonical one, so a counter goes into the nonce until one does.
        """
        if len(digest) != 32:
            raise BadKey(f"a digest must have 32 bytes, not {len(digest)}")
        nonce = (ffi.NULL, ffi.NULL)
        counter = 0
        while True:
            raw = self._key.sign_recoverable(digest, hasher=None, custom_nonce=nonce)
            if _is_canonical(raw):
                return Signature(bytes((raw[64] + 31,)) + raw[:64])
            counter += 1
            nonce = (ffi.NULL, ffi.new("unsigned char[32]", counter.to_bytes(32, "little")))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, PrivateKey) and secrets.compare_digest(self._key.secret, other._key.secret)

    def __hash__(self) -> int:
        return hash(self._public)

    def __repr__(self) -> str:
        return f"PrivateKey(of {self._public})"

    def __reduce__(self) -> str:
        raise TypeError("a private key cannot be pickled")


def _sha256d(data: bytes) -> bytes:
    return hashlib.sha256(hashlib.sha256(data).digest()).digest()


def _is_canonical(raw: bytes) -> bool:
    """Whether r and s are neither negative nor padded, as in libfc's public_key::is_canonical."""
    r_first, r_second, s_first, s_second = raw[0], raw[1], raw[32], raw[33]
    return (
        r_first < 0x80
        and not (r_first == 0 and r_second < 0x80)
        and s_first < 0x80
        and not (s_first == 0 and s_second < 0x80)
    )
