"""Breakdowns: the same segments, grouped by who had the record, its state, or the reason."""

import datetime as dt
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from itsm_core.business_time import BusinessCalendar, hours
from itsm_core.errors import InvalidValue
from itsm_core.sla import SegmentKind, breakdown, evaluate

KEYS = ("owner", "group", "assignee", "state", "phase", "reason")
HOUR = dt.timedelta(hours=1)
NONE = dt.timedelta()


@pytest.fixture
def told(history, office, resolution):
    """Monday 9 to Tuesday 11: at the desk an hour, then with the network team, held for two, resolved."""
    h = history("Europe/Berlin").opened("2026-03-02 09:00", to="new", group="desk", owner="olga")
    h.add("assigned", "2026-03-02 10:00", group="network", assignee="ned")
    h.hold("2026-03-02 12:00", to="on_hold").resumed("2026-03-02 14:00", to="work")
    h.resolved("2026-03-03 11:00", to="done")
    return evaluate(h.events, resolution(hours(8), office), h.at("2026-03-03 11:00")).explain()


def rows(found):
    """The rows as hours, by key."""
    return {
        row.key: tuple(length / HOUR for length in (row.running, row.paused, row.closed, row.stopped))
        for row in found.rows
    }


def test_time_is_told_by_who_had_the_record(told):
    """10-12, 14-17 and 9-11 of it are the team's: seven of eight hours."""
    found = told.breakdown("group")
    assert rows(found) == {("network",): (7, 2, 16, 0), ("desk",): (1, 0, 0, 0)}
    assert [row.share for row in found.rows] == [Fraction(7, 8), Fraction(1, 8)]
    assert rows(told.breakdown("assignee")) == {("ned",): (7, 2, 16, 0), (None,): (1, 0, 0, 0)}
    assert rows(told.breakdown("owner")) == {("olga",): (8, 2, 16, 0)}


def test_time_is_told_by_state_phase_and_reason(told):
    """The night belongs to the state in which it fell."""
    assert rows(told.breakdown("state")) == {
        ("work",): (5, 0, 16, 0), ("new",): (3, 0, 0, 0), ("on_hold",): (0, 2, 0, 0),
    }  # fmt: skip
    assert rows(told.breakdown(["phase"])) == {
        ("active",): (5, 0, 16, 0), ("new",): (3, 0, 0, 0), ("waiting",): (0, 2, 0, 0),
    }  # fmt: skip
    assert rows(told.breakdown("reason")) == {
        ("in progress",): (5, 0, 0, 0), ("new",): (3, 0, 0, 0),
        ("waiting for requester",): (0, 2, 0, 0), ("night",): (0, 0, 16, 0),
    }  # fmt: skip


def test_several_keys_tell_each_pair(told):
    """In the order in which they are asked for."""
    found = told.breakdown(("state", "group"))
    assert found.by == ("state", "group")
    assert [row.key for row in found.rows] == [
        ("work", "network"), ("new", "network"), ("new", "desk"), ("on_hold", "network"),
    ]  # fmt: skip


def test_segments_of_many_clocks_are_added_up(told):
    """Twice the same clock is twice the time, in the same shares."""
    both = breakdown([*told.segments, *told.segments])
    assert both.by == ("group",)
    assert rows(both) == {("network",): (14, 4, 32, 0), ("desk",): (2, 0, 0, 0)}
    assert [row.share for row in both.rows] == [Fraction(7, 8), Fraction(1, 8)]


def test_nothing_used_has_no_share(told):
    """Only a pause: no share is given, and none is 100 %."""
    paused = [one for one in told.segments if one.kind is SegmentKind.PAUSED]
    (row,) = breakdown(paused).rows
    assert (row.share, row.running, row.paused) == (None, NONE, 2 * HOUR)
    assert str(breakdown(paused)).splitlines()[1].endswith("-")
    assert (breakdown([]).rows, str(breakdown([])), breakdown([])._repr_html_()) == ((), "", "<p></p>")


def test_the_table_is_told_in_two_languages(told):
    """Figures stand to the right; names stay what they are, phases and reasons are words."""
    assert str(told.breakdown("group")).splitlines() == [
        "group    running  paused  closed  stopped   share",
        "network       7h      2h     16h       0s  87.5 %",
        "desk          1h      0s      0s       0s  12.5 %",
    ]
    chinese = told.breakdown(("assignee", "phase")).table("zh")
    assert chinese.headings == ("受理人", "阶段", "运行", "暂停", "关闭", "停止", "占比")
    assert chinese.rows[0] == ("ned", "处理中", "5小时", "0秒", "16小时", "0秒", "62.5 %")
    assert chinese.rows[2][0] == "-"
    with pytest.raises(InvalidValue, match="is not spoken here"):
        told.breakdown().table("fr")


def test_names_are_text_and_never_markup(history, around, resolution):
    """A group with a hostile name is shown as it is spelled."""
    h = history().opened("2026-03-02 09:00", group="<b>x</b>\x1b[31m")
    found = evaluate(h.events, resolution(hours(8), around), h.at("2026-03-02 10:00")).explain().breakdown()
    assert "&lt;b&gt;x&lt;/b&gt;\ufffd[31m" in found._repr_html_()
    assert "\x1b" not in str(found)


def test_people_are_not_shown_unless_asked_for(told):
    """Neither a segment nor the dict nor the page of an explanation names them."""
    shown = f"{told.segments!r} {told.to_dict()} {told.html()} {told.breakdown('group')}"
    assert "ned" not in shown
    assert "olga" not in shown


@pytest.mark.parametrize(
    "wrong", ["team", "", (), ("group", "group"), ("group", 3), 3, None, ["group", "team"]]
)
def test_unknown_keys_are_refused_with_the_known_ones(told, wrong):
    """Nothing, a key twice, and what there is not."""
    with pytest.raises(InvalidValue, match=r"by .*use one or several of owner, group, assignee, state"):
        told.breakdown(wrong)


def test_a_name_that_is_a_number_is_shown_as_one(history, around, resolution):
    """Many systems number their groups."""
    h = history().opened("2026-03-02 09:00", group=7)
    found = evaluate(h.events, resolution(hours(8), around), h.at("2026-03-02 10:00")).explain().breakdown()
    assert [row.key for row in found.rows] == [(7,)]
    assert str(found).splitlines()[1].split() == ["7", "1h", "0s", "0s", "0s", "100.0", "%"]
    assert ">7</td>" in found._repr_html_()


def test_only_segments_are_broken_down(told):
    """An explanation is no list of segments."""
    with pytest.raises(InvalidValue, match=r"give those of clocks: clock\.explain\(\)\.segments"):
        breakdown(told)


LONDON = BusinessCalendar.weekly("mon-fri 09:00-17:30", zone="Europe/London")
steps = st.lists(
    st.tuples(
        st.integers(0, 3_000_000_000),
        st.sampled_from(["work", "hold", "resolve", "net", "db", "ned", "olga"]),
    ),
    max_size=8,
)


@pytest.mark.law
@given(steps, st.lists(st.sampled_from(KEYS), min_size=1, unique=True))
def test_the_rows_add_up_to_the_segments(history, resolution, found, by):
    """To the microsecond, for any keys; running time is what the clock counted, and shares add up to 1."""
    h = history().opened("2026-03-27 15:00")
    when = h.at("2026-03-27 15:00")
    for gap, action in found:
        when += dt.timedelta(milliseconds=gap // 100, microseconds=gap % 100)
        if action in ("net", "db"):
            h.add("assigned", when, group=action)
        elif action in ("ned", "olga"):
            h.add("assigned", when, **{"assignee" if action == "ned" else "owner": action})
        else:
            {"work": h.resumed, "hold": h.hold, "resolve": h.resolved}[action](when, to=action)
    clock = evaluate(h.events, resolution(hours(9), LONDON), when + dt.timedelta(days=1))
    told = clock.explain()
    made = told.breakdown(by)
    for kind in SegmentKind:
        whole = sum((s.length for s in told.segments if s.kind is kind), NONE)
        assert sum((getattr(row, kind.value) for row in made.rows), NONE) == whole
    assert sum((row.running for row in made.rows), NONE) == clock.elapsed
    assert len({row.key for row in made.rows}) == len(made.rows)
    if clock.elapsed_us:
        assert sum(row.share for row in made.rows) == 1
