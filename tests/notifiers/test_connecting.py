"""Connections that end at one deadline, and that lead only where they may."""

import datetime as dt
import socket
import ssl
import time

import pytest

from itsm_core.notifiers.connecting import (
    MOST,
    AddressForbidden,
    Deadline,
    Timed,
    anywhere,
    connect,
    is_public,
    trouble,
)

# IANA special-purpose address registries (RFC 6890 and its updates), and the addresses inside others.
PRIVATE = [
    "0.0.0.0", "10.1.2.3", "100.64.0.1", "127.0.0.1", "127.255.255.255", "169.254.169.254", "172.16.0.1",
    "172.31.255.255", "192.0.2.1", "192.168.0.1", "198.18.0.1", "203.0.113.9", "224.0.0.1",
    "239.255.255.250", "240.0.0.1", "255.255.255.255",
    "::", "::1", "fc00::1", "fdff::1", "fe80::1", "fe80::1%1", "ff02::1", "2001:db8::1",
    "::ffff:127.0.0.1", "::ffff:10.0.0.1", "64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe", "2002:7f00:1::",
    "2002:c0a8:1::1",
    # Site-local (RFC 3879), IPv4-compatible (RFC 4291 2.5.5.1), IPv4-translated (RFC 2765), NAT64 of a site
    # (RFC 8215): withdrawn or local, and `ipaddress` takes them for global.
    "fec0::1", "::127.0.0.1", "::ffff:0:127.0.0.1", "64:ff9b:1::7f00:1",
]  # fmt: skip
PUBLIC = [
    "1.1.1.1", "8.8.8.8", "100.128.0.1", "172.32.0.1", "192.169.0.1", "2606:4700::1111", "::ffff:8.8.8.8",
    "64:ff9b::808:808", "2002:808:808::1",
]  # fmt: skip


@pytest.mark.parametrize("address", PRIVATE)
def test_addresses_inside_are_not_public(address):
    """Loopback, private, link-local, shared, reserved, multicast; also inside an IPv6 address."""
    assert not is_public(address)
    assert anywhere(address)


@pytest.mark.parametrize("address", PUBLIC)
def test_addresses_outside_are_public(address):
    """Everything that the registries do not set apart."""
    assert is_public(address)


def test_the_address_inside_a_teredo_address_counts():
    """RFC 4380: the client's address stands at the end, each bit turned over."""
    assert not is_public("2001:0:4136:e378:8000:63bf:3fff:fdd2")  # 192.0.2.45


@pytest.mark.parametrize("name", ["127.0.0.1", "localhost", "127.1", "0x7f000001", "2130706433", "::1"])
def test_every_spelling_of_loopback_is_looked_at(name, closed_port):
    """What counts is the address that the system would connect to."""
    with pytest.raises(AddressForbidden, match=r"127\.0\.0\.1|::1"):
        connect(name, closed_port, Deadline(2), is_public)


def test_a_name_is_looked_up_once(monkeypatch, closed_port):
    """A name server that answers otherwise the second time changes nothing: nobody asks it again."""
    asked = []
    really = socket.getaddrinfo

    def answer(host, *rest, **more):
        asked.append(host)
        return really("127.0.0.1" if len(asked) > 1 else "127.0.0.2", *rest, **more)

    monkeypatch.setattr(socket, "getaddrinfo", answer)
    looked_at = []
    with pytest.raises(OSError, match="refused"):
        connect("rebinding.example", closed_port, Deadline(2), lambda a: not looked_at.append(a))
    assert (asked, looked_at) == (["rebinding.example"], ["127.0.0.2"])


def test_the_next_address_is_tried_and_forbidden_ones_are_left_out(monkeypatch, tcp_server, closed_port):
    """Of several addresses the first that answers is taken; one that may not be is not even tried."""
    port = tcp_server(lambda connection: connection.sendall(b"hello"))

    def rows(*addresses):
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", address) for address in addresses]

    found = rows(("127.0.0.1", closed_port), ("127.0.0.9", port), ("127.0.0.1", port))
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: found)
    timed = connect("several.example", port, Deadline(2), lambda address: address != "127.0.0.9")
    assert timed.held.getpeername() == ("127.0.0.1", port)
    assert timed.makefile("rb").read() == b"hello"
    timed.close()


def test_a_drop_at_a_time_does_not_hold_us(tcp_server):
    """Each byte would begin a socket's timeout anew; the deadline is for all of them."""

    def drip(connection):
        for _ in range(100):
            connection.sendall(b"x")
            time.sleep(0.02)

    timed = connect("127.0.0.1", tcp_server(drip), Deadline(0.2))
    started = time.monotonic()
    with pytest.raises(TimeoutError):
        timed.makefile("rb").readline()
    assert time.monotonic() - started < 1
    timed.close()


def test_a_receiver_that_does_not_read_does_not_hold_us(tcp_server):
    """Sending more than the buffers hold ends at the deadline."""
    timed = connect("127.0.0.1", tcp_server(lambda _: time.sleep(0.5)), Deadline(0.2))
    with pytest.raises(TimeoutError):
        timed.sendall(bytes(50_000_000))
    timed.close()


def test_a_deadline_that_is_over_says_so():
    """Nothing is begun after it."""
    with pytest.raises(TimeoutError, match="no answer in time"):
        Deadline(0).left()


def test_a_timeout_may_be_as_long_as_a_timedelta(tcp_server):
    """The system counts no such number of seconds; a day stands for it."""
    timed = connect(
        "127.0.0.1", tcp_server(lambda c: c.sendall(b"x")), Deadline(dt.timedelta.max.total_seconds())
    )
    assert timed.makefile("rb").read() == b"x"
    timed.close()


def test_an_answer_without_end_is_not_kept(tcp_server):
    """A mebibyte is read, whatever the time that is left: line after line could fill the memory."""

    def talk(connection):
        while True:
            connection.sendall(b"220-welcome\r\n" * 1000)

    timed = connect("127.0.0.1", tcp_server(talk), Deadline(10))
    incoming, read = timed.makefile("rb"), []
    with pytest.raises(ConnectionError, match="the answer has no end"):
        read.extend(iter(incoming.readline, b""))
    timed.close()
    assert MOST - 100_000 < sum(map(len, read)) <= MOST


def test_all_of_it_is_sent_in_order(tcp_server):
    """What does not go out at once goes out next."""
    got, data = [], bytes(range(256)) * 20_000

    def read(connection):
        while piece := connection.recv(1 << 16):
            got.append(piece)
        connection.sendall(b"done")

    timed = connect("127.0.0.1", tcp_server(read), Deadline(10))
    timed.sendall(data)
    timed.held.shutdown(socket.SHUT_WR)
    assert timed.makefile("rb").read() == b"done"
    timed.close()
    assert b"".join(got) == data


def test_a_certificate_is_named_in_the_trouble_it_makes(web_server, certified):
    """The reason says which host and what is wrong."""
    server = web_server(tls=certified("localhost"))
    timed = connect("localhost", server.port, Deadline(2))
    with pytest.raises(ssl.SSLCertVerificationError) as caught:
        Timed.secured(timed, ssl.create_default_context(), "localhost")
    timed.close()
    assert trouble(caught.value, "localhost").startswith(
        "the certificate of localhost is not to be trusted: unable to get local issuer"
    )
    assert trouble(OSError("no route"), "localhost") == "OSError: no route"
