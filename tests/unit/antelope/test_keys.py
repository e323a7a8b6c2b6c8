"""Keys, signatures and their texts."""

from __future__ import annotations

import copy
import hashlib
import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from antelope.codec import Reader
from antelope.errors import BadKey
from antelope.keys import PrivateKey, PublicKey, Signature
from antelope.ripemd import ripemd160, ripemd160_pure

WIF = "5KQwrPbwdL6PhXujxW37FSSQZ1JiwsST4cqQzDeyXtP79zkvFD3"
PUBLIC = "EOS6MRyAjQq8ud7hVNYcfnVPJqcVpscN5So8BhtHuGYqET5GDW5CV"
DIGESTS = st.binary(min_size=32, max_size=32)
SECRETS = st.integers(1, 2**255).map(lambda number: number.to_bytes(32, "big"))


def test_the_development_key() -> None:
    """The best-known pair in all its texts."""
    key = PrivateKey.parse(WIF)
    assert (str(key.public), key.wif) == (PUBLIC, WIF)
    assert key.public.modern == "PUB_K1_6MRyAjQq8ud7hVNYcfnVPJqcVpscN5So8BhtHuGYqET5BoDq63"
    assert key.modern == "PVT_K1_2bfGi9rYsXQSXXTvJbDAPhHLQUojjaNLomdm3cEJ1XTzMqUt3V"
    assert PublicKey.parse(key.public.modern) == key.public
    assert PublicKey.parse("FIO" + PUBLIC[3:], prefix="FIO").legacy("FIO") == "FIO" + PUBLIC[3:]


@given(SECRETS)
def test_keys_survive_their_texts(secret: bytes) -> None:
    """Private and public keys come back from both of their texts, and from their bytes."""
    key = PrivateKey(secret)
    assert PrivateKey.parse(key.wif) == PrivateKey.parse(key.modern) == key
    assert PublicKey.parse(str(key.public)) == PublicKey.parse(key.public.modern) == key.public
    assert PublicKey.read(Reader(key.public.pack())) == key.public


@given(SECRETS, DIGESTS)
def test_signatures_are_canonical_and_recover(secret: bytes, digest: bytes) -> None:
    """Each signature is valid for nodeos, is the same every time, and recovers only its own key."""
    key = PrivateKey(secret)
    signature = key.sign(digest)
    data = signature.data
    assert data[0] in (31, 32, 33, 34)
    assert not data[1] & 0x80
    assert not data[33] & 0x80
    assert data[1] or data[2] & 0x80
    assert data[33] or data[34] & 0x80
    assert key.sign(digest) == signature == Signature.parse(str(signature)) == Signature.read(Reader(signature.pack()))
    assert signature.recover(digest) == key.public
    assert signature.verify(digest, key.public)
    assert not signature.verify(hashlib.sha256(digest).digest(), key.public)


def test_padded_signatures_are_never_made() -> None:
    """Among 3,000 signatures none has a needless zero byte in front of r or s, which one nonce in 256 would give."""
    key = PrivateKey(bytes(31) + b"\x07")
    for number in range(3000):
        data = key.sign(number.to_bytes(32, "big")).data
        assert data[1] or data[2] & 0x80
        assert data[33] or data[34] & 0x80


def test_private_keys_do_not_show() -> None:
    """No way of printing, formatting or pickling a private key gives the secret away."""
    key = PrivateKey.parse(WIF)
    shown = [repr(key), str(key), f"{key!r:>80}", f"{[key]}", repr(key.__reduce__)]
    for secret in (WIF, key.modern, key.modern[7:], hashlib.sha256(WIF.encode()).hexdigest()):
        assert not any(secret in text for text in shown)
    assert str(key.public) in repr(key)
    for spread in (pickle.dumps, copy.deepcopy):
        with pytest.raises(TypeError, match="cannot be pickled"):
            spread(key)


@pytest.mark.parametrize(
    "text",
    [WIF[:-1], WIF[:-1] + "4", WIF + "1", WIF + " ", "", "5", "PVT_K1_abc", "PVT_R1_" + WIF, "Ω" * 51, "0" * 51, PUBLIC,
     "L1aW4aubDFB7yfras2S1mN3bqg9nwySY8nkoLmJebSLD5BWv3ENZ"],
)  # fmt: skip
def test_refused_private_keys_are_not_repeated(text: str) -> None:
    """Anything that is not a private key is BadKey, whose message does not hold the text."""
    with pytest.raises(BadKey) as caught:
        PrivateKey.parse(text)
    assert len(text) < 6 or text not in str(caught.value)


@pytest.mark.parametrize("secret", [bytes(32), b"\xff" * 32, b"\x01" * 31, b"\x01" * 33])
def test_secrets_are_within_the_curve(secret: bytes) -> None:
    """Zero, numbers beyond the order, and other lengths are not private keys."""
    with pytest.raises(BadKey):
        PrivateKey(secret)


@pytest.mark.parametrize(
    "text",
    [PUBLIC[:-1], PUBLIC[:-1] + "W", PUBLIC + "\n", PUBLIC[3:], "EOS", "", "PUB_K1_" + PUBLIC[3:],
     "PUB_X1_" + PUBLIC[3:], "EOS" + "1" * 2000, WIF],
)  # fmt: skip
def test_refused_public_keys(text: str) -> None:
    """A wrong checksum, length, prefix or character is BadKey."""
    with pytest.raises(BadKey):
        PublicKey.parse(text)


def test_other_kinds_are_carried() -> None:
    """R1 and WebAuthn keys and signatures keep their texts and bytes; R1 keys sort after K1."""
    r1 = PublicKey(PublicKey.parse(PUBLIC).data, kind=1)
    webauthn = PublicKey(r1.data + b"\x01" + b"\x0bexample.org", kind=2)
    signature = Signature(bytes(65) + b"\x02ab" + b"\x01c", kind=2)
    for key in (r1, webauthn):
        assert PublicKey.parse(str(key)) == PublicKey.read(Reader(key.pack())) == key
    assert Signature.parse(str(signature)) == Signature.read(Reader(signature.pack())) == signature
    assert str(r1).startswith("PUB_R1_")
    assert sorted([webauthn, r1, PublicKey.parse(PUBLIC)])[0].kind == 0
    with pytest.raises(BadKey):
        signature.recover(bytes(32))


def test_generated_keys_differ() -> None:
    """Each new key is different."""
    assert len({PrivateKey.generate().public for _ in range(20)}) == 20


@pytest.mark.parametrize(
    ("data", "digest"),
    [
        (b"", "9c1185a5c5e9fc54612808977ee8f548b2258d31"),
        (b"abc", "8eb208f7e05d987a9b044a8e98c6b087f15a0bfc"),
        (b"a" * 1_000, "aa69deee9a8922e92f8105e007f76110f381e9cf"),
    ],
)
def test_ripemd160_vectors(data: bytes, digest: str) -> None:
    """The function's published vectors, with and without OpenSSL."""
    assert ripemd160_pure(data).hex() == digest
    assert ripemd160(data).hex() == digest


@given(st.binary(max_size=300))
def test_ripemd160_is_the_same_without_openssl(data: bytes) -> None:
    """The fallback agrees with OpenSSL at every length."""
    assert ripemd160_pure(data) == ripemd160(data)
