"""`history_from_posts`: what a status page posted, as events, with findings."""

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from itsm_core.actors import Actor, ActorKind
from itsm_core.business_time import BusinessCalendar, hours
from itsm_core.errors import InvalidInput, InvalidValue
from itsm_core.events import Audience, Communication, Direction, Phase
from itsm_core.importers import STATUS_PAGE, history_from_posts
from itsm_core.lifecycle import StateMap
from itsm_core.processes import CHANGE, INCIDENT, PROBLEM
from itsm_core.records import fold
from itsm_core.sla import Metric, Target, Verdict, evaluate

T0 = dt.datetime(2024, 2, 5, 9, 0, tzinfo=dt.UTC)


def at(minutes):
    return T0 + dt.timedelta(minutes=minutes)


def post(minute, status, **more):
    return {"at": at(minute), "status": status, **more}


def told(*posts, **options):
    """The history of posts (minute, status), or of whole ones, by ana."""
    full = [given if isinstance(given, dict) else post(*given) for given in posts]
    return history_from_posts(full, **{"record": "INC1", "by": "ana", **options})


def states(history):
    return [(e.from_state, e.to_state) for e in history if e.kind == "transitioned"]


def words(history):
    return [Communication.of(e) for e in history if e.kind == "communicated"]


def codes(history):
    return [finding.code for finding in history.findings]


def clock(history, metric="resolution"):
    around = BusinessCalendar.always("UTC")
    return evaluate(history, Target("t", metric, duration=hours(1), calendar=around), at(10_000))


# --- states ----------------------------------------------------------------------------------


def test_an_outage_is_an_incident_from_its_first_post_to_resolved():
    """A fix that is watched is not yet one: the clock stops at Resolved."""
    history = told((0, "Investigating"), (5, "Identified"), (20, "Monitoring"), (50, "Resolved"))
    assert [e.lifecycle for e in history] == ["incident"] * len(history)
    assert states(history) == [(None, "in_progress"), ("in_progress", "resolved")]
    found = clock(history)
    assert (found.started_at, found.stopped_at) == (at(0), at(50))
    assert not history.findings


def test_a_maintenance_is_a_change_from_scheduled_to_its_review():
    """Completed means that what was planned is done; closing it is for the page's owner."""
    history = told((0, "Scheduled"), (60, "In progress"), (80, "Verifying"), (90, "Completed"))
    assert [e.lifecycle for e in history] == ["change"] * len(history)
    assert states(history) == [(None, "scheduled"), ("scheduled", "implement"), ("implement", "review")]
    assert clock(history).elapsed == dt.timedelta(minutes=90)
    assert not history.findings


def test_what_was_posted_as_resolved_only_is_opened_and_resolved_at_one_instant():
    """It took no time that anybody could have counted, and is met."""
    history = told((0, "Resolved"))
    assert [e.kind for e in history] == ["opened", "transitioned", "communicated"]
    found = clock(history)
    assert (found.started_at, found.stopped_at, found.verdict) == (at(0), at(0), Verdict.MET)


@pytest.mark.parametrize("word", ["Update", "Postmortem", "update", "", None, "  "])
def test_words_alone_leave_the_record_as_it_was(word):
    """An update moves nothing, nor does a post-mortem reopen what is resolved."""
    before = told((0, "Investigating"), (1, word))
    after = told((0, "Investigating"), (1, "Resolved"), (2, word))
    assert fold(before).phase is Phase.ACTIVE
    assert fold(after).phase is Phase.RESOLVED
    assert not before.findings
    assert not after.findings
    assert len(words(after)) == 3


def test_a_page_of_words_alone_is_an_incident():
    """Nothing is known of it but that it was spoken of."""
    history = told((0, "Update"))
    assert (history[0].lifecycle, fold(history).phase) == ("incident", Phase.NEW)


def test_statuses_are_read_as_the_page_shows_them_or_as_its_interface_writes_them():
    """`In progress`, `in_progress` and `IN-PROGRESS` are one word."""
    shown = told((0, "Scheduled"), (1, "In progress"))
    assert told((0, "scheduled"), (1, "in_progress")) == shown
    assert told((0, " SCHEDULED "), (1, "IN-PROGRESS")) == shown


def test_an_outage_that_comes_back_is_reopened():
    """Resolved to Investigating is a move that the incident has."""
    history = told((0, "Investigating"), (5, "Resolved"), (9, "Investigating"))
    assert (fold(history).reopened, codes(history)) == (1, [])


def test_a_status_that_nobody_knows_is_reported_as_written_and_moves_nothing():
    """The words stay words to the public."""
    history = told((0, "Investigating"), (1, "Under Review"), (2, 7))
    assert [(f.code, f.row, f.value) for f in history.findings] == [
        ("unknown_state", 2, "Under Review"), ("unknown_state", 3, "7"),
    ]  # fmt: skip
    assert fold(history).state == "in_progress"
    assert len(words(history)) == 3


def test_a_word_of_a_maintenance_within_an_outage_is_reported():
    """What a record is, its first word says."""
    assert codes(told((0, "Update"), (1, "Resolved"), (2, "Completed"))) == ["unknown_state"]
    assert codes(told((0, "Update"), (1, "Completed"), (2, "Resolved"))) == ["unknown_state"]


def test_the_lifecycle_may_be_said():
    """A page that posts Completed alone may mean an incident with words of its own."""
    own = StateMap("our page", {"Fixed": "resolved", "Looking": "in_progress", "Update": "resolved"})
    history = told((0, "Looking"), (1, "Fixed"), (2, "Resolved"), lifecycle=INCIDENT, states=own)
    assert states(history) == [(None, "in_progress"), ("in_progress", "resolved")]
    assert codes(history) == ["unknown_state"]
    assert states(told((0, "Update"), states=own)) == [(None, "resolved")]
    assert told((0, "Update"), lifecycle=CHANGE)[0].lifecycle == "change"


def test_a_lifecycle_without_words_is_refused_with_the_remedy():
    """Problems are not posted; who does so says what the words mean."""
    with pytest.raises(InvalidValue, match=r"'problem': has no words on status pages; .*states=StateMap"):
        told((0, "Resolved"), lifecycle=PROBLEM)
    with pytest.raises(InvalidValue, match="give the lifecycle itself"):
        told((0, "Resolved"), lifecycle="incident")
    with pytest.raises(InvalidValue, match="wrap it: StateMap"):
        told((0, "Fixed"), states={"Fixed": "resolved"})
    with pytest.raises(InvalidValue, match="review"):
        told((0, "Fixed"), states=StateMap("our page", {"Fixed": "review"}))


@pytest.mark.parametrize("lifecycle", [INCIDENT, CHANGE], ids=lambda lifecycle: lifecycle.id)
def test_the_shipped_words_fit_their_lifecycles(lifecycle):
    """Each names a state that is there."""
    states = STATUS_PAGE[lifecycle.id]
    assert states.checked(lifecycle) is states
    assert STATUS_PAGE.keys() == {"incident", "change"}


# --- words -----------------------------------------------------------------------------------


def test_every_post_is_a_word_to_the_public():
    """Outbound, with its text and its own id; text is personal as everywhere."""
    history = told(post(0, "Investigating", text="Mail is slow.", id=41), (3, "Update"))
    first, second = words(history)
    assert (first.direction, first.audience) == (Direction.OUTBOUND, Audience.PUBLIC)
    assert (first.text, first.message_id, first.author.id) == ("Mail is slow.", "41", "ana")
    assert first.text_digest is not None
    assert (second.text, second.text_digest, second.message_id) == (None, None, None)
    (spoken,) = (e for e in history if e.kind == "communicated" and "text" in e.fields)
    assert set(spoken.personal) == {"text", "text_digest"}
    assert "messages" not in history[0].fields


def test_a_person_who_posts_answers_and_a_machine_does_not():
    """Response clocks hear people; who posts where a post does not say, the caller says."""
    posts = [(0, "Investigating"), (30, "Update"), (90, "Resolved")]
    heard = clock(told(*posts, opened_at=at(-10)), Metric.RESPONSE)
    assert (heard.stop_reason, heard.elapsed) == ("answered", dt.timedelta(minutes=10))
    machine = told(*posts, by=Actor.automation("probe"))
    late = clock(machine, Metric.RESPONSE)
    assert (late.stop_reason, late.stopped_at) == ("resolved_without_reply", at(90))
    assert {e.actor.kind for e in machine} == {ActorKind.AUTOMATION}


@pytest.mark.parametrize("part", ["status", "text", "id", "by"])
@pytest.mark.parametrize(
    "wrong", [1.5, True, ["x"], 2**53, -(10**5000)], ids=["float", "bool", "list", "large", "huge"]
)
def test_what_is_no_text_is_refused(part, wrong):
    """A number is its digits where it is a code, as an id is; everything else is a mistake."""
    assert told(post(0, "Resolved"), {**post(1, "Update"), part: 2**53 - 1})
    with pytest.raises(InvalidInput, match=f"posts, line 2: {part} .*is no text"):
        told(post(0, "Resolved"), {**post(1, "Update"), part: wrong})


def test_a_post_may_say_who_posted_it():
    """Before the page's own poster; an empty name says nothing."""
    history = told(post(0, "Investigating", by="ben"), post(1, "Update", by=""), post(2, "Resolved", by=None))
    assert [said.author.id for said in words(history)] == ["ben", "ana", "ana"]
    assert history[0].actor.id == "ben"


@pytest.mark.parametrize("by", [None, "", 5, ["ana"]])
def test_somebody_posts(by):
    """Whether a person speaks decides what the words count for, so it is never guessed."""
    with pytest.raises(InvalidValue, match=r"by .* names nobody; say who posts"):
        told((0, "Resolved"), by=by)


def test_a_silence_is_counted_between_posts():
    """Speak at least every hour: the middle stretch was too long."""
    history = told((0, "Investigating"), (50, "Update"), (120, "Update"), (130, "Resolved"))
    found = [(c.elapsed / dt.timedelta(minutes=1), c.breached) for c in clock(history, "update").cycles]
    assert found == [(50, False), (70, True), (10, False)]


# --- order and repeats -----------------------------------------------------------------------


def test_a_page_may_begin_with_its_newest_post():
    """As most do; equal instants are then read from the end, too."""
    posts = [(0, "Investigating"), (5, "Update"), (5, "Resolved"), (9, "Postmortem")]
    assert told(*reversed(posts)) == told(*posts)
    assert not told(*reversed(posts)).findings
    assert fold(told((0, "Investigating"), (0, "Resolved"))).phase is Phase.RESOLVED


def test_a_post_out_of_place_is_put_there_and_reported():
    """By its instant, with its number."""
    history = told((0, "Investigating"), (9, "Resolved"), (5, "Update"), (6, "Update"), (12, "Postmortem"))
    assert [said.at for said in words(history)] == [at(0), at(5), at(6), at(9), at(12)]
    assert [(f.code, f.row) for f in history.findings] == [("out_of_order", 3), ("out_of_order", 4)]


def test_the_same_id_again_is_the_same_post():
    """Two fetches of a page overlap; what comes again is left out and reported."""
    one, two = post(0, "Investigating", id="a"), post(5, "Resolved", id="b")
    history = told(one, two, one, two)
    assert [(f.code, f.row) for f in history.findings] == [("duplicate", 3), ("duplicate", 4)]
    assert history == told(one, two)


def test_posts_without_an_id_are_all_kept():
    """What stands on the page twice was said twice: 70 incidents of a real page hold such posts."""
    history = told((0, "Investigating"), (5, "Update"), (5, "Update"), post(9, "Resolved", id=""))
    assert len(words(history)) == 4
    assert not history.findings


STATUSES = ["Investigating", "Identified", "Update", "Monitoring", "Resolved", "Postmortem"]


@pytest.mark.law
@given(st.lists(st.tuples(st.integers(0, 300), st.sampled_from(STATUSES)), min_size=1, max_size=12))
def test_every_history_opens_at_its_first_post_and_keeps_every_word(posts):
    """In any order of posts, in any order of statuses."""
    history = told(*posts)
    assert history[0].occurred_at == at(min(minute for minute, _ in posts))
    assert sorted(said.at for said in words(history)) == sorted(at(minute) for minute, _ in posts)
    assert [e.occurred_at for e in history] == sorted(e.occurred_at for e in history)


# --- what is given ---------------------------------------------------------------------------


def test_an_outage_may_have_begun_before_it_was_posted():
    """`opened_at` is when the clock starts; one after the first post is reported and not taken."""
    assert clock(told((0, "Investigating"), (5, "Resolved"), opened_at=at(-30))).started_at == at(-30)
    late = told((0, "Investigating"), opened_at="2024-02-05T10:00:00Z")
    assert (late[0].occurred_at, codes(late)) == (at(0), ["opened_late"])


def test_naive_instants_take_the_zone_or_are_refused():
    """A wall time means nothing until a zone says where."""
    naive = {"at": "2024-07-01T12:00", "status": "Resolved"}
    assert told(naive, zone="Europe/Berlin")[0].occurred_at == dt.datetime(2024, 7, 1, 10, tzinfo=dt.UTC)
    with pytest.raises(InvalidInput, match=r"posts, line 1: at .* has no zone"):
        told(naive)


def test_fields_of_the_opening_are_on_the_opening():
    """Priority and title are the host's to say: a page's `impact` is no priority."""
    history = told((0, "Resolved"), fields={"title": "Mail is down", "priority": "P1"})
    assert fold(history).priority == "P1"
    assert set(history[0].personal) == {"title"}


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"status": "Resolved"}, "does not say when it was posted"),
        ({"at": T0, "status": "Resolved", "body": "x", "created_at": T0}, "has body, created_at"),
        ((T0, "Resolved"), "is no mapping"),
        ({"at": "soon", "status": "Resolved"}, "is no instant"),
        ({"at": None, "status": "Resolved"}, "is no datetime"),
        ({"at": T0, 5: "Resolved"}, "has 5"),
    ],
)
def test_a_post_that_cannot_be_read_is_refused_by_number(wrong, said):
    """Unknown parts too: the text under another name would be lost in silence."""
    with pytest.raises(InvalidInput, match="posts, line 2: .*" + said):
        history_from_posts([post(0, "Investigating"), wrong], record="INC1", by="ana")


@pytest.mark.parametrize("posts", [None, "text", b"x", {"at": T0}, 5])
def test_what_is_no_list_of_posts_is_refused(posts):
    """One post is given as a list of one."""
    with pytest.raises(InvalidValue, match=r"posts .*are no list of posts; give one mapping for each"):
        history_from_posts(posts, record="INC1", by="ana")


def test_no_posts_are_refused():
    """Nothing says when anything happened."""
    with pytest.raises(InvalidValue, match="hold nothing"):
        told()


def test_a_record_needs_its_name():
    """As everywhere."""
    with pytest.raises(InvalidValue, match="name it"):
        told((0, "Resolved"), record="")


def test_any_text_is_only_text():
    """Markup and control characters are kept as they are, and an empty text is none."""
    hostile = '<script>x</script>\x1b[31m\n"; drop'
    history = told(post(0, "Investigating", text=hostile), post(1, "Update", text=""))
    assert [said.text for said in words(history)] == [hostile, None]
    assert hostile not in repr(history[-1])


def test_a_long_outage_is_read_whole():
    """Ten thousand posts in one record."""
    posts = [(0, "Investigating"), *((n, "Update") for n in range(1, 10_000)), (10_000, "Resolved")]
    history = told(*posts)
    assert len(words(history)) == 10_001
    assert fold(history).phase is Phase.RESOLVED
