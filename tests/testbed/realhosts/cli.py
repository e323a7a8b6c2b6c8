"""Real Debian hosts on one machine: each with its own systemd, sshd, disk and address.

usage: hosts VERB ...

  check                     whether this machine can carry them, and why not (status 77)
  up N [SUITE]              start h1 to hN; those that do not exist yet are made of SUITE: bookworm
                            (Debian 12, Python 3.11; the default) or trixie (Debian 13, Python 3.13).
                            The first time of a suite takes about a minute more
  up HOST... [SUITE]        start just these
  list                      name, address, up or down, suite, and what is cut or firewalled
  ssh HOST [COMMAND...]     run COMMAND on HOST as root, over the network
  console HOST COMMAND...   the same, also while HOST is cut or firewalled
  cut HOST | heal HOST      unplug HOST from the network, plug it in again
  kill HOST                 pull the power: every process on HOST dies at once, its disk stays
  start HOST                power HOST on again
  reboot HOST | --all       reboot cleanly, and wait until it is back
  firewall HOST out-only [PORT...]   let in only answers, and new TCP connections to the PORTs
  firewall HOST off         let everything in
  odd HOST ODDITY...        make HOST one as people have them: `hosts odd` lists what there is
  folder                    the state folder of the testbed that is up; status 1 when none is
  down [--base]             remove all hosts, and with --base the base images too
  down HOST...              remove just these; the last one takes the network with it

Host hN is 10.99.0.(10+N); this machine is 10.99.0.1 to it. Hosts have no way to the internet.
Users on each host: root; operator (sudo without a password); careful (sudo asks for "testbed-password").
$TESTBED/id lets in all three, $TESTBED/known_hosts has the hosts' own keys; TESTBED is /var/tmp/testbed
unless set. One testbed at a time can be up on a machine.
"""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable, Sequence

from . import access, base, capability, limits, machine, network, oddities
from .locks import MACHINE, locked
from .settings import DEFAULT_SUITE, FAILED, MISUSED, MOST_HOSTS, Folder, Host, TestbedError


def main(arguments: Sequence[str]) -> int:
    """Do what a command line says; returns the exit status."""
    try:
        return _dispatch(Folder.from_environment(), list(arguments))
    except TestbedError as error:
        sys.stderr.write(f"hosts: {error}\n")
        return error.status
    except OSError as error:
        sys.stderr.write(f"hosts: {error}\n")
        return FAILED
    except KeyboardInterrupt:
        sys.stderr.write("hosts: interrupted; `hosts down` removes what there is\n")
        return 130


def _dispatch(folder: Folder, arguments: list[str]) -> int:
    match arguments:
        case ["check"]:
            return _check(folder)
        case ["up", _, *_]:
            _up(folder, *_wanted(arguments[1:]))
        case ["list"]:
            for host in folder.hosts():
                _say(_describe(folder, host))
        case ["ssh", name, *command]:
            return subprocess.call([*access.ssh_command(folder, folder.existing(name)), *command])
        case ["console", name, *command] if command:
            host = folder.existing(name)
            return subprocess.call(
                ["nsenter", f"--net={network.namespace(host)}", *access.ssh_command(folder, host), *command]
            )
        case ["cut" | "heal" | "kill" as verb, name]:
            _change({"cut": machine.cut, "heal": machine.heal, "kill": machine.power_off}[verb], folder, name)
        case ["start", name]:
            machine.wait_ready(folder, _change(machine.power_on, folder, name))
        case ["reboot", "--all"]:
            _reboot(folder, [host for host in folder.hosts() if machine.running(folder, host)])
        case ["reboot", name]:
            _reboot(folder, [folder.existing(name)])
        case ["firewall", name, "out-only", *ports]:
            numbers = [_number(port, 65535) for port in ports]
            _change(lambda folder, host: machine.set_firewall(folder, host, numbers), folder, name)
        case ["firewall", name, "off"]:
            _change(lambda folder, host: machine.set_firewall(folder, host, None), folder, name)
        case ["odd"]:
            for oddity in oddities.Oddity:
                _say(oddity.value)
        case ["odd", name, *words] if words:
            oddities.bring_about(folder, folder.existing(name), oddities.named(words))
        case ["folder"]:
            return _folder()
        case ["down"]:
            _down(folder, folder.hosts())
        case ["down", "--base"]:
            _down(folder, folder.hosts())
            _remove_bases(folder)
        case ["down", *names]:
            _down(folder, [folder.existing(name) for name in names])
        case ["help" | "--help" | "-h"]:
            _say(__doc__.rstrip())
        case _:
            sys.stderr.write(__doc__)
            return MISUSED
    return 0


def _check(folder: Folder) -> int:
    capability.refuse(capability.reasons_against(folder))
    missing = capability.missing_packages()
    _say(f"can run here, after installing {' '.join(missing)} (`hosts up` does that)" if missing else "can run here")
    return 0


def _wanted(words: list[str]) -> tuple[list[Host], str]:
    """The hosts and the suite that `up` is asked for."""
    suite = DEFAULT_SUITE if len(words) == 1 or words[-1][-1:].isdigit() else words.pop()
    if len(words) == 1 and not words[0].startswith("h"):
        return [Host(number) for number in range(1, _number(words[0], MOST_HOSTS) + 1)], suite
    return [Host.named(word) for word in words], suite


def _up(folder: Folder, wanted: Sequence[Host], suite: str) -> None:
    began = time.monotonic()
    capability.require(folder)
    with locked(MACHINE):
        network.ours(folder)  # before a base is built for nothing
    base.ensure(folder, suite)
    with locked(MACHINE):
        network.claim(folder)
        limits.raise_limits(folder)
        access.ensure_client_key(folder)
        for host in wanted:
            machine.create(folder, host, suite)
        access.write_known_hosts(folder)
        for host in wanted:
            machine.power_on(folder, host)
    for host in wanted:
        machine.wait_ready(folder, host)
        _say(f"{host.name} {host.address}")
    sys.stderr.write(f"hosts: {len(wanted)} up in {time.monotonic() - began:.1f} s\n")


def _change(change: Callable[[Folder, Host], None], folder: Folder, name: str) -> Host:
    """Do something to a host, alone on this machine."""
    capability.require_root()
    host = folder.existing(name)
    with locked(MACHINE):
        network.claim(folder)
        change(folder, host)
    return host


def _reboot(folder: Folder, hosts: Sequence[Host]) -> None:
    capability.require_root()
    for host, init in [(host, machine.reboot(folder, host)) for host in hosts]:
        machine.wait_ready(folder, host, after=init)


def _folder() -> int:
    capability.require_root()
    with locked(MACHINE):
        there = network.owner()
    if there is None:
        sys.stderr.write("hosts: no testbed is up\n")
        return FAILED
    _say(str(there))
    return 0


def _down(folder: Folder, hosts: Sequence[Host]) -> None:
    capability.require_root()
    with locked(MACHINE):
        network.ours(folder)  # name spaces of the same names would be another testbed's
        for host in hosts:
            machine.remove(folder, host)
        if folder.hosts():
            access.write_known_hosts(folder)
            return
        network.release(folder)
        limits.restore_limits(folder)
        for path in (folder.key, folder.key.with_suffix(".pub"), folder.known_hosts):
            path.unlink(missing_ok=True)


def _remove_bases(folder: Folder) -> None:
    base.remove(folder)
    if folder.path.is_dir() and not any(folder.path.iterdir()):
        folder.path.rmdir()


def _describe(folder: Folder, host: Host) -> str:
    state = "up" if machine.running(folder, host) else "down"
    words = [host.name, host.address, state, folder.suite(host) or "half-made"]
    if machine.is_cut(folder, host):
        words.append("cut")
    if (ports := machine.open_ports(folder, host)) is not None:
        words.append(f"out-only:{','.join(map(str, ports))}")
    return " ".join(words)


def _number(text: str, most: int) -> int:
    """A decimal number from 1 to `most`; raises TestbedError (usage) for anything else."""
    if not text.isascii() or not text.isdigit() or not 1 <= int(text) <= most:
        raise TestbedError(f"{text!r} is not a number from 1 to {most}", MISUSED)
    return int(text)


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()
