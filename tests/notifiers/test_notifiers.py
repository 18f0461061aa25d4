"""The folder of notifiers, and those that need no server: console, log, function."""

import datetime as dt
import io
import logging
import subprocess
import sys

import pytest

from itsm_core import notifiers
from itsm_core.notifiers import ConsoleNotifier, FunctionNotifier, LoggingNotifier
from itsm_core.ports import Delivered, Message, Retry, Unknown


def message(**changes):
    """A message, with changes."""
    held = {
        "key": "k/1",
        "record": "I-1",
        "to": "ana",
        "channel": "email",
        "subject": "Mail is down",
        "body": "Due at noon.",
        "created_at": dt.datetime(2024, 1, 1, tzinfo=dt.UTC),
    }
    return Message(**{**held, **changes})


def test_the_console_prints_one_line():
    """Channel, receiver, subject and body on a line of the given stream."""
    stream = io.StringIO()
    assert ConsoleNotifier(stream)(message()) == Delivered()
    assert stream.getvalue() == "[email] to ana: Mail is down | Due at noon.\n"


def test_the_console_goes_to_standard_output_by_default(capsys):
    """Without a stream it prints where print does, also when that is replaced later."""
    ConsoleNotifier()(message())
    assert "Mail is down" in capsys.readouterr().out


def test_hostile_text_cannot_steer_the_terminal():
    """Escape sequences, line breaks and bells are shown, not obeyed; other scripts stay readable."""
    stream = io.StringIO()
    ConsoleNotifier(stream)(message(subject="\x1b[2J\n\rroot\a 打印机", body="\u202egnp.exe"))
    assert stream.getvalue().count("\n") == 1
    assert not set("\x1b\r\a\u202e") & set(stream.getvalue())
    assert "\\x1b[2J\\n\\rroot\\x07 打印机" in stream.getvalue()


def test_a_terminal_that_lacks_letters_shows_their_numbers():
    """A message is not lost because a console knows ASCII only."""
    written = io.BytesIO()
    stream = io.TextIOWrapper(written, encoding="ascii", write_through=True)
    assert ConsoleNotifier(stream)(message(subject="打印机 down")) == Delivered()
    assert b"\\u6253\\u5370\\u673a down" in written.getvalue()


def test_a_closed_stream_is_an_unknown_outcome():
    """The message stays in the outbox when the stream fails."""
    stream = io.StringIO()
    stream.close()
    assert isinstance(ConsoleNotifier(stream)(message()), Unknown)


def test_the_log_keeps_personal_words_out_unless_asked(caplog):
    """Key, channel and record are logged; receiver, subject and body only with `with_text`."""
    caplog.set_level(logging.INFO, "itsm_core.messages")
    assert LoggingNotifier()(message()) == Delivered()
    assert "k/1" in caplog.text
    assert "I-1" in caplog.text
    assert not any(word in caplog.text for word in ("ana", "Mail is down", "noon"))
    LoggingNotifier(with_text=True)(message())
    assert "Mail is down | Due at noon." in caplog.text


@pytest.mark.parametrize("with_text", [False, True])
def test_no_text_begins_another_line_of_the_log(caplog, with_text):
    """Line breaks and escape sequences of a ticket, or of its key, are shown, not obeyed."""
    caplog.set_level(logging.INFO, "itsm_core.messages")
    forged = "x\r\n2026-03-02 09:00 INFO root logged in\x1b[2J"
    LoggingNotifier(with_text=with_text)(
        message(key=forged, record=forged, to=forged, subject=forged, body=forged)
    )
    (said,) = caplog.messages
    assert not set("\r\n\x1b") & set(said)
    assert "x\\r\\n2026" in said


def test_a_function_that_returns_has_delivered():
    """A host's own send function is called with receiver, subject and body."""
    sent = []
    assert FunctionNotifier(lambda *words: sent.append(words))(message()) == Delivered()
    assert sent == [("ana", "Mail is down", "Due at noon.")]


@pytest.mark.parametrize("error", [OSError("no route"), ValueError("bad"), RuntimeError()])
def test_a_function_that_raises_is_tried_again(error):
    """Whatever it raises, the message stays and the reason is kept."""

    def fail(*_):
        raise error

    outcome = FunctionNotifier(fail)(message())
    assert isinstance(outcome, Retry)
    assert type(error).__name__ in outcome.reason


def test_a_message_shows_no_words_in_its_repr():
    """Logs and tracebacks show key and channel, not what was said to whom."""
    assert repr(message()) == "<message k/1 by email, attempt 0>"


def test_every_name_is_found_and_no_other():
    """Those that load more are loaded when they are asked for; a misspelt name fails as anywhere else."""
    assert [getattr(notifiers, name).__name__ for name in notifiers.__all__] == notifiers.__all__
    with pytest.raises(AttributeError, match="Telegraph"):
        notifiers.Telegraph  # noqa: B018


def test_importing_the_folder_loads_no_technology(tmp_path):
    """Neither mail nor HTTP nor an extra: only what is used is loaded."""
    heavy = {"smtplib", "http.client", "ssl", "jinja2", "apprise", "email"}
    code = f"import sys, itsm_core.notifiers; print(sorted({heavy!r} & set(sys.modules)))"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert done.stdout == "[]\n"
