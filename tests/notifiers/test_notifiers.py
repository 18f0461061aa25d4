"""The shipped notifiers: console, log, function."""

import datetime as dt
import io
import logging

import pytest

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
