"""Invented or damaged tokens and records: each is read, or refused in one line."""

from __future__ import annotations

import base64
import hashlib
import tempfile
from dataclasses import asdict
from datetime import timedelta
from functools import partial
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.nodeos.spec import NodeSpec
from agent.nodes.beginning import RECORD, Beginning, Begun
from agent.nodes.folder import NodeRecord
from coordinator.agents.ca import CertificateAuthority
from inventory.network import Role
from support.identity import Identity, InvitationError, Kind, TlsError
from support.invitation import PREFIX, pack, parse
from support.processes import Process
from support.snapshots import Snapshot, SnapshotStore
from support.tls import load_certificate, load_csr, load_or_make_key, make_csr
from tests.unit.hostile import mutated, outcome


@pytest.fixture(scope="module")
def token(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """A true token's fields, as bytes."""
    folder = tmp_path_factory.mktemp("ca")
    authority, key = CertificateAuthority(folder / "ca", "net"), load_or_make_key(folder / "key")
    pem = authority.sign(make_csr(key, "alice"), Identity("net", Kind.INVITE, "alice"), timedelta(hours=2))
    text = pack("net", ("coord.example:7000",), authority.certificate, load_certificate(pem), key)
    data = text.removeprefix(PREFIX)
    return base64.urlsafe_b64decode(data + "=" * (-len(data) % 4))[:-4]


def summed(body: bytes) -> str:
    """Any fields as a token, with the right sum."""
    data = body + hashlib.sha256(body).digest()[:4]
    return PREFIX + base64.urlsafe_b64encode(data).rstrip(b"=").decode()


SPEC = NodeSpec("alice", Role.PRODUCER, "alice", "0.0.0.0:1", "h:1", 8888)
CHANGES = st.lists(
    st.tuples(st.integers(0, 2000), st.binary(min_size=1, max_size=1) | st.binary(max_size=6)),
    min_size=1, max_size=4,
)  # fmt: skip


def changed(data: bytes, changes: list[tuple[int, bytes]]) -> bytes:
    """Some bytes exchanged."""
    found = bytearray(data)
    for at, new in changes:
        place = at % len(found)
        found[place : place + len(new)] = new
    return bytes(found)


@settings(max_examples=1500)
@given(CHANGES)
def test_a_token_of_any_bytes_is_read_or_refused(token: bytes, changes: list[tuple[int, bytes]]) -> None:
    """Certificates with changed bytes, false lengths: a correct checksum does not make a token valid."""
    found = outcome(partial(parse, summed(changed(token, changes))), InvitationError)
    assert found is None or found.network == "net"


def test_each_byte_of_a_token_may_be_wrong(token: bytes) -> None:
    """One after the other, each of five bits."""
    for at in range(len(token)):
        for bit in (1, 2, 8, 32, 128):
            body = bytearray(token)
            body[at] ^= bit
            outcome(partial(parse, summed(bytes(body))), InvitationError)


def test_each_byte_of_a_request_may_be_wrong(tmp_path: Path) -> None:
    """A certificate signing request, which anybody with a token can send to the coordinator."""
    pem = make_csr(load_or_make_key(tmp_path / "key"), "alice")
    der = bytearray(base64.b64decode(b"".join(pem.splitlines()[1:-1])))
    for at in range(len(der)):
        for bit in (1, 2, 8, 32, 128):
            der[at] ^= bit
            lines = [b"-----BEGIN CERTIFICATE REQUEST-----", base64.b64encode(bytes(der))]
            lines.append(b"-----END CERTIFICATE REQUEST-----")
            outcome(partial(load_csr, b"\n".join(lines)), TlsError)
            der[at] ^= bit


@settings(max_examples=200)
@given(mutated({"pid": 1, "started": 2, "boot": "x"}))
def test_a_record_of_a_process_of_any_shape(text: str) -> None:
    """It names a possible process or none: pid -1 would mean every process of this user."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "process.json"
        path.write_text(text)
        found = Process.read(path)
    assert found is None or found.pid > 0


DESCRIBED = Snapshot("ab" * 32, 1, 7, "cd" * 32, "ef" * 32, "genesis", "v5", 1.5)


@settings(max_examples=300)
@given(mutated(asdict(DESCRIBED)))
def test_a_description_of_a_snapshot_of_any_shape(text: str) -> None:
    """It is listed, found and told of, or left out; it never names another file."""
    with tempfile.TemporaryDirectory() as folder:
        store = SnapshotStore(Path(folder))
        store.path(DESCRIBED.sha256).touch()
        (store.folder / f"{DESCRIBED.sha256}.json").write_text(text)
        for one in (*store.all(), *store.prune(0.0), store.find(DESCRIBED.sha256)):
            assert one is None or (one.sha256 == DESCRIBED.sha256 and str(one).encode() and one.taken < 1 << 63)


@settings(max_examples=200)
@given(mutated(asdict(Beginning("ab" * 32, 7, "cd" * 32, confirmed=True))))
def test_a_record_of_a_beginning_of_any_shape(text: str) -> None:
    """snapshot.json of a node is read, or there is none."""
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / RECORD).write_text(text)
        found = Begun(Path(folder)).read()
    assert found is None or (isinstance(found.block, int) and isinstance(found.confirmed, bool) and str(found))


@settings(max_examples=200)
@given(mutated({"spec": asdict(SPEC) | {"role": "producer"}, "mode": "normal", "chain_id": "00"}))
def test_a_record_of_a_node_of_any_shape(text: str) -> None:
    """node.json is read, or refused."""
    outcome(partial(NodeRecord.unpack, text.encode()), ValueError)
