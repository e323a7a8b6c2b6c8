"""Checks of single values in an inventory. Each returns None, or what is wrong in a few words."""

from __future__ import annotations

import ipaddress
import re

from antelope.errors import BadName
from antelope.names import check_name

# RFC 952 forbids underscores in host names, but DNS and ssh_config use them.
_LABEL = re.compile(r"[a-z0-9]([a-z0-9_-]{0,61}[a-z0-9_])?", re.ASCII | re.IGNORECASE)
_ALIAS = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,254}", re.ASCII)
_IDENTIFIER = re.compile(r"[a-z0-9][a-z0-9._-]{0,31}", re.ASCII)
_LOGIN = re.compile(r"[a-z_][a-z0-9_-]{0,31}", re.ASCII)
_SSH_USER = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.@+-]{0,63}", re.ASCII)
_FINGERPRINT = re.compile(r"SHA256:[A-Za-z0-9+/]{43}=?", re.ASCII)
_NATIVE = frozenset({"eosio.null", "eosio.prods"})
"""Accounts that exist from the first block (Leap's libraries/chain/controller.cpp). Nobody has their keys."""
_NETWORK = re.compile(r"[a-z0-9][a-z0-9_-]{0,31}", re.ASCII)


def network_name(text: str) -> str | None:
    """A network's name: it becomes the name of the state folder and of the hosts' systemd units."""
    return (
        None
        if _NETWORK.fullmatch(text)
        else f"{text!r} is not 1 to 32 of a-z, 0-9, '-' and '_', beginning with a letter or digit"
    )


def identifier(text: str) -> str | None:
    """A host's or node's name: it becomes the name of folders and parts of unit names."""
    if _IDENTIFIER.fullmatch(text) and ".." not in text and text[-1] not in ".-":
        return None
    return f"{text!r} is not 1 to 32 of a-z, 0-9, '.', '-' and '_', beginning with a letter or digit"


def address(text: str) -> str | None:
    """An IP address or DNS name that another host can dial."""
    try:
        found = ipaddress.ip_address(text)
    except ValueError:
        return None if _dns(text) else f"{text!r} is neither an IP address nor a DNS name"
    if found.version == 6:
        return f"{text!r} is an IPv6 address, which nodeos' p2p options do not accept: use a DNS name"
    if found.is_unspecified or found.is_multicast:
        return f"{text!r} is not an address that can be dialled"
    return None


def ssh_address(text: str) -> str | None:
    """Checks an address that ssh accepts: an IPv4 or IPv6 address, a name, or an alias of ssh_config."""
    try:
        found = ipaddress.ip_address(text)
    except ValueError:
        if text.startswith("[") and ":" in text:
            return f"{text!r} has brackets: write the IPv6 address without them, and the port as ssh.port"
        mistyped = all(label.isdigit() for label in text.split("."))
        return None if _ALIAS.fullmatch(text) and not mistyped else f"{text!r} is neither an IP address nor a name"
    if found.is_unspecified or found.is_multicast:
        return f"{text!r} is not an address that can be dialled"
    return None


def _dns(text: str) -> bool:
    labels = text.removesuffix(".").split(".")
    # A last label of digits alone is a mistyped IP address (RFC 3696).
    return len(text) <= 253 and all(_LABEL.fullmatch(label) for label in labels) and not labels[-1].isdigit()


def port(number: int, lowest: int = 1) -> str | None:
    """A TCP port."""
    return None if lowest <= number <= 65535 else f"{number} is not a port ({lowest} to 65535)"


def listening(text: str) -> str | None:
    """HOST:PORT to listen on; port 0 means a free one."""
    host, colon, number = text.rpartition(":")
    if not colon or not re.fullmatch(r"\d{1,5}", number, re.ASCII):
        return f"{text!r} is not HOST:PORT, such as 0.0.0.0:7000"
    try:
        ipaddress.IPv4Address(host)
    except ValueError:
        if not _dns(host):
            return f"{host!r} is neither an IP address nor a DNS name"
    return port(int(number), 0)


def login(text: str) -> str | None:
    """A Unix user that an installation may create: a name that every useradd accepts."""
    return None if _LOGIN.fullmatch(text) else f"{text!r} is not a valid name for a Unix user"


def ssh_user(text: str) -> str | None:
    """An existing user to log in as: a directory service may have names such as john.doe or jdoe@example.com."""
    return None if _SSH_USER.fullmatch(text) else f"{text!r} is not a valid user name"


def fingerprint(text: str) -> str | None:
    """As `ssh-keygen -l` prints it."""
    return (
        None
        if _FINGERPRINT.fullmatch(text)
        else f"{text!r} is not a fingerprint like SHA256:… (ssh-keyscan HOST | ssh-keygen -lf -)"
    )


def absolute(text: str) -> str | None:
    """A path on a host: absolute, not the root itself, without anything that a unit or shell would expand."""
    if re.fullmatch(r"/[A-Za-z0-9_@+.,=/-]*", text, re.ASCII) and ".." not in text.split("/") and text.strip("/"):
        return None
    return f"{text!r} is not an absolute path of letters, digits and _@+.,=-"


def account(text: str) -> str | None:
    """An account that the boot may create for a user or producer."""
    try:
        check_name(text)
    except BadName as error:
        return str(error)
    if text == "eosio" or text.startswith("eosio."):
        return f"{text!r} is reserved for the system"
    return None


def system_account(text: str) -> str | None:
    """A system account that the boot makes: not eosio itself."""
    return contract_account(text) or (None if text.startswith("eosio.") else f"{text!r} does not begin with 'eosio.'")


def contract_account(text: str) -> str | None:
    """An account that the boot may make for a contract, or eosio."""
    try:
        check_name(text)
    except BadName as error:
        return str(error)
    return f"{text!r} is nodeos' own, and takes no contract" if text in _NATIVE else None
