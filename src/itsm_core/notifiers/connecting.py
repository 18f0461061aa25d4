"""Connections that end at one deadline, and that lead only where they may.

The timeout of a socket begins anew with each byte, so a receiver that sends a byte a second could
hold a worker for hours. Here all that is done over a connection shares one deadline.
"""

from __future__ import annotations

import contextlib
import io
import ipaddress
import socket
import ssl
import time
from collections.abc import Callable
from typing import Any

_NAT64 = ipaddress.ip_network("64:ff9b::/96")
_UNICAST = ipaddress.ip_network("2000::/3")  # all that IANA gives out; old ways to spell IPv4 lie outside
_LONGEST = 86_400.0  # seconds; the system counts no number of them
MOST = 1 << 20
"""The most bytes that are read of one answer; a server that says more is not listened to."""


class Deadline:
    """What is left of the time for one exchange; of names that are looked up it bounds only what follows."""

    def __init__(self, seconds: float) -> None:
        self._end = time.monotonic() + min(seconds, _LONGEST)

    def left(self) -> float:
        """Seconds that are left; raises `TimeoutError` when there are none."""
        left = self._end - time.monotonic()
        if left <= 0:
            raise TimeoutError("no answer in time")
        return left


class AddressForbidden(Exception):
    """A name leads only to addresses that may not be connected to."""


def is_public(address: str) -> bool:
    """Whether an IP address belongs to the public internet, also the one inside an IPv6 address."""
    found = ipaddress.ip_address(address)
    if isinstance(found, ipaddress.IPv6Address):
        inner = found.ipv4_mapped or found.sixtofour or (found.teredo or (None, None))[1]
        if found in _NAT64:
            inner = ipaddress.IPv4Address(int(found) & 0xFFFFFFFF)
        return found in _UNICAST and found.is_global if inner is None else is_public(str(inner))
    return found.is_global and not found.is_multicast


def anywhere(_: str) -> bool:
    """Whether an address may be connected to: any."""
    return True


def connect(host: str, port: int, deadline: Deadline, may: Callable[[str], bool] = anywhere) -> Timed:
    """A connection to the first address of the host that answers and that `may` be connected to.

    A name is looked up once and what was looked at is connected to, so that it cannot lead elsewhere
    in between. Raises `AddressForbidden`, or an `OSError`.
    """
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    allowed = [row for row in found if may(str(row[4][0]))]
    if not allowed:
        raise AddressForbidden(", ".join(dict.fromkeys(str(row[4][0]) for row in found)))
    *others, last = allowed
    for row in others:
        with contextlib.suppress(OSError):
            return _opened(row, deadline)
    return _opened(last, deadline)


def _opened(row: tuple[Any, ...], deadline: Deadline) -> Timed:
    family, kind, protocol, _, address = row
    opened = socket.socket(family, kind, protocol)
    try:
        opened.settimeout(deadline.left())
        opened.connect(address)
    except OSError:
        opened.close()
        raise
    return Timed(opened, deadline)


class Timed:
    """As much of a socket as `smtplib` and `http.client` use, with one deadline for all of it."""

    def __init__(self, held: socket.socket, deadline: Deadline) -> None:
        self.held, self._deadline = held, deadline

    def armed(self) -> socket.socket:
        """The socket, whose next step may take what is left."""
        self.held.settimeout(self._deadline.left())
        return self.held

    def secured(self, context: ssl.SSLContext, host: str) -> Timed:
        """The same connection under TLS; raises `ssl.SSLError`."""
        return Timed(context.wrap_socket(self.armed(), server_hostname=host), self._deadline)

    def sendall(self, data: bytes) -> None:
        """Sends all of it."""
        rest = memoryview(data)
        while rest:
            rest = rest[self.armed().send(rest) :]

    def makefile(self, *_: Any, **__: Any) -> io.BufferedReader:
        """What comes in, as a file."""
        return io.BufferedReader(_Incoming(self))

    def close(self) -> None:
        """Ends the connection."""
        self.held.close()


class _Incoming(io.RawIOBase):
    def __init__(self, timed: Timed) -> None:
        self._timed, self._rest = timed, MOST

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        got = self._timed.armed().recv_into(buffer)
        self._rest -= got
        if self._rest < 0:
            raise ConnectionError("the answer has no end")
        return got


def trouble(error: BaseException, host: str) -> str:
    """Why a connection failed, in one line: what is wrong with its certificate, if that is it."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"the certificate of {host} is not to be trusted: {error.verify_message}"
    return f"{type(error).__name__}: {error}"
