"""Small tables: aligned as text, escaped as HTML, harmless on a terminal."""

import pytest

from itsm_core.sla.explaining.tables import Table


def table(*rows, **rest):
    """Two columns, the first with words."""
    return Table("Caption", ("name", "n"), rows=rows, **rest)


def test_words_stand_left_and_figures_right():
    """Under their headings, without blanks at the end of a line."""
    shown = table(("a", "1"), ("longer", "1,000"), notes=("a note",)).text()
    assert shown.splitlines() == ["Caption", "name        n", "a           1", "longer  1,000", "a note"]


def test_chinese_characters_take_two_columns():
    """As a terminal shows them; combining accents take none."""
    shown = table(("解决", "1"), ("e\u0301cole", "2")).text().splitlines()
    assert shown[2:] == ["解决   1", "e\u0301cole  2"]


def test_a_long_text_is_cut():
    """At 120 characters, so that one id does not push all other columns away; a page wraps it by itself."""
    exact, long = table(("x" * 120, "1")), table(("x" * 121, "1"))
    assert exact.text().splitlines()[2] == "x" * 120 + "  1"
    assert long.text().splitlines()[2] == "x" * 119 + "…  1"
    assert "x" * 121 in long.html()


def test_a_table_without_rows_has_no_head():
    """Only the caption and the notes."""
    assert table(notes=("nothing",)).text() == "Caption\nnothing"
    assert table(notes=("nothing",)).html() == "<p>Caption</p><p>nothing</p>"


def test_html_says_the_same_and_stands_on_the_same_sides():
    """Headings in a head, rows in a body."""
    found = table(("a", "1")).html()
    assert found == (
        '<p>Caption</p><table><thead><tr><th style="text-align:left">name</th>'
        '<th style="text-align:right">n</th></tr></thead><tbody><tr>'
        '<td style="text-align:left">a</td><td style="text-align:right">1</td></tr></tbody></table>'
    )


@pytest.mark.parametrize("place", ["caption", "cell", "note"])
def test_hostile_text_does_nothing(place):
    """Neither markup nor escape sequences reach a page or a terminal."""
    evil = "<script>\x1b[2J\n"
    made = Table(
        evil if place == "caption" else "Caption", ("name",),
        rows=((evil if place == "cell" else "a",),), notes=(evil if place == "note" else "b",),
    )  # fmt: skip
    assert "<script>" not in made.html()
    assert "&lt;script&gt;" in made.html()
    for shown in (made.html(), made.text()):
        assert "\x1b" not in shown
    assert len(made.text().splitlines()) == 4
