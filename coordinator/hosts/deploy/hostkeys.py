"""Verifies SSH host keys: by known_hosts, by a fingerprint in the inventory, or on first use (only if configured)."""

from __future__ import annotations

import base64
import binascii
import hashlib
import os
import re
import threading
from collections.abc import Iterator
from pathlib import Path

import paramiko

from coordinator.hosts.deploy.errors import HostKeyRefused
from inventory.network import HostKeyPolicy, Ssh

_PORT = re.compile(r"\[(.+)\]:\d+")

_writing = threading.Lock()


class WrongHostKey(HostKeyRefused):
    """The server shows a key other than the expected one."""

    def __init__(self, message: str, place: str, key: paramiko.PKey) -> None:
        """place: the server, as known_hosts names it. key: the shown one; the right one may be of another type."""
        super().__init__(message)
        self.place = place
        name = key.get_name()
        self.algorithms = ("rsa-sha2-512", "rsa-sha2-256", "ssh-rsa") if name == "ssh-rsa" else (name,)


class Known:
    """known_hosts files, in OpenSSH's format (sshd(8)). Missing files count as empty."""

    def __init__(self, files: tuple[Path, ...]) -> None:
        """New keys are written to the first file. Raises HostKeyRefused on an unreadable file."""
        self.files = tuple(file.expanduser() for file in files)
        self._lines = [fields for file in self.files for fields in _fields(file)]

    def fingerprints(self, name: str) -> set[str]:
        """Fingerprints of the keys that a server may show; name as in known_hosts, such as `[10.0.0.1]:2222`."""
        return {print_ for names, print_ in self._marked("") if _matches(names, name)}

    def revoked(self, shown: str) -> bool:
        """Whether an @revoked line has the key with this fingerprint."""
        return any(print_ == shown for _names, print_ in self._marked("@revoked"))

    def add(self, name: str, key: paramiko.PKey) -> None:
        """Adds a key to the file. Raises HostKeyRefused."""
        if not self.files:
            raise HostKeyRefused("its new host key cannot be kept: ssh_config has UserKnownHostsFile none")
        path = self.files[0]
        try:
            with _writing:
                path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
                ended = not path.exists() or path.read_bytes()[-1:] in (b"", b"\n")
                with open(os.open(path, os.O_APPEND | os.O_CREAT | os.O_WRONLY, 0o600), "a") as file:
                    file.write(f"{'' if ended else chr(10)}{name} {key.get_name()} {key.get_base64()}\n")
        except OSError as error:
            raise HostKeyRefused(f"its new host key cannot be written to {path}: {error.strerror}") from error

    def _marked(self, marker: str) -> Iterator[tuple[str, str]]:
        for fields in self._lines:
            own, rest = (fields[0], fields[1:]) if fields[0].startswith("@") else ("", fields)
            if own == marker and len(rest) >= 3:
                try:
                    yield rest[0], _fingerprint(base64.b64decode(rest[2], validate=True))
                except (binascii.Error, ValueError):
                    continue  # as OpenSSH does with a damaged line


class Verify(paramiko.MissingHostKeyPolicy):
    """Checks every server's key: the client itself knows no host keys, so paramiko calls this for each."""

    def __init__(self, ssh: Ssh, known: Known, known_as: str = "") -> None:
        """known_as: ssh_config's HostKeyAlias, if any."""
        self._ssh = ssh
        self._known = known
        self._alias = known_as

    def missing_host_key(self, client: paramiko.SSHClient, hostname: str, key: paramiko.PKey) -> None:
        """Raises HostKeyRefused. Called before anything confidential is sent."""
        hostname = self._alias or hostname
        shown, file = fingerprint(key), self._known.files[0] if self._known.files else "known_hosts"
        if self._ssh.fingerprint is not None:
            expected, where = {self._ssh.fingerprint.rstrip("=")}, "the inventory"
        else:
            expected, where = self._known.fingerprints(hostname), str(file)
            if not expected and (elsewhere := _PORT.fullmatch(hostname)):  # a line without a port counts for all ports
                expected = self._known.fingerprints(elsewhere[1]) & {shown}
            if self._known.revoked(shown):
                raise HostKeyRefused(f"{hostname} shows the host key {shown}, which {where} marks as revoked")
        if shown in expected:
            return
        if expected:
            raise WrongHostKey(
                f"{hostname} shows the host key {shown}, but {where} has {' or '.join(sorted(expected))}; nothing was "
                f"sent: find out why, and correct {where} if the new key is right",
                hostname,
                key,
            )
        if self._ssh.host_key is not HostKeyPolicy.ACCEPT_NEW:
            raise HostKeyRefused(
                f"no host key of {hostname} is known, and it shows {shown}: if that is right, add it to {file}, "
                f'or write fingerprint = "{shown}" in the inventory'
            )
        self._known.add(hostname, key)


def fingerprint(key: paramiko.PKey) -> str:
    """As `ssh-keygen -l` prints it."""
    return _fingerprint(key.asbytes())


def _fingerprint(blob: bytes) -> str:
    return "SHA256:" + base64.b64encode(hashlib.sha256(blob).digest()).decode().rstrip("=")


def _fields(file: Path) -> Iterator[list[str]]:
    """The fields of each line. Bytes that are not UTF-8 are kept as they are, as in OpenSSH."""
    try:
        text = file.read_bytes().decode("utf-8", "surrogateescape")
    except FileNotFoundError:
        return
    except OSError as error:
        raise HostKeyRefused(f"{file} cannot be read, so no host key can be checked: {error}") from error
    yield from (fields for line in text.split("\n") if (fields := line.split()) and not fields[0].startswith("#"))


def _matches(names: str, name: str) -> bool:
    """Whether a line's first field (names, patterns, or one hashed name) matches the server."""
    if names.startswith("|1|"):
        return bool(names == _hashed(name, names))
    found = False
    for pattern in names.split(","):
        text = re.escape(pattern.removeprefix("!")).replace(r"\*", ".*").replace(r"\?", ".")
        if re.fullmatch(text, name, re.IGNORECASE):
            if pattern.startswith("!"):
                return False
            found = True
    return found


def _hashed(name: str, line: str) -> str:
    try:
        return str(paramiko.HostKeys.hash_host(name, line))
    except (binascii.Error, AssertionError, ValueError):
        return ""
