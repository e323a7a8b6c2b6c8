"""SSH to one host, verified, with a time limit on everything."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

import paramiko

from coordinator.hosts.deploy.errors import CommandFailed, HostUnreachable, LoginRefused, SessionRefused
from coordinator.hosts.deploy.framing import ONE, Framed, framed
from coordinator.hosts.deploy.hostkeys import WrongHostKey
from coordinator.hosts.deploy.login import CONNECT_SECONDS, VerifiedLogin
from coordinator.hosts.deploy.onhost.words import last_words
from inventory.network import Ssh
from support.retry import retrying

STALL_SECONDS = 30.0
"""An upload that makes no progress for this long has failed. Its total time depends on the line."""
KEEPALIVE_SECONDS = 10
GONE_SECONDS = 30.0
"""A host that acknowledges nothing for this long is unreachable. TCP itself would wait a quarter of an hour."""
HINT = "check that the host is up and reachable, and that its login shell does not wait for input; then try again"
UPLOAD_BLOCK = 1 << 18
SESSION_SECONDS = 10.0
"""How long a server may take to close one session before it opens the next."""
ATTEMPTS = 4
"""Connection attempts. A busy sshd drops connections that are not logged in yet (MaxStartups), so a retry helps."""


class Dropped(HostUnreachable):
    """The server accepted the connection, and closed it before the login."""


@dataclass(frozen=True)
class Completed:
    """How a command on a host ended."""

    status: int
    stdout: bytes
    stderr: bytes


class HostConnection:
    """One SSH connection. A context manager: opened at the beginning, closed at the end."""

    def __init__(self, ssh: Ssh) -> None:
        """Connects to nothing yet. Raises HostKeyRefused, LoginRefused over files that cannot be read."""
        self.ssh = ssh
        self.login = VerifiedLogin(ssh)
        self._closed = False
        self._sessions = 0
        self.sent = 0
        """Bytes of files that were uploaded."""

    def __enter__(self) -> HostConnection:
        self.open()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def alive(self) -> bool:
        """Whether the connection is open, as far as is known."""
        return bool(self.login.is_connected)

    def open(self) -> None:
        """Connects, verifies and logs in. Raises HostUnreachable, HostKeyRefused, LoginRefused."""

        async def attempt() -> None:
            self._check_open()
            open_login(self.login)
            self._check_open()

        try:
            asyncio.run(retrying(attempt, on=Dropped, attempts=ATTEMPTS, first=0.5, most=4.0))
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Closes it for good. Other threads that use or open it get CommandFailed."""
        self._closed = True
        login: object = self.login
        while isinstance(login, VerifiedLogin):
            login.client.close()
            login = login.gateway

    def _check_open(self) -> None:
        if self._closed:
            raise CommandFailed(f"the connection to {self.login.place} was given up")

    def command(self, arguments: Sequence[str], stdin: bytes = b"", *, seconds: float) -> Completed:
        """Runs a command, quoted word by word, for at most this many seconds.

        Uses the channel directly, because Fabric's `run` feeds stdin one character at a time. Raises CommandFailed,
        but not for a non-zero status, and LoginRefused if the user's login shell runs no commands.
        """
        deadline = time.monotonic() + seconds
        command = framed(arguments)
        with self._channel(command, " ".join(arguments), seconds) as channel:
            channel.sendall(stdin)
            channel.shutdown_write()
            done = self._end(channel, deadline)
        stdout = command.own(done.stdout)
        if stdout is None:
            said = last_words(done.stdout + b"\n" + done.stderr) or f"it ends with status {done.status}"
            raise LoginRefused(
                f"the login shell of {self.login.user} on {self.login.place} runs no commands ({said}): give the user "
                f"a shell such as /bin/sh, or name another user (ssh.user)"
            )
        return Completed(done.status, stdout, command.own(done.stderr) or b"")

    def stream(self, arguments: Sequence[str], stdin: bytes = b"") -> Iterator[bytes]:
        """Streams what a command prints, errors included, until it ends. Raises CommandFailed."""
        command = framed(arguments, ONE)
        with self._channel(command, " ".join(arguments), CONNECT_SECONDS) as channel:
            channel.sendall(stdin)
            channel.shutdown_write()
            channel.settimeout(None)
            begun = b""
            while (own := command.own(begun)) is None and (chunk := channel.recv(65536)):
                begun += chunk
            if own:
                yield own
            while chunk := channel.recv(65536):
                yield chunk

    def upload(self, local: Path, remote: str) -> None:
        """Sends a file through a command's standard input: not every sshd offers sftp. Raises CommandFailed."""
        command = framed(["sh", "-c", 'exec cat > "$1"', "sh", remote])
        with self._channel(command, f"sending {local.name}", STALL_SECONDS) as channel, local.open("rb") as file:
            try:
                while block := file.read(UPLOAD_BLOCK):
                    channel.sendall(block)
                channel.shutdown_write()
            except TimeoutError:
                raise
            except OSError:
                pass  # the command ended early, and its output says why
            done = self._end(channel, time.monotonic() + STALL_SECONDS)
        if done.status:
            said = last_words(command.own(done.stderr) or done.stderr) or f"status {done.status}"
            raise CommandFailed(f"{remote} cannot be written ({said}); look at the disk's free space")
        self.sent += local.stat().st_size

    def _end(self, channel: paramiko.Channel, deadline: float) -> Completed:
        """What a command and the login shell printed, and the status. Raises TimeoutError, EOFError."""
        stdout = b"".join(iter(lambda: _receive(channel.recv, channel, deadline), b""))
        stderr = b"".join(iter(lambda: _receive(channel.recv_stderr, channel, deadline), b""))
        if not channel.status_event.wait(max(0.0, deadline - time.monotonic())):
            raise TimeoutError
        status = channel.recv_exit_status()
        if status < 0 and not self.alive:  # the connection was lost, and with it the status
            raise EOFError
        return Completed(status, stdout, stderr)

    @contextlib.contextmanager
    def _channel(self, command: Framed, what: str, seconds: float) -> Iterator[paramiko.Channel]:
        with self._failing(what, seconds), contextlib.closing(self._session()) as channel:
            self._sessions += 1
            try:
                channel.settimeout(seconds)
                with _after(seconds, channel.close):  # paramiko itself waits for the server without a limit
                    channel.exec_command(command.line)
                yield channel
            finally:
                self._sessions -= 1

    def _session(self) -> paramiko.Channel:
        """Raises SessionRefused, and what paramiko raises.

        If sshd allows one session at a time, it may still be closing the previous one.
        """

        async def attempt() -> paramiko.Channel:
            opened: paramiko.Channel = self.login.create_session()
            return opened

        def may_end(error: BaseException) -> bool:
            return isinstance(error, paramiko.ChannelException) and self._sessions == 0

        try:
            return asyncio.run(retrying(attempt, on=may_end, deadline=SESSION_SECONDS, most=0.5))
        except paramiko.ChannelException as error:
            raise SessionRefused(
                f"{self.login.place} refuses another session ({error.text}): raise MaxSessions of its sshd to at "
                f"least 1"
            ) from error

    @contextlib.contextmanager
    def _failing(self, what: str, seconds: float) -> Iterator[None]:
        place = self.login.place
        if not self.alive:
            raise CommandFailed(f"the connection to {place} is closed; {HINT}")
        try:
            yield
        except TimeoutError as error:
            raise CommandFailed(f"no answer from {place} within {seconds:g} s ({what[:100]}); {HINT}") from error
        except (paramiko.SSHException, OSError, EOFError) as error:
            said = f" ({error})" if str(error) else ""
            raise CommandFailed(f"the connection to {place} broke{said}; {HINT}") from error


@contextlib.contextmanager
def _after(seconds: float, end: Callable[[], object]) -> Iterator[None]:
    """Calls `end` from another thread if the block takes longer."""
    timer = threading.Timer(seconds, end)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def open_login(login: VerifiedLogin) -> None:
    """Connects through all hops. Raises HostUnreachable, HostKeyRefused, LoginRefused.

    A server has a key of each type and shows one. If that one is unknown, its keys of other types are tried, too.
    """
    if isinstance(login.gateway, VerifiedLogin):
        open_login(login.gateway)
    login.check_key()
    disabled: list[str] = []
    wrong: WrongHostKey | None = None
    while not login.is_connected:
        login.connect_kwargs["disabled_algorithms"] = {"keys": disabled}
        try:
            login.open()
            login.transport.set_keepalive(KEEPALIVE_SECONDS)
            if isinstance(login.transport.sock, socket.socket):  # otherwise it goes through a previous hop
                milliseconds = int(GONE_SECONDS * 1000)
                login.transport.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, milliseconds)
        except WrongHostKey as error:
            wrong = wrong or error
            disabled = [*disabled, *error.algorithms]
            login.client.close()
        except paramiko.ssh_exception.IncompatiblePeer as error:
            raise wrong or HostUnreachable(
                f"{login.place} and coord have no SSH algorithm in common: {error}"
            ) from None
        except (paramiko.SSHException, EOFError, OSError, ValueError) as error:  # ValueError: not valid SSH
            login.client.close()
            raise _explained(login, error) from error


def _explained(login: VerifiedLogin, error: Exception) -> Exception:
    refused = isinstance(error, paramiko.AuthenticationException) or "No authentication methods" in str(error)
    if refused:
        return LoginRefused(
            f"{login.place} accepts none of our keys for {login.user} ({str(error).rstrip('.')}): correct ssh.user and"
            f" ssh.key in the inventory, or add the key to ssh-agent"
        )
    if isinstance(error, paramiko.SSHException | EOFError | ConnectionResetError | ValueError):
        return Dropped(f"{login.place} closed the connection before the login: {error or 'no greeting'}")
    said = (error.strerror if isinstance(error, OSError) else "") or str(error) or f"no answer in {CONNECT_SECONDS} s"
    return HostUnreachable(f"no SSH at {login.place}: {said}; check that it is up, and its address")


def _receive(read: Any, channel: paramiko.Channel, deadline: float) -> bytes:
    channel.settimeout(max(0.01, deadline - time.monotonic()))
    return bytes(read(65536))
