"""What a message says, and how hostile text is made harmless in it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from itsm_core.notifiers.words import Words, as_said, lines, one_line, printable, visible, whole

ANY_TEXT = st.text(st.characters(codec=None))  # halves of surrogate pairs too


@given(ANY_TEXT)
def test_one_line_is_one_line(text):
    """Whatever the text, no line break and no control character is left."""
    made = one_line(text)
    assert len(made.splitlines()) <= 1
    assert all(c.isprintable() or c in "\u200c\u200d\u200e\u200f" for c in made)


@given(ANY_TEXT)
def test_lines_keep_breaks_and_tabs_and_no_other_control(text):
    r"""Line breaks come out as \n alone, so that no server reads a bare carriage return."""
    assert all(c.isprintable() or c in "\n\t\u200c\u200d\u200e\u200f" for c in lines(text))


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a\r\nBcc: eve@example.org", "a Bcc: eve@example.org"),
        ("a\u2028b\x85c\x0bd", "a b c d"),
        ("\x1b[2J\x07", "\\x1b[2J\\x07"),
        ("\u202egnp.exe", "\\u202egnp.exe"),
        ("打印机 🙂 می\u200cخواهم", "打印机 🙂 می\u200cخواهم"),
    ],
)
def test_one_line_shows_what_it_does_not_obey(text, shown):
    """Breaks become spaces, escape sequences and turned text are shown, other scripts stay."""
    assert one_line(text) == shown


def test_lines_of_windows_and_old_macs_are_lines():
    r"""\r\n and \r are breaks as well."""
    assert lines("a\r\nb\rc\nd\te\x00") == "a\nb\nc\nd\te\\x00"


def test_printable_keeps_everything_on_one_line():
    """For terminals: also a line break is shown."""
    assert printable("a\nb\x1b[0m") == "a\\nb\\x1b[0m"


@given(ANY_TEXT)
def test_a_whole_text_can_be_written(text):
    """Halves of surrogate pairs are replaced, the rest stays."""
    assert len(whole(text)) == len(text)
    whole(text).encode()


def test_words_show_nothing_in_their_repr(message):
    """What was said to whom stays out of logs and tracebacks."""
    assert repr(Words("secret", "secret", html="secret")) == "Words()"
    assert as_said(message()) == Words("Mail is down", "Due at noon.")


@given(ANY_TEXT)
def test_a_visible_text_fits_in_a_header(text):
    """Every character is visible ASCII, and what was that already is not changed."""
    made = visible(text)
    assert all("!" <= c <= "~" for c in made)
    assert made == text or not all("!" <= c <= "~" and c != "%" for c in text)
