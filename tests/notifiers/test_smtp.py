"""Messages as mails, to real SMTP servers on loopback."""

import datetime as dt
import email
import email.policy
import socket
import ssl
import time

import pytest
from aiosmtpd.smtp import AuthResult

from itsm_core import Actor, InvalidValue, ServiceDesk
from itsm_core.notifiers import SmtpNotifier
from itsm_core.notifiers.words import Words
from itsm_core.ports import Delivered, Rejected, Retry, Unknown
from itsm_core.testing import NotifierContract

NOW = dt.datetime(2024, 1, 1, 8, tzinfo=dt.UTC)
DESK = "Service Desk <desk@example.org>"


def mailing(port, security="none", host="127.0.0.1", **settings):
    """A notifier that mails to this port."""
    held = {"timeout": dt.timedelta(seconds=5), **settings}
    return SmtpNotifier(host, DESK, security=security, port=port, **held)


def read(mail):
    """What a mail program reads in a mail that arrived."""
    return email.message_from_bytes(mail[2], policy=email.policy.default)


class TestContract(NotifierContract):
    """Mail keeps the promises of a notifier."""

    @pytest.fixture
    def server(self, mail_server):
        return mail_server()

    @pytest.fixture
    def notifier(self, server):
        return mailing(server[0], address={"ana": "ana@example.org"})

    @pytest.fixture
    def received(self, server):
        return lambda: server[1].mails

    @pytest.fixture
    def broken(self, closed_port):
        return mailing(closed_port, address=lambda _: "ana@example.org")


# --- what arrives -----------------------------------------------------------------------------


def test_a_mail_arrives(mail_server, message):
    """Line 3 of "Done when": envelope, headers and text reach a server on loopback."""
    port, postbox = mail_server()
    outcome = mailing(port)(message())
    ((by, to, _, secured),) = postbox.mails
    mail = read(postbox.mails[0])
    assert outcome == Delivered(mail["Message-ID"])
    assert (by, to, secured) == ("desk@example.org", ["ana@example.org"], None)
    assert (mail["Subject"], mail.get_content().rstrip()) == ("Mail is down", "Due at noon.")


def test_dots_and_every_script_arrive_as_they_were(mail_server, message):
    """A line that is a dot would end the mail; lines that begin with one are doubled on the way."""
    port, postbox = mail_server()
    body = ".\r\n..\nGrüße 你好\n.hidden\nRSET\r\n.\r\nMAIL FROM:<eve@example.org>"
    assert isinstance(mailing(port)(message(body=body)), Delivered)
    (mail,) = postbox.mails
    assert read(mail).get_content().replace("\r\n", "\n").rstrip("\n") == body.replace("\r\n", "\n")


def test_an_ascii_text_with_dots_arrives(mail_server, message):
    """The same without a reason to encode the text."""
    port, postbox = mail_server()
    mailing(port)(message(body=".\n.a\nb."))
    assert read(postbox.mails[0]).get_content().replace("\r\n", "\n") == ".\n.a\nb.\n"


@pytest.mark.parametrize("subject", ["x\r\nBcc: eve@example.org\r\n\r\nbody", "x\nBcc: eve@example.org"])
def test_a_hostile_subject_adds_no_header(mail_server, message, subject):
    """Line breaks in what a requester wrote do not begin a header, and nobody else gets the mail."""
    port, postbox = mail_server()
    mailing(port)(message(subject=subject))
    ((_, to, _, _),) = postbox.mails
    mail = read(postbox.mails[0])
    assert to == ["ana@example.org"]
    assert mail["Bcc"] is None
    assert mail["Subject"].startswith("x Bcc: eve@example.org")


def test_a_repeat_has_the_same_message_id(mail_server, message):
    """Mail programs show it once; another message of the record stands in the same thread."""
    port, postbox = mail_server()
    notifier = mailing(port)
    for sent in (message(), message(attempt=1), message(key="other")):
        notifier(sent)
    first, repeat, other = map(read, postbox.mails)
    assert first["Message-ID"] == repeat["Message-ID"] != other["Message-ID"]
    assert first["References"] == other["References"]


def test_words_are_those_of_the_wording(mail_server, message):
    """Subject, text and HTML as `Templates` or a function of the host says."""
    port, postbox = mail_server()
    mailing(port, wording=lambda _: Words("S", "T", html="<b>H</b>"))(message())
    mail = read(postbox.mails[0])
    assert mail["Subject"] == "S"
    assert [part.get_content().strip() for part in mail.iter_parts()] == ["T", "<b>H</b>"]


def test_a_receiver_without_an_address_is_never_reached(closed_port, message):
    """No connection is made for it, and the reason does not name it."""
    for to in ("ana", "", "ana@example.org, eve@example.org", "ana@example.org\r\nRCPT TO:<eve@example.org>"):
        assert mailing(closed_port)(message(to=to)) == Rejected("the receiver has no mail address")
    assert isinstance(mailing(closed_port, address={})(message()), Rejected)


def test_an_address_of_another_script_needs_a_server_that_knows_it(mail_server, message):
    """With SMTPUTF8 it arrives; a server without it would not know where to."""
    port, postbox = mail_server(enable_SMTPUTF8=True)
    assert isinstance(mailing(port)(message(to="用户@example.org")), Delivered)
    assert postbox.mails[0][1] == ["用户@example.org"]
    port, postbox = mail_server(enable_SMTPUTF8=False)
    outcome = mailing(port)(message(to="用户@example.org"))
    assert isinstance(outcome, Rejected)
    assert "SMTPUTF8" in outcome.reason
    assert postbox.mails == []


# --- what a refusal means ---------------------------------------------------------------------


@pytest.mark.parametrize("step", ["MAIL", "RCPT", "DATA"])
@pytest.mark.parametrize(
    ("reply", "kind"),
    [
        ("550 5.1.1 <ana@example.org> unknown", Rejected),
        ("552 5.2.2 mailbox of ana@example.org full", Rejected),
        ("450 4.2.1 greylisted, ana@example.org", Retry),
        ("421 4.3.2 closing", Retry),
    ],
)
def test_5xx_is_final_and_4xx_is_not(mail_server, message, step, reply, kind):
    """Whichever command is refused; the reason has the code and words, without addresses."""
    port, postbox = mail_server()
    postbox.refuse[step] = reply
    outcome = mailing(port)(message())
    assert type(outcome) is kind
    assert f"answered {reply[:3]} to" in outcome.reason
    assert reply[4:9] in outcome.reason
    assert "ana@" not in outcome.reason
    assert postbox.mails == []


def test_a_server_that_passes_mail_on_has_taken_it(mail_server, message):
    """251: the user is not local, it will forward (RFC 5321 3.4)."""
    port, postbox = mail_server()
    postbox.refuse["RCPT"] = "251 will forward"
    assert isinstance(mailing(port)(message()), Delivered)


def test_a_server_that_is_down_is_tried_again(closed_port, message):
    """Nothing was sent, so nothing is in doubt."""
    outcome = mailing(closed_port)(message())
    assert isinstance(outcome, Retry)
    assert "refused" in outcome.reason


@pytest.mark.parametrize(
    ("greeting", "kind"),
    [(b"554 no service\r\n", Rejected), (b"421 too busy\r\n", Retry), (b"", Retry), (b"hello\r\n", Retry)],
)
def test_a_server_that_does_not_greet(tcp_server, message, greeting, kind):
    """By the code it says; hanging up or nonsense is no refusal."""
    port = tcp_server(lambda connection: connection.sendall(greeting))
    assert type(mailing(port)(message())) is kind


def scripted(*replies):
    """A server that greets, and answers each line, and the mail, by the next reply; then it hangs up."""

    def talk(connection):
        with connection.makefile("rb") as lines:
            line = b""
            for n, reply in enumerate(replies):
                in_mail, line = line == b"DATA\r\n", lines.readline() if n else b""
                while in_mail and line not in (b".\r\n", b""):
                    line = lines.readline()
                connection.sendall(reply)

    return talk


OK = b"250 ok\r\n"
GO_ON = b"354 go on\r\n"
UNTIL_DATA = [b"220 hi\r\n", OK, OK, OK]


def test_a_server_that_hangs_up_before_the_mail_does_not_have_it(tcp_server, message):
    """Before DATA is answered nothing is in doubt."""
    outcome = mailing(tcp_server(scripted(*UNTIL_DATA)))(message())
    assert isinstance(outcome, Retry)


def test_a_server_that_hangs_up_after_the_mail_may_have_it(tcp_server, message):
    """The mail was sent and no answer came: nobody knows."""
    outcome = mailing(tcp_server(scripted(*UNTIL_DATA, GO_ON, b"")))(message())
    assert isinstance(outcome, Unknown)
    assert outcome.reason == "the mail server fell silent after the mail: SMTPServerDisconnected"


def test_a_half_closed_server_does_not_have_it(tcp_server, message):
    """It will say no more and does not hang up: that is known at once, not after the timeout."""

    def talk(connection):
        connection.sendall(b"220 hi\r\n")
        connection.shutdown(socket.SHUT_WR)
        while connection.recv(1000):
            pass

    started = time.monotonic()
    assert isinstance(mailing(tcp_server(talk))(message()), Retry)
    assert time.monotonic() - started < 2


def test_a_server_that_falls_silent_after_the_mail_may_have_it(tcp_server, message):
    """After the timeout, however slowly it drips meanwhile."""

    def talk(connection):
        scripted(*UNTIL_DATA, GO_ON, b"")(connection)
        for _ in range(100):
            connection.sendall(b"2")
            time.sleep(0.02)

    started = time.monotonic()
    outcome = mailing(tcp_server(talk), timeout=dt.timedelta(milliseconds=300))(message())
    assert isinstance(outcome, Unknown)
    assert time.monotonic() - started < 1.5


def test_an_endless_line_is_no_answer(tcp_server, message):
    """What does not end is not read to its end."""

    def talk(connection):
        while True:
            connection.sendall(b"2" * 1000)

    assert isinstance(mailing(tcp_server(talk))(message()), Retry)


def test_a_long_refusal_is_cut_before_it_is_read(tcp_server, message):
    """A search for addresses in half a megabyte without a blank would take minutes, which no deadline bounds."""

    def talk(connection):
        connection.sendall(b"554-" + b"x" * 8_000 + b"\r\n")
        connection.sendall((b"554-" + b"x" * 8_000 + b"\r\n") * 60 + b"554 no ana@example.org\r\n")

    started = time.monotonic()
    outcome = mailing(tcp_server(talk))(message())
    assert time.monotonic() - started < 2
    assert isinstance(outcome, Rejected)
    assert len(outcome.reason) < 300


def test_a_server_that_drips_its_greeting_does_not_hold_a_worker(tcp_server, message):
    """One deadline for the whole exchange."""

    def talk(connection):
        for _ in range(100):
            connection.sendall(b"220-x\r\n")
            time.sleep(0.02)

    started = time.monotonic()
    outcome = mailing(tcp_server(talk), timeout=dt.timedelta(milliseconds=300))(message())
    assert isinstance(outcome, Retry)
    assert time.monotonic() - started < 1.5


def test_an_old_server_is_greeted_the_old_way(tcp_server, message):
    """It knows no EHLO (RFC 5321 3.2): HELO will do."""
    port = tcp_server(scripted(b"220 hi\r\n", b"500 what?\r\n", OK, OK, OK, GO_ON, OK))
    assert isinstance(mailing(port)(message()), Delivered)


def test_a_server_that_takes_the_mail_and_hangs_up_has_it(tcp_server, message):
    """What becomes of QUIT does not matter."""
    assert isinstance(mailing(tcp_server(scripted(*UNTIL_DATA, GO_ON, OK)))(message()), Delivered)


# --- TLS and login ----------------------------------------------------------------------------


def test_the_connection_turns_to_tls(mail_server, certified, trusting, message):
    """STARTTLS, the default: the mail goes through TLS."""
    port, postbox = mail_server(tls_context=certified("localhost"), require_starttls=True)
    notifier = mailing(port, "starttls", "localhost", context=trusting)
    assert isinstance(notifier(message()), Delivered)
    assert postbox.mails[0][3] is not None


def test_tls_from_the_beginning(mail_server, certified, trusting, message):
    """Port 465 speaks TLS at once."""
    port, postbox = mail_server(tls=certified("localhost"))
    notifier = mailing(port, "tls", "localhost", context=trusting)
    assert isinstance(notifier(message()), Delivered)
    assert len(postbox.mails) == 1


@pytest.mark.parametrize("security", ["starttls", "tls"])
@pytest.mark.parametrize(
    ("name", "trusted", "reason"),
    [
        ("localhost", False, "the certificate of localhost is not to be trusted: unable to get local issuer"),
        ("other.example", True, "Hostname mismatch, certificate is not valid for 'localhost'"),
    ],
)
def test_a_bad_certificate_gets_no_mail(
    mail_server, certified, trusting, message, security, name, trusted, reason
):
    """An unknown issuer or another's name: nothing is said, and the reason tells what is wrong."""
    tls = certified(name)
    port, postbox = mail_server(tls=tls) if security == "tls" else mail_server(tls_context=tls)
    context = trusting if trusted else ssl.create_default_context()
    outcome = mailing(port, security, "localhost", context=context)(message())
    assert isinstance(outcome, Retry)
    assert reason in outcome.reason
    assert postbox.mails == []


def test_a_server_without_starttls_gets_no_mail(mail_server, message):
    """Somebody in between may have struck it out: nothing is sent in the clear."""
    port, postbox = mail_server()
    outcome = mailing(port, "starttls")(message())
    assert isinstance(outcome, Retry)
    assert "STARTTLS" in outcome.reason
    assert postbox.mails == []


def test_a_server_without_login_gets_no_mail(mail_server, certified, trusting, message):
    """It would take the mail from anybody; but the host said that it has to log in."""
    port, postbox = mail_server(tls_context=certified("localhost"), auth_exclude_mechanism=["LOGIN", "PLAIN"])
    notifier = mailing(port, "starttls", "localhost", context=trusting, user="desk", password="s3cret")
    outcome = notifier(message())
    assert isinstance(outcome, Retry)
    assert "s3cret" not in outcome.reason
    assert postbox.mails == []


@pytest.mark.parametrize(("password", "kind"), [("s3cret", Delivered), ("wrong", Retry)])
def test_it_logs_in(mail_server, certified, trusting, message, password, kind):
    """With the right password; a wrong one is not the mail's fault, and is not shown."""

    def known(server, session, envelope, mechanism, data):
        right = (data.login, data.password) == (b"desk", b"s3cret")
        return AuthResult(success=right, handled=right)

    port, postbox = mail_server(
        tls_context=certified("localhost"), require_starttls=True, auth_required=True, authenticator=known
    )
    notifier = mailing(port, "starttls", "localhost", context=trusting, user="desk", password=password)
    outcome = notifier(message())
    assert type(outcome) is kind
    assert len(postbox.mails) == (kind is Delivered)
    assert kind is Delivered or outcome.reason == "the mail server answered 535 to the login"
    assert password not in repr(notifier)


def test_a_login_that_asks_in_no_base64_is_tried_again(tcp_server, certified, trusting, message):
    """The mail is not to blame; nothing of it goes out."""
    said = []

    def talk(connection):
        with certified("localhost").wrap_socket(connection, server_side=True) as secured:
            incoming = secured.makefile("rb")
            secured.sendall(b"220 hello\r\n")
            for reply in (b"250-hello\r\n250 AUTH LOGIN\r\n", b"334 x\r\n", b"334 x\r\n", b"221 bye\r\n"):
                said.append(incoming.readline())
                secured.sendall(reply)

    port = tcp_server(talk)
    notifier = mailing(port, "tls", "localhost", context=trusting, user="desk", password="s3cret")
    outcome = notifier(message())
    assert outcome == Retry(reason="the mail server answered 334 to the login: what it asked is no base64")
    assert not any(line.startswith(b"MAIL") for line in said)


# --- settings ---------------------------------------------------------------------------------


@pytest.mark.parametrize(("security", "port"), [("starttls", 587), ("tls", 465), ("none", 25)])
def test_the_port_is_the_usual_one(security, port):
    """RFC 6409 and 8314."""
    assert SmtpNotifier("mail.example.org", DESK, security=security).port == port


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        ({"host": ""}, "mail server"),
        ({"sender": "desk"}, "is no mail address"),
        ({"security": "ssl"}, "is unknown; use one of starttls, tls, none"),
        ({"timeout": 5}, "timedelta"),
        ({"timeout": dt.timedelta(0)}, "leaves no time"),
        ({"user": "desk"}, "comes with a password"),
        ({"password": "s3cret"}, "comes with a password"),
        ({"user": "desk", "password": "s3cret", "security": "none"}, "would send the password in the clear"),
        ({"host": "mail..example.org"}, "is no name of a host; name the mail server"),
        ({"host": "a" * 64}, "is no name of a host; name the mail server"),
        ({"port": "25"}, "is no port; give a number"),
        ({"port": 65_536}, "is no port; give a number"),
        ({"user": "desk", "password": "s3cret ü"}, "is not ASCII; choose others"),
        ({"address": 7}, "neither a text, a mapping nor a function"),
    ],
)
def test_settings_that_will_not_do_are_refused(settings, reason):
    """At once, with what to say instead, and without the password."""
    with pytest.raises(InvalidValue, match=reason) as caught:
        SmtpNotifier(**{"host": "mail.example.org", "sender": DESK, **settings})
    assert "s3cret" not in str(caught.value)


# --- through the desk -------------------------------------------------------------------------


def test_the_desk_mails_the_requester(mail_server, store):
    """What an agent says to the requester arrives as one mail; a second tick sends none."""
    port, postbox = mail_server()
    desk = ServiceDesk(store, notifiers={"email": mailing(port, address={"bob": "bob@example.org"})})
    desk.open("Mail is down", actor=Actor.person("bob"), at=NOW, record_id="INC-1")
    ana = Actor.person("ana", "agent")
    desk.communicate("INC-1", "We are on it.", actor=ana, at=NOW, channel="email")
    assert desk.tick(NOW).delivered == 1
    assert desk.tick(NOW).delivered == 0
    ((_, to, _, _),) = postbox.mails
    assert to == ["bob@example.org"]
    assert read(postbox.mails[0]).get_content().strip() == "We are on it."
