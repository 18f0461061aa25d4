"""What somebody asks for: aware instants, immutable fields, nothing personal in the repr."""

import datetime as dt
from zoneinfo import ZoneInfo

import pytest

from itsm_core.actors import Actor
from itsm_core.commands import Command
from itsm_core.errors import InvalidValue, NaiveDatetime

ANA = Actor.person("ana", "agent")
T = dt.datetime(2024, 2, 5, 9, tzinfo=dt.UTC)


@pytest.mark.parametrize("name", ["at", "recorded_at"])
def test_a_naive_instant_is_refused(name):
    """Nobody can tell which instant it means."""
    instants = {"at": T, "recorded_at": T, name: dt.datetime(2024, 2, 5, 9)}
    with pytest.raises(NaiveDatetime, match="make it aware"):
        Command("start", ANA, **instants)


def test_instants_are_kept_in_utc():
    """Any zone in, UTC inside: the same instant."""
    berlin = dt.datetime(2024, 2, 5, 10, tzinfo=ZoneInfo("Europe/Berlin"))
    command = Command("start", ANA, at=berlin, recorded_at=berlin)
    assert (command.at, command.recorded_at) == (T, T)
    assert command.at.tzinfo is command.recorded_at.tzinfo is dt.UTC


def test_when_it_was_recorded_may_be_left_out():
    """The host then learnt of it as it happened."""
    assert Command("start", ANA, at=T).recorded_at is None


def test_fields_are_frozen_on_the_way_in():
    """Changing the caller's dict later does not change the command."""
    fields = {"configuration_items": ["web-1"]}
    command = Command("open", ANA, at=T, fields=fields)
    fields["configuration_items"].append("web-2")
    fields["title"] = "x"
    assert command.fields == {"configuration_items": ("web-1",)}


def test_a_float_is_refused_at_the_door():
    """Stored JSON holds no floats, so no command brings one."""
    with pytest.raises(InvalidValue, match="hours"):
        Command("start", ANA, at=T, fields={"hours": 1.5})


def test_the_repr_names_fields_and_hides_what_they_say():
    """A command may hold personal words; a log must not."""
    shown = repr(Command("open", ANA, at=T, fields={"title": "Rita lost her badge", "requester": "rita"}))
    assert "title" in shown
    assert "requester" in shown
    assert "badge" not in shown
    assert "rita" not in shown


def test_a_command_is_asked_by_an_actor():
    """A bare name does not say in what capacity; the message writes what was meant."""
    with pytest.raises(
        InvalidValue, match=r"^actor 'bea': is no Actor; say who asks: Actor.person\(\"bea\"\)$"
    ):
        Command("resolve", "bea", at=T)
    with pytest.raises(InvalidValue, match=r'^actor None: is no Actor; .*Actor.person\("ana"\)$'):
        Command("resolve", None, at=T)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"trigger": ""}, "^trigger '': is no word"),
        ({"trigger": 5}, "^trigger 5: is no word"),
        ({"id": 5}, "^command id 5: is no text"),
        ({"id": "\ud800"}, "^command id '1 characters': hold half a surrogate pair"),
        ({"channel": ["email"]}, r"^channel \['email'\]: is no text; give a text, such as"),
        ({"on_behalf_of": 5}, "^on_behalf_of 5: is no text"),
        ({"on_behalf_of": "\ud800"}, "^on_behalf_of .* half a surrogate pair"),
        ({"cause": b"x"}, "^cause b'x': is no text"),
        ({"expected": "3"}, "^expected '3': is no whole number; give the version"),
        ({"fields": 5}, "^fields 5: are no mapping"),
        ({"at": "2024-02-05"}, "^at '2024-02-05': is no datetime"),
    ],
)
def test_a_part_of_another_type_is_refused_by_name(wrong, message):
    """What was given, why it does not do, and what would."""
    with pytest.raises(InvalidValue, match=message):
        Command(**{"trigger": "start", "actor": ANA, "at": T, **wrong})
