"""Addresses of servers and packages as configurations write them."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass

from mcpward.core.late import late

_URL = late(r"([A-Za-z][\w+.-]{0,20})://(?:([^/@\s]{0,300})@)?(\[[^\]\s]{1,60}\]|[^/:?#\s]{0,300})")
_LOOPBACK = frozenset({"localhost", "host.docker.internal", "host.containers.internal", "::1"})
_INTERNAL = (".localhost", ".local", ".internal", ".svc", ".lan", ".home.arpa", ".test", ".example")
_PLACEHOLDER = late(r"[${}<>%]")


@dataclass(frozen=True, slots=True)
class Address:
    """The parts of an address that say where it leads and how."""

    scheme: str
    user: str
    host: str

    @property
    def unknown(self) -> bool:
        """Whether the host is a placeholder."""
        return not self.host or bool(_PLACEHOLDER.search(self.host))

    @property
    def loopback(self) -> bool:
        """Whether it stays on this machine."""
        if self.host in _LOOPBACK or self.host.endswith(".localhost"):
            return True
        ip = _ip(self.host)
        return ip is not None and (ip.is_loopback or ip.is_unspecified)

    @property
    def inside(self) -> bool:
        """Whether it stays in a private network, as far as the name says."""
        ip = _ip(self.host)
        if ip is not None:
            return ip.is_private or ip.is_link_local
        return "." not in self.host or self.host.endswith(_INTERNAL) or ".svc." in self.host


def address(text: str) -> Address | None:
    """The address at the start of a text."""
    found = _URL.match(text.strip())
    if found is None:
        return None
    host = found[3].strip("[]").lower().rstrip(".")
    return Address(found[1].lower(), (found[2] or "").partition(":")[0], host)


def _ip(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None
