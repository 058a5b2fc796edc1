"""Keep a Python program on this machine: connections and look-ups elsewhere are refused and told.

It stands alone on the standard library, since test_package.py also puts it into programs that are not tests.
"""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Callable
from typing import Any


class OutsideError(OSError):
    """A connection or a look-up beyond loopback was tried."""


def stay_inside(tell: Callable[[str], None]) -> None:
    """Refuse from now on what goes beyond loopback, and tell of each try in one line."""

    def refuse(verb: str, host: Any) -> None:
        if not is_inside(host):
            tell(f"{verb} {host}")
            raise OutsideError(f"tried to {verb} {host}; nothing may leave this machine here")

    def guard_connect(original: Callable[..., Any]) -> Callable[..., Any]:
        def connect(self: socket.socket, address: Any) -> Any:
            if self.family in (socket.AF_INET, socket.AF_INET6):
                refuse("connect to", address[0])
            return original(self, address)

        return connect

    def guard_look_up(original: Callable[..., Any]) -> Callable[..., Any]:
        def look_up(host: Any, *args: Any, **kwargs: Any) -> Any:
            refuse("look up", host)
            return original(host, *args, **kwargs)

        return look_up

    for name in ("connect", "connect_ex"):
        setattr(socket.socket, name, guard_connect(getattr(socket.socket, name)))
    for name in ("getaddrinfo", "gethostbyname", "gethostbyname_ex"):
        setattr(socket, name, guard_look_up(getattr(socket, name)))


def is_inside(host: Any) -> bool:
    """Whether a host, by name or number, is this machine's loopback or its own address to listen on."""
    name = host.decode() if isinstance(host, bytes) else host
    if name in (None, "", "localhost", socket.gethostname()):
        return True
    try:
        address = ipaddress.ip_address(name.partition("%")[0])
    except ValueError:
        return False
    return address.is_loopback or address.is_unspecified
