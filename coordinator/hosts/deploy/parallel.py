"""Work on many hosts at once: so many at a time, each with a time limit, and none spoils the others'."""

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
"""Hosts at a time: the operator's processor encrypts for all of them, and they share the operator's line."""
HOST_SECONDS = 1200.0
"""Time limit for all that is done on one host. Sending 50 MB takes 800 s at 0.5 Mbit/s."""

LOOK_SECONDS = 0.2
"""Between two looks at whether the operator gave up."""


class Interrupted(DeployError):
    """The operator gave up."""


def on_each(
    hosts: Iterable[Host],
    work: Callable[[Host, HostConnection], T],
    *,
    at_once: int = AT_ONCE,
    seconds: float = HOST_SECONDS,
    ended: Callable[[str, T | DeployError], None] = lambda _host, _result: None,
    stop: threading.Event | None = None,
) -> dict[str, T | DeployError]:
    """Connects to each host and does the work there: what it returned, or why it failed, by the host's name.

    ended: is told the same of each host as soon as it is known, from several threads. seconds: for one host. stop: set
    by another thread, it ends all connections, as Ctrl-C does; Interrupted is raised then, and of what broke by that
    nothing is told.
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
    """What the work on one host came to; its connection is among the connections for as long as that takes."""
    try:
        if host.ssh is None:
            raise DeployError("this is the operator's own machine")
        from coordinator.hosts.deploy.connection import HostConnection  # paramiko takes 0.1 s to import

        connection = HostConnection(host.ssh)
        connections.add(connection)
        try:
            if given_up.is_set():  # before it was among those that are closed then
                raise Interrupted("interrupted")
            with _cut_off_after(seconds, connection), connection:
                return work(host, connection)
        finally:
            connections.discard(connection)
    except DeployError as error:
        return error
    except (OSError, ValueError, JournalError) as error:  # on this machine: the others may fare better
        return DeployError(str(error))
    except Exception as error:
        log.exception("%s", host.name)
        return DeployError(f"a fault of coord ({type(error).__name__})")


@contextmanager
def _cut_off_after(seconds: float, connection: HostConnection) -> Iterator[None]:
    """Closes the connection when the block takes longer, and says so in the error that follows from that."""
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
