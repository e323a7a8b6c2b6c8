"""The paths on a host, and the text of the agent's systemd unit. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from coordinator.hosts.deploy.onhost.pythons import HOMES
from inventory.network import BUNDLED, Host

ROOT = "/opt/bootcoord"
DATA = "/var/lib/bootcoord"
PROXIES = ("http_proxy", "https_proxy", "grpc_proxy", "all_proxy", "ftp_proxy", "no_proxy")
"""Variables that systemd itself may set (DefaultEnvironment). An agent dials its coordinator and loopback directly."""

_WORD = re.compile(r"[A-Za-z0-9_@+.,=:/-]+", re.ASCII)


@dataclass(frozen=True)
class Installation:
    """What a host should have installed for one network."""

    network: str
    host: Host
    python: str
    bundles: Sequence[str]
    """sha256 of the archives, in the order of the import path."""
    runtime: str
    """sha256 of the bundled nodeos' archive; empty if the host has its own nodeos."""

    @property
    def unit(self) -> str:
        """The unit's name: one per network, so that networks on one host do not collide."""
        return unit_name(self.network)

    @property
    def data(self) -> str:
        """The data folder of the agent and its nodes."""
        return data_dir(self.host, self.network)

    @property
    def environment(self) -> Mapping[str, str]:
        """The environment of the agent, and of whatever else runs from its bundle."""
        path = ":".join(f"{ROOT}/bundles/{sha256}" for sha256 in self.bundles)
        # Where `support.bundled` looks for its nodeos; a host has no internet to fetch another from.
        cache = {"XDG_CACHE_HOME": f"{ROOT}/runtimes/{self.runtime}"} if self.runtime else {}
        return {"PYTHONPATH": path, **cache}

    @property
    def options(self) -> tuple[str, ...]:
        """Of `agent serve`, besides its folder."""
        return ("--metrics", self.host.metrics) if self.host.metrics else ()

    def unit_text(self) -> str:
        """The unit's text. Raises ValueError on a value that systemd would split into words."""
        words = (self.network, self.host.user, self.data, self.python, *self.environment.values(), *self.options)
        for word in words:
            if not _WORD.fullmatch(word):
                raise ValueError(f"cannot be written in a systemd unit: {word!r}")
        return _UNIT.format(
            network=self.network,
            user=self.host.user,
            data=self.data,
            python=self.python,
            options="".join(f" {option}" for option in self.options),
            environment="\n".join(f"Environment={name}={value}" for name, value in self.environment.items()),
            homes=_homes(self.data, self.host.nodeos, self.python),
            proxies=" ".join(sorted({*PROXIES, *map(str.upper, PROXIES)})),
        )


def unit_name(network: str) -> str:
    """The agent's unit on a host with systemd."""
    return f"bootcoord-{network}.service"


def data_dir(host: Host, network: str) -> str:
    """The folder of an SSH host's agent and nodes."""
    return host.data.rstrip("/") or f"{DATA}/{network}"


def _homes(data: str, nodeos: str, python: str) -> str:
    """ProtectHome's value: homes are hidden from the agent and nodes unless something of theirs is in one."""
    inside = any(path.startswith(HOMES) for path in (data, python, nodeos if nodeos != BUNDLED else ""))
    return "read-only" if inside else "yes"


# Nodes are the agent's children, and outlive it: hence KillMode=process (docs/adr/0006-installing-over-ssh.md), and
# OOMPolicy=continue, or the kernel's killing one node would stop the agent. No MemoryDenyWriteExecute: nodeos compiles
# contracts in memory. When the host shuts down, systemd itself sends the nodes SIGTERM and waits.
_UNIT = """\
[Unit]
Description=bootcoord agent of {network}
Wants=network-online.target
After=network-online.target
StartLimitIntervalSec=0

[Service]
Type=exec
User={user}
{environment}
UnsetEnvironment={proxies}
ExecStart={python} -P -s -m agent.cli serve --data {data}{options}
WorkingDirectory={data}
Restart=always
RestartSec=3
KillMode=process
OOMPolicy=continue
TimeoutStopSec=30
LimitNOFILE=65536
LimitCORE=0
TasksMax=8192
UMask=0077
StandardOutput=journal
StandardError=journal
SyslogIdentifier=bootcoord-{network}
NoNewPrivileges=yes
CapabilityBoundingSet=
AmbientCapabilities=
ProtectSystem=strict
ReadWritePaths={data}
ProtectHome={homes}
PrivateTmp=yes
PrivateDevices=yes
ProtectClock=yes
ProtectControlGroups=yes
ProtectHostname=yes
ProtectKernelLogs=yes
ProtectKernelModules=yes
ProtectKernelTunables=yes
LockPersonality=yes
RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6 AF_NETLINK
RestrictNamespaces=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
SystemCallArchitectures=native

[Install]
WantedBy=multi-user.target
"""
