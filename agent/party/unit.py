"""The systemd unit that keeps a party's agent running, for `agent serve --unit`. Pure."""

from __future__ import annotations

import re
from pathlib import Path

from agent.errors import ConfigError

_WORD = re.compile(r"[A-Za-z0-9_@+.,=:/-]+", re.ASCII)

_UNIT = """\
# bootcoord: the agent of {account} in the network {network}. Install it with
#   agent serve --data {data} --unit | sudo tee /etc/systemd/system/bootcoord-{network}-{account}.service
#   sudo systemctl enable --now bootcoord-{network}-{account}
[Unit]
Description=bootcoord agent of {account} in {network}
After=network-online.target
Wants=network-online.target

[Service]
User={user}
ExecStart={python} -m agent.cli serve --data {data}
Restart=on-failure
# A restart mends neither wrong settings (2) nor ended access (3).
RestartPreventExitStatus=2 3
RestartSec=5
# The node outlives its agent, so an upgrade of the agent does not interrupt its blocks.
KillMode=process
UMask=0077
NoNewPrivileges=yes
ProtectSystem=strict
ReadWritePaths={data} -{cache}
PrivateTmp=no

[Install]
WantedBy=multi-user.target
"""


def unit_text(network: str, account: str, data: Path, cache: Path, user: str, python: str) -> str:
    """The unit's text. cache: the folder of the bundled nodeos.

    Raises ConfigError for values that systemd would not read as one word.
    """
    for word in (network, account, str(data), str(cache), user, python):
        if not _WORD.fullmatch(word):
            raise ConfigError(f"cannot stand in a systemd unit: {word!r}")
    return _UNIT.format(network=network, account=account, data=data, cache=cache, user=user, python=python)
