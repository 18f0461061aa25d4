"""Where a receiver is reached."""

import pytest

from itsm_core import InvalidValue
from itsm_core.notifiers.addressing import addressing


def test_a_text_is_the_place_of_all(message):
    """One place takes every message."""
    assert addressing("json://a")(message(to="bob")) == "json://a"


def test_a_mapping_says_where_each_receiver_is(message):
    """By `Message.to`; who is not in it has no place; a later change of it changes nothing."""
    places = {"ana": "ana@example.org"}
    find = addressing(places)
    places["bob"] = "bob@example.org"
    assert find(message(to="ana")) == "ana@example.org"
    assert find(message(to="bob")) is None


def test_a_function_decides_by_the_whole_message(message):
    """Such as by channel."""
    assert addressing(lambda m: m.channel)(message(channel="pager")) == "pager"


def test_anything_else_is_refused_without_being_shown():
    """A wrong value may be an address or a token."""
    with pytest.raises(InvalidValue, match=r"address 'list': .*; give \{") as caught:
        addressing(["json://token"])
    assert "token" not in str(caught.value)
