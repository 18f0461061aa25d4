"""What a policy calls those whom it tells."""

import pytest

from itsm_core.responders import ASKED, MANAGEMENT, SURELY, asks

# fmt: off
NAMES = [
    # the name             asks who that is   surely answers
    ("grace",              False,             False),
    ("grace@example.com",  False,             False),
    ("user:ana",           False,             True),
    ("callback:siren",     False,             True),
    ("on_call:network",    True,              False),
    ("role:lead",          True,              False),
    ("group:net",          True,              False),
    ("manager_of:owner",   True,              False),
    ("team:net",           True,              False),  # a kind of the host's own
    ("on-call2:net",       True,              False),
    (":net",               False,             False),
    ("2nd:net",            False,             False),
    ("der dienst: nachts", False,             False),
]
# fmt: on


@pytest.mark.parametrize(("name", "does", "surely"), NAMES)
def test_a_kind_before_the_colon_asks_who_somebody_is(name, does, surely):
    """But for the two that name somebody outright; a word alone is a name of its own."""
    assert (asks(name), name.startswith(SURELY)) == (does, surely)


def test_what_the_library_asks_for_itself_is_asked_for():
    """Every kind that it knows, and top management, is none of those who surely answer."""
    assert all(asks(f"{kind}x") for kind in ASKED)
    assert asks(MANAGEMENT)
    assert MANAGEMENT.startswith(ASKED)
