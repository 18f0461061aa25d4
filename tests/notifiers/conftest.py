"""Real receivers on loopback: mail, HTTP and bare TCP servers, with certificates made for the test."""

import contextlib
import datetime as dt
import http.server
import socket
import ssl
import threading

import pytest
import trustme
from aiosmtpd.controller import Controller

from itsm_core.ports import Message


@pytest.fixture
def message():
    """`message(**changes) -> Message`."""

    def made(**changes):
        held = {
            "key": "INC-1:standard.1/0/0/lead/ana/email",
            "record": "INC-1",
            "to": "ana@example.org",
            "channel": "email",
            "subject": "Mail is down",
            "body": "Due at noon.",
            "created_at": dt.datetime(2024, 1, 1, 8, tzinfo=dt.UTC),
        }
        return Message(**{**held, **changes})

    return made


@pytest.fixture(scope="session")
def authority():
    """A certificate authority of this run, which nobody else trusts."""
    return trustme.CA()


@pytest.fixture(scope="session")
def trusting(authority):
    """A client's TLS settings that trust the authority."""
    context = ssl.create_default_context()
    authority.configure_trust(context)
    return context


@pytest.fixture(scope="session")
def certified(authority):
    """`certified(name) -> SSLContext` of a server that goes by this name."""

    def made(name):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert(name).configure_cert(context)
        return context

    return made


def free_port():
    """A port that nobody listens on just now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.fixture
def closed_port():
    """A port at which nobody answers."""
    return free_port()


class Postbox:
    """Keeps the mails that a server takes; `refuse` is said in place of "250 OK" to a command."""

    def __init__(self):
        self.mails, self.refuse = [], {}

    async def handle_MAIL(self, server, session, envelope, address, options):  # noqa: N802 - aiosmtpd's name
        envelope.mail_from = address
        return self.refuse.get("MAIL", "250 OK")

    async def handle_RCPT(self, server, session, envelope, address, options):  # noqa: N802
        if "RCPT" not in self.refuse or self.refuse["RCPT"].startswith("25"):
            envelope.rcpt_tos.append(address)
        return self.refuse.get("RCPT", "250 OK")

    async def handle_DATA(self, server, session, envelope):  # noqa: N802
        if "DATA" in self.refuse:
            return self.refuse["DATA"]
        self.mails.append((envelope.mail_from, list(envelope.rcpt_tos), envelope.content, session.ssl))
        return "250 OK"


class _OverTls(Controller):
    """Speaks TLS from the first byte, also when it is asked whether it has started."""

    def _trigger_server(self):
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        plain = socket.create_connection((self.hostname, self.port), 5)
        with context.wrap_socket(plain) as secured:
            secured.recv(1024)


@pytest.fixture
def mail_server():
    """`mail_server(tls=None, **settings) -> (port, postbox)`: an aiosmtpd on 127.0.0.1."""
    with contextlib.ExitStack() as stack:

        def start(tls=None, **settings):
            postbox, kind = Postbox(), Controller if tls is None else _OverTls
            server = kind(postbox, hostname="127.0.0.1", port=free_port(), ssl_context=tls, **settings)
            server.start()
            stack.callback(server.stop)
            return server.port, postbox

        yield start


class _Scripted(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.requests.append((self.path, dict(self.headers.items()), body))
        script = self.server.script
        status, headers = script.pop(0) if len(script) > 1 else script[0]
        self.send_response(status)
        for name, value in {"Content-Length": "0", **headers}.items():
            self.send_header(name, value)
        self.end_headers()

    def log_message(self, *_):
        pass


@pytest.fixture
def web_server():
    """`web_server((status, headers), ..., tls=None) -> server`: answers in turn, the last for ever.

    `server.url` is where it listens, `server.requests` what it got: (path, headers, body).
    """
    with contextlib.ExitStack() as stack:

        def start(*script, tls=None):
            server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Scripted)
            server.requests, server.script = [], list(script) or [(204, {})]
            if tls is not None:
                server.socket = tls.wrap_socket(server.socket, server_side=True)
            server.port = server.server_address[1]
            scheme, host = ("http", "127.0.0.1") if tls is None else ("https", "localhost")
            server.url = f"{scheme}://{host}:{server.port}/hook"
            thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
            thread.start()
            stack.callback(server.server_close)
            stack.callback(thread.join)
            stack.callback(server.shutdown)
            return server

        yield start


@pytest.fixture
def tcp_server():
    """`tcp_server(talk) -> port`: `talk(connection)` speaks with each that connects to 127.0.0.1."""
    with contextlib.ExitStack() as stack:

        def start(talk):
            listening = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
            stopped = threading.Event()

            def serve():
                while True:
                    connection, _ = listening.accept()
                    with connection, contextlib.suppress(OSError):
                        if stopped.is_set():  # this is who stops it
                            return
                        connection.settimeout(5)
                        talk(connection)

            thread = threading.Thread(target=serve, daemon=True)
            thread.start()

            def stop():
                stopped.set()
                socket.create_connection(listening.getsockname(), 1).close()
                thread.join()

            stack.callback(stop)
            return listening.getsockname()[1]

        yield start
