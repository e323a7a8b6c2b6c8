"""What ssh_config says about a server. The operator's own `ssh -G` reads it, so that every keyword counts.

Without OpenSSH's client on this machine, paramiko reads the file; it knows fewer keywords (no `Match final`).
"""

from __future__ import annotations

import getpass
import hashlib
import os
import pwd
import re
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import paramiko

from coordinator.hosts.deploy.errors import LoginRefused
from coordinator.hosts.deploy.onhost.words import last_words
from support.texts import plain

SECONDS = 20.0
"""Time limit for `ssh -G`: `Match exec` and canonicalisation may take a while."""
SYSTEM = Path("/etc/ssh/ssh_config")
USER_FILES = (Path("~/.ssh/known_hosts"), Path("~/.ssh/known_hosts2"))
GLOBAL_FILES = (Path("/etc/ssh/ssh_known_hosts"), Path("/etc/ssh/ssh_known_hosts2"))
"""OpenSSH's default global known_hosts files."""
IDENTITIES = tuple(f"~/.ssh/id_{kind}" for kind in ("rsa", "ecdsa", "ed25519"))

_TOKEN = re.compile(r"%(.)")
_VARIABLE = re.compile(r"\$\{(\w+)\}")


@dataclass(frozen=True)
class Reading:
    """ssh_config's settings for one server, with every `%` and `~` expanded."""

    host: str
    """The host name or address to dial."""
    port: int
    user: str
    identities: tuple[Path, ...]
    """Private keys, whether or not they exist."""
    identities_only: bool
    agent: str | None
    """The ssh-agent's socket; None for the environment's, empty for none."""
    jumps: str
    """ProxyJump's value; empty if none."""
    command: str
    """ProxyCommand's value, for the user's shell; empty if none."""
    known_as: str
    """HostKeyAlias; empty if the host is known by its address."""
    user_known_hosts: tuple[Path, ...]
    global_known_hosts: tuple[Path, ...]


def read(address: str, port: int | None = None, user: str = "", key: Path | None = None) -> Reading:
    """ssh_config's settings for `ssh [-p port] [-l user] [-i key] address`. Raises LoginRefused with ssh's message."""
    program = shutil.which("ssh")
    try:
        if program is None:
            return _reading(address, _paramiko(address, port, user, key))
        options = {"-p": str(port or ""), "-l": user, "-i": str(key or "")}
        return _reading(address, _openssh(program, address, options))
    except ValueError as error:
        raise LoginRefused(f"ssh_config is not usable for {address}: {plain(str(error))}") from error


def _openssh(program: str, address: str, options: Mapping[str, str]) -> Mapping[str, list[str]]:
    command = [program, "-G", "-T", *(word for pair in options.items() if pair[1] for word in pair)]
    with _files() as files:
        done = _run([*command, *files, "--", address])
        if b"jumphost loop via" in done.stderr:  # `Host *` also names the jump host as its own jump host
            done = _run([*command, *files, "-o", "ProxyJump=none", "--", address])
    if done.returncode:
        raise LoginRefused(f"ssh itself refuses {address}: {last_words(done.stderr)}; `ssh {address}` says the same")
    found: dict[str, list[str]] = {}
    for line in os.fsdecode(done.stdout).split("\n"):
        key, _, value = line.partition(" ")
        found.setdefault(key.lower(), []).append(value)
    return found


def _run(command: Sequence[str]) -> subprocess.CompletedProcess[bytes]:
    try:
        return subprocess.run(  # noqa: S603 (an argument list; the address is none of ssh's options)
            command, stdin=subprocess.DEVNULL, capture_output=True, timeout=SECONDS
        )
    except (OSError, subprocess.SubprocessError) as error:
        raise LoginRefused(f"ssh_config cannot be read: {error}") from error


@contextmanager
def _files() -> Iterator[Sequence[str]]:
    """Names $HOME's ssh_config if $HOME differs from the home in passwd, which ssh itself uses."""
    home = Path.home()
    if home == Path(pwd.getpwuid(os.getuid()).pw_dir):
        yield ()
        return
    with tempfile.NamedTemporaryFile(prefix="bootcoord-ssh-") as file:
        file.write(os.fsencode(f'Include "{home}/.ssh/config"\nInclude "{SYSTEM}"\n'))
        file.flush()
        yield ("-F", file.name)


def _paramiko(address: str, port: int | None, user: str, key: Path | None) -> Mapping[str, list[str]]:
    found: dict[str, list[str]] = {"port": [str(port)]} if port else {}
    found |= {"user": [user]} if user else {}
    try:
        for path in (Path("~/.ssh/config").expanduser(), SYSTEM):
            if path.is_file():
                for keyword, value in paramiko.SSHConfig.from_path(str(path)).lookup(address).items():
                    found.setdefault(keyword, value if isinstance(value, list) else [str(value)])
    except (OSError, ValueError, paramiko.SSHException) as error:
        raise LoginRefused(
            f"ssh_config is not usable for {address}: {plain(str(error))}; with OpenSSH's client on this machine it is "
            f"read in full"
        ) from error
    if key:
        found["identityfile"] = [str(key), *found.get("identityfile", [])]
    return found


def _reading(address: str, said: Mapping[str, list[str]]) -> Reading:
    """Raises ValueError."""

    def one(key: str, otherwise: str = "") -> str:
        value = said.get(key, [otherwise])[0]
        return "" if value.lower() == "none" else value

    if one("proxyusefdpass", "no").lower() == "yes":
        raise ValueError("ProxyUseFdpass cannot be followed here: let ProxyCommand carry the data itself")
    host = one("hostname", address) or address
    known = {"n": address, "h": host, "p": one("port", "22"), "r": one("user") or getpass.getuser()}
    tokens = _tokens(known, one("hostkeyalias"))
    return Reading(
        host=host,
        port=_port(known["p"]),
        user=known["r"],
        identities=tuple(
            _path(name, tokens) for name in said.get("identityfile", IDENTITIES) if name.lower() != "none"
        ),
        identities_only=one("identitiesonly", "no").lower() == "yes",
        agent=_agent(said.get("identityagent", [""])[0], tokens),
        jumps=one("proxyjump"),
        command=_expand(one("proxycommand"), tokens),
        known_as=one("hostkeyalias"),
        user_known_hosts=_paths(said.get("userknownhostsfile"), USER_FILES, tokens),
        global_known_hosts=_paths(said.get("globalknownhostsfile"), GLOBAL_FILES, tokens),
    )


def _port(text: str) -> int:
    if not text.isdecimal() or not 0 < int(text) < 65536:
        raise ValueError(f"{text!r} is not a port")
    return int(text)


def _tokens(known: Mapping[str, str], alias: str) -> Mapping[str, str]:
    """ssh_config(5), TOKENS."""
    own = socket.gethostname()
    mine = {"d": str(Path.home()), "i": str(os.getuid()), "u": getpass.getuser(), "l": own, "L": own.partition(".")[0]}
    digest = hashlib.sha1(f"{own}{known['h']}{known['p']}{known['r']}".encode(), usedforsecurity=False).hexdigest()
    return {**known, **mine, "C": digest, "k": alias or known["n"], "j": "", "%": "%"}


def _expand(text: str, tokens: Mapping[str, str]) -> str:
    """Raises ValueError."""

    def token(found: re.Match[str]) -> str:
        if found[1] not in tokens:
            raise ValueError(f"{text!r} has %{found[1]}, which is not supported here")
        return tokens[found[1]]

    return _TOKEN.sub(token, text)


def _path(text: str, tokens: Mapping[str, str]) -> Path:
    named = _VARIABLE.sub(lambda found: os.environ.get(found[1], ""), _expand(text.strip('"'), tokens))
    return Path(named).expanduser()


def _paths(said: list[str] | None, otherwise: Sequence[Path], tokens: Mapping[str, str]) -> tuple[Path, ...]:
    """ssh -G prints the files of one keyword on a line without quotes: a file's name may have blanks, as a home may.

    Its own default is the home in passwd, and ours $HOME.
    """
    text = said[0] if said else ""
    if text.lower() == "none":
        return ()
    words = re.split(r"\s+(?=[/~%])", text) if text else []
    own = pwd.getpwuid(os.getuid()).pw_dir
    if not words or words == [str(path).replace("~", own, 1) for path in otherwise]:
        return tuple(path.expanduser() for path in otherwise)
    return tuple(_path(word, tokens) for word in words)


def _agent(text: str, tokens: Mapping[str, str]) -> str | None:
    if text in ("", "SSH_AUTH_SOCK"):
        return None
    if text.lower() == "none":
        return ""
    return os.environ.get(text[1:], "") if text.startswith("$") and "{" not in text else str(_path(text, tokens))
