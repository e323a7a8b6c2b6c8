"""HOST:PORT."""

from __future__ import annotations

import re
from dataclasses import dataclass

_HOST = re.compile(r"[A-Za-z0-9]([A-Za-z0-9._-]{0,252})?")
_IPV6 = re.compile(r"[0-9A-Fa-f:.]{2,45}")


@dataclass(frozen=True)
class Endpoint:
    """An address to dial or to listen on; host is a DNS name, an IPv4 or (without brackets) an IPv6 address."""

    host: str
    port: int

    @staticmethod
    def parse(text: str) -> Endpoint:
        """Reads `host:port` or `[ipv6]:port`. Raises ValueError."""
        host, _, port = text.rpartition(":")
        ipv6 = host.startswith("[") and host.endswith("]") and _IPV6.fullmatch(host[1:-1]) is not None
        if not (ipv6 or _HOST.fullmatch(host)) or not re.fullmatch(r"\d{1,5}", port, re.ASCII) or int(port) > 65535:
            raise ValueError(f"{text!r} is not HOST:PORT")
        return Endpoint(host[1:-1] if ipv6 else host, int(port))

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def dialable(text: str) -> bool:
    """Whether it is a valid HOST:PORT to dial. Port 0 is not."""
    try:
        return Endpoint.parse(text).port > 0
    except ValueError:
        return False
