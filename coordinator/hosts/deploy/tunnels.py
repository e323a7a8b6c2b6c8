"""SSH tunnels for agents that cannot reach the operator's machine: a port on the host's loopback leads here.

While this runs, sshd on the host listens on 127.0.0.1, on the coordinator's port (like `ssh -R`).
"""

from __future__ import annotations

import asyncio
import math
import threading
from collections.abc import Callable, Sequence
from types import TracebackType

import paramiko

from coordinator.hosts.deploy.connection import HostConnection
from coordinator.hosts.deploy.errors import DeployError, HostKeyRefused, LoginRefused
from inventory.network import Host
from support.retry import retrying

LOOK_SECONDS = 1.0
"""Seconds between two checks of the connection."""
LONGEST_PAUSE = 2.0
"""Maximum seconds between two attempts to reconnect."""


class Tunnels:
    """A context manager: keeps one tunnel per host, and reconnects it when it breaks."""

    def __init__(self, hosts: Sequence[Host], port: int, report: Callable[[str, str | None], None]) -> None:
        """report: is told a host and the problem with its tunnel; None if the tunnel is up. port: the coordinator's, on
        this machine's loopback; the hosts use the same one.
        """
        self._port = port
        self._report = report
        self._ended = threading.Event()
        self._threads = [
            threading.Thread(target=self._keep, args=(host,), name=f"tunnel {host.name}", daemon=True) for host in hosts
        ]

    def __enter__(self) -> Tunnels:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ended.set()
        for thread in self._threads:
            thread.join(LOOK_SECONDS * 5)

    def _keep(self, host: Host) -> None:
        """Keeps the tunnel until the end, or until a retry is pointless."""
        said = ""

        async def once() -> None:
            await asyncio.to_thread(self._hold, host)

        def worth_it(error: BaseException) -> bool:
            lasting = isinstance(error, HostKeyRefused | LoginRefused)
            return isinstance(error, DeployError) and not lasting and not self._ended.is_set()

        def told(error: BaseException) -> None:
            nonlocal said
            if str(error) != said:
                said = str(error)
                self._report(host.name, f"tunnel: {said}")

        try:
            asyncio.run(
                retrying(once, on=worth_it, deadline=math.inf, first=0.5, most=LONGEST_PAUSE, before_retry=told)
            )
        except DeployError as error:
            if not self._ended.is_set():
                told(error)

    def _hold(self, host: Host) -> None:
        if host.ssh is None:
            raise DeployError("this is the operator's own machine: it needs no tunnel")
        with HostConnection(host.ssh) as connection:
            try:
                with connection.login.forward_remote(self._port, local_host="127.0.0.1"):
                    self._report(host.name, None)
                    while not self._ended.wait(LOOK_SECONDS):
                        if not connection.alive:
                            raise DeployError("the connection broke")
            except paramiko.SSHException as error:
                raise DeployError(
                    f"port {self._port} of its loopback cannot be forwarded ({error}): is it taken there, or does sshd "
                    f"forbid AllowTcpForwarding?"
                ) from error
