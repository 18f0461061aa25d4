"""A message as a mail, in which no word can begin a header."""

import email
import email.policy

import pytest
from hypothesis import given
from hypothesis import strategies as st

from itsm_core import InvalidValue
from itsm_core.notifiers.letters import letter, mailbox, sender
from itsm_core.notifiers.words import Words
from itsm_core.ports import Message
from itsm_core.testing.contract.samples import NOW

BY, TO = sender("Service Desk <desk@example.org>"), mailbox("ana@example.org")
HEADERS = [
    "From", "To", "Subject", "Date", "Message-ID", "References", "In-Reply-To", "Auto-Submitted",
    "Content-Type", "Content-Transfer-Encoding", "MIME-Version",
]  # fmt: skip
HOSTILE = st.text(st.characters(codec=None)) | st.text("\r\n .:ab<>@\x0b\x0c\x1c\x85\u2028")
HOSTILE |= st.lists(st.sampled_from(["=?utf-8?q?", "=0D=0A", "Bcc:_x@y", "?=", " ", "=00", "é", "="])).map(
    "".join
)


def about(key="k/1", record="INC-1"):
    """A message with this key, about this record."""
    return Message(key=key, record=record, to="ana", channel="email", subject="s", body="b", created_at=NOW)


def written(words, message=None, by=BY, to=TO):
    """The bytes of a mail, and what a mail program reads in them."""
    raw = letter(message or about(), words, by, to).as_bytes()
    return raw, email.message_from_bytes(raw, policy=email.policy.default)


def said(part):
    """The text of a part, its line breaks as Python writes them."""
    return part.get_content().replace("\r\n", "\n")


def test_a_mail_says_from_whom_to_whom_and_when():
    """Sender with name, one receiver, the date of the message, and that nobody wrote it by hand."""
    _, mail = written(Words("Mail is down", "Due at noon."))
    assert mail["From"] == "Service Desk <desk@example.org>"
    assert mail["To"] == "ana@example.org"
    assert mail["Date"].datetime == NOW
    assert mail["Auto-Submitted"] == "auto-generated"
    assert said(mail) == "Due at noon.\n"


def test_other_scripts_arrive():
    """Subject and text in any language, in seven bits, so that every server passes them on."""
    raw, mail = written(Words("打印机 🙂" * 40, "Grüße\n.\nFrom here\n" + "长" * 2000))
    assert raw.isascii()
    assert mail["Subject"] == "打印机 🙂" * 40
    assert said(mail) == "Grüße\n.\nFrom here\n" + "长" * 2000 + "\n"


def test_html_is_the_alternative():
    """Programs that show no HTML show the text."""
    _, mail = written(Words("s", "plain", html="<p>fine</p>"))
    assert mail.get_content_type() == "multipart/alternative"
    assert [said(part) for part in mail.iter_parts()] == ["plain\n", "<p>fine</p>\n"]


@given(HOSTILE, HOSTILE, HOSTILE | st.none())
def test_no_words_begin_a_header(subject, text, html):
    """Whatever subject, text and HTML are: the headers are ours, one of each, and no bare CR or LF is left."""
    raw, mail = written(Words(subject, text, html=html))
    assert sorted(mail.keys()) == sorted(
        HEADERS if html is None else set(HEADERS) - {"Content-Transfer-Encoding"}
    )
    rest = raw.replace(b"\r\n", b"")
    assert b"\r" not in rest
    assert b"\n" not in rest
    assert raw.endswith(b"\r\n")
    assert max(map(len, raw.split(b"\r\n"))) <= 998  # RFC 5322 2.1.1


@pytest.mark.parametrize(
    "subject",
    [
        "=?utf-8?q?a=0D=0ABcc:_eve@example.org?=",
        "a =?utf-8?b?DQpCY2M6IGV2ZUBleGFtcGxlLm9yZw==?= b",  # the same in base64
        "=?utf-8?q?=0D=0A=0D=0AYour password has expired?=",
        "=?utf-8?q?=00?=",
    ],
)
def test_an_encoded_word_in_a_subject_is_not_decoded(subject):
    """RFC 2047: what hides line breaks in ASCII would begin headers, or the text, once it is undone."""
    raw, mail = written(Words(subject, "t"))
    assert sorted(mail.keys()) == sorted(HEADERS)
    assert mail["Subject"] == subject.replace("=?", "= ?")
    assert b"\x00" not in raw
    assert said(mail) == "t\n"


def test_a_name_is_not_decoded_either():
    """Nor one of a sender that comes out of a directory."""
    by = sender("=?utf-8?q?a=0D=0ABcc:_eve?= <desk@example.org>")
    _, mail = written(Words("s", "t"), by=by)
    assert sorted(mail.keys()) == sorted(HEADERS)
    assert mail["From"].addresses[0].addr_spec == "desk@example.org"


def test_a_subject_without_end_is_cut():
    """After a thousand characters: to fold a million took ten seconds, which no deadline bounded."""
    _, mail = written(Words("é" * 1_000, "t"))
    assert mail["Subject"] == "é" * 1_000
    _, mail = written(Words("é" * 1_001, "t"))
    assert mail["Subject"] == "é" * 1_000 + "..."


@given(st.text(st.characters(codec=None)), st.text(st.characters(codec=None)))
def test_the_ids_are_derived(key, record):
    """One key, one Message-ID; one record, one thread; and nothing of either can be read in them."""
    _, mail = written(Words("s", "t"), about(key, record))
    _, again = written(Words("other", "words"), about(key, record))
    _, other = written(Words("s", "t"), about(key + "x", record))
    assert mail["Message-ID"] == again["Message-ID"] != other["Message-ID"]
    assert mail["References"] == mail["In-Reply-To"] == other["References"]
    assert mail["Message-ID"] != mail["References"]
    assert len(mail["Message-ID"]) == 1 + 32 + len("@example.org") + 1


def test_a_long_domain_does_not_break_the_thread():
    """A header that had to be folded would be encoded, and no longer match."""
    by = sender("desk@" + ".".join(["a" * 60] * 4))
    raw, mail = written(Words("s", "t"), by=by)
    assert mail["References"].endswith("@itsm-core.invalid>")
    assert b"=?utf-8?" not in raw


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("ana@example.org", "ana@example.org"),
        ("o'brien+itsm@mail.example.org", "o'brien+itsm@mail.example.org"),
        ("ana@bücher.example", "ana@xn--bcher-kva.example"),
        ("用户@example.org", "用户@example.org"),
        ("desk@localhost", "desk@localhost"),
    ],
)
def test_an_address_is_one_mailbox(text, address):
    """Domains of other scripts are written as name servers know them."""
    assert mailbox(text).addr_spec == address


@pytest.mark.parametrize(
    "text",
    [
        None, 7, "", "ana", "@example.org", "ana@", "a@b@c", "ana@example.org,eve@example.org",
        "Ana <ana@example.org>", "ana@example.org\r\nBcc: eve@example.org", "ana@example.org\n", "an a@example.org",
        '"ana"@example.org', "ana@[127.0.0.1]", "ana@example..org", "ana@" + "a" * 64 + ".org",
        "a" * 65 + "@example.org", "ana\u202e@example.org", "a\x00@example.org",
        "=?utf-8?q?=0D=0ABcc?=@example.org", "ana@=?utf-8?q?=0D=0ABcc?=",
    ],
)  # fmt: skip
def test_everything_else_is_no_mailbox(text):
    """A list, a name, a header of somebody else's."""
    assert mailbox(text) is None


def test_a_sender_has_an_address():
    """With or without a name; an `Address` is one already."""
    assert sender(BY) is BY
    assert sender("desk@example.org").display_name == ""
    assert sender("桌面 <desk@example.org>").display_name == "桌面"
    for wrong in ("desk", "", None, "Desk <desk>", "a@b.org, c@d.org", "Desk\r\nBcc: eve@b.org <a@b.org>"):
        with pytest.raises(InvalidValue, match="is no mail address; give"):
            sender(wrong)


def test_an_address_of_another_script_is_written_as_it_is():
    """Its mail is for servers with SMTPUTF8, which take headers in UTF-8."""
    raw, mail = written(Words("s", "t"), to=mailbox("用户@example.org"))
    assert "To: 用户@example.org\r\n".encode() in raw
    assert mail["To"] == "用户@example.org"
