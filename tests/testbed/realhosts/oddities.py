"""Hosts as people have them: each oddity is a few shell lines that root runs on the host."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum

from . import access
from .command import run
from .settings import MISUSED, Folder, Host, TestbedError


class Oddity(StrEnum):
    """What a host can be made to do beside the usual."""

    PRINTS_AT_LOGIN = "prints-at-login"
    COMPLAINS_AT_LOGIN = "complains-at-login"
    UMASK_077 = "umask-077"
    FOREIGN_LOCALE = "foreign-locale"
    PYTHON_IN_ROOTS_HOME = "python-in-roots-home"
    ONE_SESSION = "one-session"
    NO_SFTP = "no-sftp"
    NO_SHELL = "no-shell"
    REQUIRETTY = "requiretty"
    PROXIES = "proxies"
    NOEXEC_TMP = "noexec-tmp"
    NOEXEC_DATA = "noexec-data"
    NOEXEC_OPT = "noexec-opt"
    SMALL_DISK = "small-disk"
    FULL_DISK = "full-disk"
    CLOCK_OFF = "clock-off"


# What all users' shells do first, whether they are interactive or not.
_AT_LOGIN = "for file in /root/.bashrc /home/*/.bashrc; do sed -i '1i {}' $file; done"
_SSHD = "echo '{}' >> /etc/ssh/sshd_config.d/odd.conf; systemctl restart ssh"
_NOEXEC = "mount --bind {0} {0} && mount -o remount,bind,noexec {0}"
_RAM = "mkdir -p {0} && mount -t tmpfs -o {1} tmpfs {0}"
_PROXY = "http_proxy=http://192.0.2.1:3128"

_SCRIPTS = {
    Oddity.PRINTS_AT_LOGIN: _AT_LOGIN.format("echo hello"),
    Oddity.COMPLAINS_AT_LOGIN: _AT_LOGIN.format('echo "nvm is not compatible with this" >\\&2'),
    Oddity.UMASK_077: _AT_LOGIN.format("umask 077"),
    Oddity.FOREIGN_LOCALE: "printf 'LANG=pt_BR.UTF-8\\nLC_ALL=pt_BR.UTF-8\\n' >> /etc/default/locale",
    Oddity.PYTHON_IN_ROOTS_HOME: "mkdir -p /root/.pyenv/bin && ln -s /usr/bin/python3 /root/.pyenv/bin/python3 && "
    + _AT_LOGIN.format("PATH=/root/.pyenv/bin:$PATH"),
    Oddity.ONE_SESSION: _SSHD.format("MaxSessions 1"),
    Oddity.NO_SFTP: "sed -i /^Subsystem/d /etc/ssh/sshd_config; systemctl restart ssh",
    Oddity.NO_SHELL: "usermod --shell /usr/sbin/nologin operator",
    Oddity.REQUIRETTY: "echo 'Defaults requiretty' > /etc/sudoers.d/odd && chmod 440 /etc/sudoers.d/odd",
    Oddity.PROXIES: f"echo {_PROXY} >> /etc/environment; mkdir -p /etc/systemd/system.conf.d; printf "
    f"'[Manager]\\nDefaultEnvironment={_PROXY}\\n' > /etc/systemd/system.conf.d/odd.conf; systemctl daemon-reexec",
    Oddity.NOEXEC_TMP: "; ".join(_RAM.format(folder, "noexec,mode=1777") for folder in ("/tmp", "/var/tmp")),  # noqa: S108
    Oddity.NOEXEC_DATA: _NOEXEC.format("/var/lib"),
    Oddity.NOEXEC_OPT: _NOEXEC.format("/opt"),
    Oddity.SMALL_DISK: _RAM.format("/srv/small", "size=400m"),
    Oddity.FULL_DISK: _RAM.format("/srv/full", "size=20m") + "; cat /dev/zero > /srv/full/file 2>/dev/null || true",
    # All hosts have this machine's clock: what is asked for the time tells it wrongly.
    Oddity.CLOCK_OFF: 'printf \'#!/bin/sh\\nexec /bin/date -d "3 seconds ago" "$@"\\n\' > /usr/local/bin/date'
    " && chmod 755 /usr/local/bin/date",
}


def named(words: Sequence[str]) -> list[Oddity]:
    """The oddities of these names. Raises TestbedError (usage)."""
    try:
        return [Oddity(word) for word in words]
    except ValueError as error:
        raise TestbedError(f"{error}: use some of {', '.join(Oddity)}", MISUSED) from error


def bring_about(folder: Folder, host: Host, oddities: Sequence[Oddity]) -> None:
    """Makes a host that runs so; mounts last until it is off. Raises TestbedError."""
    lines = "set -e\n" + "".join(f"{_SCRIPTS[oddity]}\n" for oddity in oddities)
    run(*access.ssh_command(folder, host), "sh", "-s", stdin=lines)
