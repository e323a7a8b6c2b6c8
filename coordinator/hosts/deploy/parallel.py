"""Works on many hosts concurrently: a bounded number at a time, each with a time limit, independent of each other."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import contextmanager
from typing import TYPE_CHECKING, TypeVar

from coordinator.hosts.deploy.errors import DeployError
from inventory.network import Host
from support.journal import JournalError

if TYPE_CHECKING:
    from coordinator.hosts.deploy.connection import HostConnection

T = TypeVar("T")

log = logging.getLogger(__name__)

AT_ONCE = 8
"""Hosts at a time. The operator's machine encrypts for all of them, and they share its uplink."""
HOST_SECONDS = 1200.0
"""Time limit for all that is done on one host. Sending 50 MB takes 800 s at 0.5 Mbit/s."""

LOOK_SECONDS = 0.2
"""Seconds between two checks for Ctrl-C."""


class Interrupted(DeployError):
    """The operator interrupted the work."""


def on_each(
    hosts: Iterable[Host],
    work: Callable[[Host, HostConnection], T],
    *,
    at_once: int = AT_ONCE,
    seconds: float = HOST_SECONDS,
    ended: Callable[[str, T | DeployError], None] = lambda _host, _result: None,
    stop: threading.Event | None = None,
) -> dict[str, T | DeployError]:
    """Connects to each host and does the work there. Returns the work's result or its error, by the host's name.

    ended: is called with each host's result as soon as it is known, from several threads. seconds: limit for one host.
    stop: set by another thread, it closes all connections, as Ctrl-C does. Interrupted is raised then, and the errors
    that this causes are not reported.
    """
    given_up = stop or threading.Event()
    chosen = [host for host in hosts if host.ssh is not None]
    connections: set[HostConnection] = set()

    def on_one(host: Host) -> T | DeployError:
        result = _attempt(host, work, seconds, connections, given_up)
        if not (given_up.is_set() and isinstance(result, DeployError)):
            ended(host.name, result)
        return result

    with ThreadPoolExecutor(max(1, min(at_once, len(chosen))), thread_name_prefix="deploy") as pool:
        running = {host.name: pool.submit(on_one, host) for host in chosen}
        try:
            while not all(future.done() for future in running.values()):
                if given_up.is_set():
                    raise Interrupted("interrupted")
                wait(running.values(), LOOK_SECONDS)
            return {name: future.result() for name, future in running.items()}
        except BaseException:
            given_up.set()
            for future in running.values():
                future.cancel()
            for connection in list(connections):
                connection.close()
            raise


def _attempt(
    host: Host,
    work: Callable[[Host, HostConnection], T],
    seconds: float,
    connections: set[HostConnection],
    given_up: threading.Event,
) -> T | DeployError:
    """The result of the work on one host. Its connection is in `connections` meanwhile."""
    try:
        if host.ssh is None:
            raise DeployError("this is the operator's own machine")
        from coordinator.hosts.deploy.connection import HostConnection  # paramiko takes 0.1 s to import

        connection = HostConnection(host.ssh)
        connections.add(connection)
        try:
            if given_up.is_set():  # the interrupt came before it was in `connections`
                raise Interrupted("interrupted")
            with _cut_off_after(seconds, connection), connection:
                return work(host, connection)
        finally:
            connections.discard(connection)
    except DeployError as error:
        return error
    except (OSError, ValueError, JournalError) as error:  # an error on this machine; other hosts may succeed
        return DeployError(str(error))
    except Exception as error:
        log.exception("%s", host.name)
        return DeployError(f"a fault of coord ({type(error).__name__})")


@contextmanager
def _cut_off_after(seconds: float, connection: HostConnection) -> Iterator[None]:
    """Closes the connection if the block takes longer, and says so in the resulting error."""
    overdue = threading.Event()

    def cut_off() -> None:
        overdue.set()
        connection.close()

    timer = threading.Timer(seconds, cut_off)
    timer.daemon = True
    timer.start()
    try:
        yield
    except DeployError as error:
        if overdue.is_set():
            raise DeployError(f"not done within {seconds:g} s; last: {error}") from error
        raise
    finally:
        timer.cancel()
