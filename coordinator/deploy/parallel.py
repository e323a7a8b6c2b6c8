"""Work on many hosts at once: so many at a time, each with a time limit, and none spoils the others'."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor, wait
from typing import TypeVar

from coordinator.deploy.connection import HostConnection
from coordinator.deploy.errors import DeployError
from inventory.network import Host
from support.journal import JournalError

T = TypeVar("T")

AT_ONCE = 8
"""Hosts at a time: the operator's processor encrypts for all of them, and its line is shared."""
HOST_SECONDS = 1200.0
"""For all that is done on one host. Sending 50 MB takes 800 s at 0.5 Mbit/s."""

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

    ended: told the same of each host as soon as it is known, from several threads.

    Being interrupted ends all connections; so does `stop` from another thread, and then Interrupted is raised.
    """
    chosen = [host for host in hosts if host.ssh is not None]
    open_ones: set[HostConnection] = set()

    def one(host: Host) -> T | DeployError:
        result = attempt(host)
        ended(host.name, result)
        return result

    def attempt(host: Host) -> T | DeployError:
        timer = None
        connection = None
        try:
            if host.ssh is None:
                raise DeployError("this is the operator's own machine")
            connection = HostConnection(host.ssh)
            open_ones.add(connection)
            timer = threading.Timer(seconds, connection.close)
            timer.daemon = True
            timer.start()
            with connection:
                return work(host, connection)
        except DeployError as error:
            if timer is not None and not timer.is_alive():
                return DeployError(f"not done within {seconds:g} s; last: {error}")
            return error
        except (OSError, ValueError, JournalError) as error:  # on this machine: the others may fare better
            return DeployError(str(error))
        finally:
            if timer is not None:
                timer.cancel()
            if connection is not None:
                open_ones.discard(connection)

    with ThreadPoolExecutor(max(1, min(at_once, len(chosen))), thread_name_prefix="deploy") as pool:
        running = {host.name: pool.submit(one, host) for host in chosen}
        try:
            while not all(future.done() for future in running.values()):
                if stop is not None and stop.is_set():
                    raise Interrupted("interrupted")
                wait(running.values(), LOOK_SECONDS)
            return {name: future.result() for name, future in running.items()}
        except BaseException:
            if stop is not None:
                stop.set()
            for future in running.values():
                future.cancel()
            for connection in list(open_ones):
                connection.close()
            raise
