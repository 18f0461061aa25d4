"""Measures: conditions on the state of a record and on words, and what may stand in them."""

import itertools

import attrs
import pytest

from itsm_core.errors import InvalidValue
from itsm_core.events import Phase, WaitsOn
from itsm_core.sla import Condition, Mark, Measure, Said, Word, reply, resolution, response, stretch, update
from itsm_core.sla.agreements.measures import AnyOf

MARK = Mark(
    0, Phase.WAITING, waits_on=WaitsOn.SUPPLIER, state="on_hold", outcome="late", event="e1", group="net",
    assignee="ana",
)  # fmt: skip
MESSAGE = (Word(0, Said.MESSAGE, event="e1"),)
ASPECTS = [
    ({"phases": ["waiting", "new"]}, {"phases": "active"}),
    ({"states": "on_hold"}, {"states": ["hold", "on"]}),
    ({"waits_on": WaitsOn.SUPPLIER}, {"waits_on": "requester"}),
    ({"outcomes": {"late"}}, {"outcomes": "early"}),
    ({"groups": "net"}, {"groups": ["db", "ne"]}),
    ({"assigned": True}, {"assigned": False}),
    ({"words": "message"}, {"words": [Said.REQUEST, "ai_message"]}),
]


@pytest.mark.parametrize(("held", "missed"), ASPECTS, ids=[next(iter(held)) for held, _ in ASPECTS])
def test_an_aspect_holds_of_any_of_its_values(held, missed):
    """A name alone is one of them; an aspect that names others does not hold."""
    assert Condition(**held).holds(MARK, MESSAGE)
    assert not Condition(**missed).holds(MARK, MESSAGE)


@pytest.mark.parametrize(("one", "other"), list(itertools.permutations(ASPECTS, 2)))
def test_every_aspect_that_is_named_must_hold(one, other):
    """Two that hold, hold; one that does not is enough against it."""
    assert Condition(**one[0], **other[0]).holds(MARK, MESSAGE)
    assert not Condition(**one[0], **other[1]).holds(MARK, MESSAGE)


def test_nobody_and_nothing_are_not_held_by_a_name():
    """A record without group, wait, outcome or assignee meets no condition that names one."""
    bare = Mark(0, Phase.ACTIVE, waits_on=None, state="work", outcome=None, event="e1")
    for held, _ in ASPECTS:
        assert not Condition(**held).holds(bare, ())
    assert Condition(assigned=False).holds(bare, ())


def test_a_condition_that_names_nothing_always_holds():
    """And turned round it never does."""
    assert Condition().holds(MARK, ())
    assert not Condition(unless=True).holds(MARK, ())


@pytest.mark.parametrize(("held", "missed"), ASPECTS[:-1])
def test_unless_turns_the_whole_round(held, missed):
    """It holds where any aspect does not."""
    assert not Condition(**held, unless=True).holds(MARK, ())
    assert Condition(**missed, unless=True).holds(MARK, ())
    assert Condition(**{**held, "states": "elsewhere"}, unless=True).holds(MARK, ())


def test_of_several_conditions_any_will_do():
    """Phases alone, a state among others, and nothing at all."""
    elsewhere, here = Condition(groups="db"), Condition(groups="net")
    for some, holds in (
        ((), False), ((elsewhere,), False), ((elsewhere, here), True), ((Condition(phases="waiting"),), True),
        ((Condition(phases="new"), elsewhere), False), ((Condition(phases="new"), here), True),
        ((elsewhere, Condition()), True), ((Condition(phases="waiting", unless=True),), False),
        ((Condition(phases="new", unless=True),), True), ((Condition(phases="waiting", groups="db"),), False),
    ):  # fmt: skip
        assert AnyOf(some)(MARK) is holds


def test_words_hold_only_where_they_are_said():
    """The same state without them, or with other words, does not hold."""
    asked = AnyOf((Condition(words=["message", "live_contact"]),))
    assert asked(MARK, MESSAGE)
    assert not asked(MARK)
    assert not asked(MARK, (Word(0, Said.REQUEST, event="e1"),))
    assert asked(MARK, (Word(0, Said.REQUEST, event="e1"), *MESSAGE))


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"phases": "done"}, r"done.*new, active, waiting, resolved, closed"),
        ({"waits_on": "vendor"}, r"vendor.*supplier"),
        ({"words": "shout"}, r"shout.*message"),
        ({"states": 5}, r"5"),
        ({"groups": [None]}, r"None"),
        ({"phases": None}, r"None"),
        ({"words": "message", "unless": True}, r"turns words round"),
    ],
)
def test_what_no_record_has_is_refused_by_name(wrong, message):
    """A misspelt phase, wait or word names the known ones."""
    with pytest.raises(InvalidValue, match=message):
        Condition(**wrong)


@pytest.mark.parametrize("flag", ["assigned", "unless"])
@pytest.mark.parametrize("wrong", ["yes", 1, "false"])
def test_a_flag_is_yes_or_no(flag, wrong):
    """A text that reads like one would hold always, or never."""
    with pytest.raises(InvalidValue, match=flag):
        Condition(**{flag: wrong})


def test_a_start_by_words_cannot_be_asked_to_last():
    """Words hold for an instant: a clock that ends where its start holds no more would end at any next one."""
    with pytest.raises(InvalidValue, match="words hold for an instant"):
        Measure(start=[Condition(phases="new"), Condition(words="request")], while_started=True)


@pytest.mark.parametrize("flag", ["once", "while_started"])
@pytest.mark.parametrize("wrong", ["yes", "no", 0])
def test_a_flag_of_a_measure_is_yes_or_no(flag, wrong):
    """A text that reads like one would count as yes."""
    with pytest.raises(InvalidValue, match=flag):
        Measure(start=Condition(), **{flag: wrong})


@pytest.mark.parametrize("place", ["pause", "resume"])
def test_words_pause_nothing(place):
    """They hold for an instant only, so a pause by words would never be one: refused, with the way out."""
    with pytest.raises(InvalidValue, match=place):
        Measure(start=Condition(), **{place: [Condition(states="x"), Condition(words="message")]})


def test_a_measure_needs_a_start():
    """Without one the clock would never start; the refusal shows how to begin at the opening."""
    with pytest.raises(InvalidValue, match=r"start \(\): names no condition.*Condition\(\) for the opening"):
        Measure(start=())


@pytest.mark.parametrize("place", ["start", "stop", "pause", "resume", "reset", "void"])
@pytest.mark.parametrize("wrong", ["approval", 5, None, [Condition(), "x"]])
def test_only_conditions_stand_in_a_measure(place, wrong):
    """The refusal names what was given and shows one."""
    with pytest.raises(InvalidValue, match=r"conditions .*Condition\("):
        Measure(**{"start": Condition(), place: wrong})


def test_one_condition_is_a_list_of_one():
    """Measures are equal if their conditions are, however they were given."""
    one = Condition(states="approval")
    assert Measure(start=one, stop=[one]) == Measure(start=[one], stop=(one,))
    assert Measure(start=one) != Measure(start=one, once=True)
    assert attrs.evolve(Measure(start=one), stop=one).stops(attrs.evolve(MARK, state="approval"))


@pytest.mark.parametrize("place", ["start", "stop", "reset", "void"])
def test_a_measure_hears_the_words_that_any_of_its_conditions_names(place):
    """And no others; it repeats where words start it."""
    found = Measure(**{"start": Condition(), place: Condition(words=["request", "message"])})
    assert found.hears == {Said.REQUEST, Said.MESSAGE}
    assert found.repeats is (place == "start")
    assert Measure(start=Condition()).hears == set()


def test_the_measures_of_the_known_metrics_read_as_they_are_told():
    """What starts, stops and starts each of them over: words in brackets, D is resolved or closed."""
    done, by = Condition(phases=["resolved", "closed"]), frozenset({Said.MESSAGE, Said.AI_MESSAGE})
    answer, group = Condition(words=by), Condition(groups="net")
    assert resolution() == resolution(by) == Measure(start=Condition(), stop=done)
    assert response(by) == Measure(start=Condition(), stop=[answer, done], once=True)
    assert update(by) == Measure(start=Condition(), stop=done, reset=answer)
    assert reply(by) == Measure(start=Condition(words="request"), stop=[answer, done])
    assert stretch(group) == Measure(start=group, stop=done, while_started=True)
    assert [m.repeats for m in (resolution(), response(), update(), reply(), stretch(group))] == [
        False, False, False, True, True,
    ]  # fmt: skip


def test_an_answer_is_a_persons_unless_said_otherwise():
    """Messages, live contact and acknowledgements; no AI agent and no request."""
    for one in (response, update):
        assert one().hears == {Said.MESSAGE, Said.LIVE_CONTACT, Said.ACKNOWLEDGEMENT}
    assert reply().hears - response().hears == {Said.REQUEST}
