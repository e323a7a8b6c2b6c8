"""Which host keys are accepted."""

from __future__ import annotations

from pathlib import Path

import paramiko
import pytest

from coordinator.hosts.deploy.errors import HostKeyRefused
from coordinator.hosts.deploy.hostkeys import Known, Verify, WrongHostKey, fingerprint
from coordinator.hosts.deploy.login import jump_chain
from inventory.network import HostKeyPolicy, Ssh


@pytest.fixture(scope="module")
def key() -> paramiko.PKey:
    """Any server's."""
    return paramiko.ECDSAKey.generate()


@pytest.fixture(scope="module")
def other() -> paramiko.PKey:
    """Another one."""
    return paramiko.ECDSAKey.generate()


def line(names: str, key: paramiko.PKey, marker: str = "") -> str:
    """Of known_hosts."""
    return f"{marker}{names} {key.get_name()} {key.get_base64()} comment\n"


HASHED = "|1|RAe084lC737pRbeb0YWihqtJUAE=|QhPGGoKLf361uiRpunjIxnHN0uk="
"""`host`, as OpenSSH hashes it."""


@pytest.mark.parametrize(
    ("names", "asked", "known"),
    [
        ("host", "host", True),
        ("HOST", "host", True),
        ("a,10.0.0.1,b", "10.0.0.1", True),
        ("10.0.0.1", "10.0.0.11", False),
        ("10x0x0x1", "10.0.0.1", False),
        ("10.0.0.*", "10.0.0.1", True),
        ("10.0.0.?", "10.0.0.12", False),
        ("*.example,!bad.example", "bad.example", False),
        ("*.example,!bad.example", "good.example", True),
        ("[host]:2222", "[host]:2222", True),
        ("[host]:2222", "host", False),
        (HASHED, "host", True),
        (HASHED, "host2", False),
        ("|1|damaged|", "host", False),
    ],
)
def test_known_hosts_lines_mean_what_openssh_says(
    names: str, asked: str, known: bool, key: paramiko.PKey, tmp_path: Path
) -> None:
    """Names, patterns, negation, ports and hashed names (sshd(8))."""
    file = tmp_path / "known_hosts"
    file.write_text("# comment\n\nbroken\n" + line(names, key))
    assert Known((file,)).fingerprints(asked) == ({fingerprint(key)} if known else set())


@pytest.mark.parametrize("odd", [b"caf\xe9 ssh-rsa AAAA\n", b"# \xff\xfe\n", b"host\x85x ssh-rsa AAAA c\xf6mment\n"])
def test_a_line_that_is_no_utf8_spoils_no_other(odd: bytes, key: paramiko.PKey, tmp_path: Path) -> None:
    """OpenSSH reads bytes; such lines come from old machines and from comments."""
    file = tmp_path / "known_hosts"
    file.write_bytes(odd + line("host", key).encode() + odd)
    assert Known((file,)).fingerprints("host") == {fingerprint(key)}


def test_a_line_without_a_port_counts_for_every_port(key: paramiko.PKey, other: paramiko.PKey, tmp_path: Path) -> None:
    """As in OpenSSH, which then takes the key; another key makes the server an unknown one, not a wrong one."""
    file = tmp_path / "known_hosts"
    file.write_text(line("host", key))
    ssh = Ssh("[host]:2222")
    verify(ssh, file, key)
    with pytest.raises(HostKeyRefused, match="no host key of"):
        verify(ssh, file, other)


def test_a_host_key_alias_is_what_the_host_is_known_by(key: paramiko.PKey, tmp_path: Path) -> None:
    """Whatever address and port are dialled."""
    file = tmp_path / "known_hosts"
    file.write_text(line("alias", key))
    Verify(Ssh("10.0.0.7"), Known((file,)), "alias").missing_host_key(paramiko.SSHClient(), "[10.0.0.7]:2222", key)
    with pytest.raises(HostKeyRefused, match="no host key of other"):
        Verify(Ssh("alias"), Known((file,)), "other").missing_host_key(paramiko.SSHClient(), "alias", key)


def verify(ssh: Ssh, file: Path, key: paramiko.PKey) -> None:
    """As paramiko asks when a server showed the key."""
    Verify(ssh, Known((file,))).missing_host_key(paramiko.SSHClient(), ssh.address, key)


def test_any_of_several_known_keys_is_right(key: paramiko.PKey, other: paramiko.PKey, tmp_path: Path) -> None:
    """A host may have several lines, for example while its key is changed."""
    file = tmp_path / "known_hosts"
    file.write_text(line("host", other) + line("host", key))
    verify(Ssh("host"), file, key)


def test_a_revoked_key_counts_nowhere(key: paramiko.PKey, tmp_path: Path) -> None:
    """It is accepted neither as a known key nor as a new one."""
    file = tmp_path / "known_hosts"
    file.write_text(line("host", key) + line("*", key, "@revoked "))
    for name in ("host", "new"):
        with pytest.raises(HostKeyRefused, match="revoked"):
            verify(Ssh(name, host_key=HostKeyPolicy.ACCEPT_NEW), file, key)


def test_accept_new_writes_the_key_on_a_line_of_its_own(
    key: paramiko.PKey, other: paramiko.PKey, tmp_path: Path
) -> None:
    """Also after a last line without a line end; another key is refused from then on."""
    file = tmp_path / "known_hosts"
    file.write_text(line("first", key).rstrip("\n"))
    new = Ssh("host", host_key=HostKeyPolicy.ACCEPT_NEW)
    verify(new, file, key)
    assert Known((file,)).fingerprints("first") == Known((file,)).fingerprints("host") == {fingerprint(key)}
    with pytest.raises(WrongHostKey, match="nothing was sent"):
        verify(new, file, other)


def test_the_inventorys_fingerprint_overrules_known_hosts(
    key: paramiko.PKey, other: paramiko.PKey, tmp_path: Path
) -> None:
    """With or without the padding of base64."""
    file = tmp_path / "known_hosts"
    file.write_text(line("host", other))
    verify(Ssh("host", fingerprint=fingerprint(key)), file, key)
    verify(Ssh("host", fingerprint=fingerprint(key) + "="), file, key)
    with pytest.raises(WrongHostKey, match="the inventory has"):
        verify(Ssh("host", fingerprint=fingerprint(key)), file, other)


def test_an_unreadable_known_hosts_is_no_empty_one(tmp_path: Path) -> None:
    """Otherwise accept-new would accept any key."""
    with pytest.raises(HostKeyRefused, match="cannot be read"):
        Known((tmp_path,))


def test_a_proxyjump_is_a_chain_of_hops_known_like_the_host() -> None:
    """The last hop is the gateway, and each hop's gateway is the one before it."""
    ssh = Ssh("host", key=Path("/key"), known_hosts=Path("/known"))
    last = jump_chain("one,ops@two:2222,ssh://three", ssh)
    assert (last.address, last.port, last.known_hosts, last.key) == ("three", 22, Path("/known"), Path("/key"))
    assert last.jump is not None
    assert (last.jump.address, last.jump.port, last.jump.user) == ("two", 2222, "ops")
    assert last.jump.jump is not None
    assert (last.jump.jump.address, last.jump.jump.jump) == ("one", None)
