"""Agreements in TOML and as plain values: read whole, written whole, refused by file and key."""

import datetime as dt
import json
import sys

import attrs
import pytest
from hypothesis import given

from agreements import agreements
from itsm_core.business_time import BusinessCalendar, business_days, hours, minutes
from itsm_core.config import (
    agreement_from_dict,
    agreement_from_toml,
    agreement_to_dict,
    agreement_to_toml,
    load_agreement,
    load_calendars,
    load_matrices,
)
from itsm_core.errors import InvalidInput, InvalidValue
from itsm_core.events import Phase, WaitsOn
from itsm_core.priority import Priority, PriorityMatrix
from itsm_core.sla import Agreement, Condition, Measure, Metric, Said, Target, WorkloadLimit
from itsm_core.sla.agreements.exceptions import AgreedException

EXAMPLE = """
# An agreement as a desk in Shanghai might have it. Every key is shown once.
id = "standard"                      # its name for ever
version = 3                          # a changed agreement is a new version
name = "Standard support"
customers = ["acme"]                 # empty or absent: all
services = ["mail", "identity"]
processes = ["incident"]
valid_from = 2024-01-01
valid_to = 2025-01-01                # the first day on which it no longer holds
agreed_with = "acme"
agreed_on = 2023-12-01

[calendars.around]
zone = "Asia/Shanghai"
hours = "always"

[calendars.desk]
zone = "Asia/Shanghai"
hours = "mon-fri 09:00-12:00 13:00-18:00"
weekly_breaks = "fri 15:00-15:30"
holidays = ["2024-02-10..2024-02-17", { date = "2024-05-01", name = "Labour Day" }]
shifts = { "2024-02-04" = "09:00-18:00" }    # a working Sunday
breaks = { "2024-03-08" = "14:00-18:00" }
cut_at_midnight = false
version = 2

[[targets]]
id = "p1-response"
metric = "response"
duration = "15m"
calendar = "around"
priorities = ["P1"]

[[targets]]
id = "p1-resolution"
metric = "resolution"
duration = "4h"
calendar = "around"
priorities = ["P1"]
pauses_on = ["requester"]

[[targets]]
id = "resolution"                    # every other priority
metric = "resolution"
duration = "3 business days"
calendar = "desk"
pauses_on = ["requester", "customer_approver"]
"""

TOP = 'id = "a"\nversion = 1\n'
DESK = '[calendars.desk]\nzone = "UTC"\nhours = "mon-fri 09:00-17:00"\n'
TARGET = '[[targets]]\nid = "t"\nmetric = "response"\nduration = "1h"\n'


def test_an_agreement_is_what_its_file_says(write):
    """Each key of the commented example, in its own type."""
    found = load_agreement(write(EXAMPLE))
    assert (found.label, found.name, found.agreed_with) == ("standard@3", "Standard support", "acme")
    assert found.services == {"mail", "identity"}
    assert (found.valid_from, found.agreed_on) == (dt.date(2024, 1, 1), dt.date(2023, 12, 1))
    response, resolution, rest = found.targets
    assert (response.metric, response.duration) == (Metric.RESPONSE, minutes(15))
    assert (resolution.duration, resolution.pauses_on) == (hours(4), {WaitsOn.REQUESTER})
    assert (rest.duration, rest.priorities) == (business_days(3), frozenset())
    assert response.priorities == {Priority.P1}
    assert response.calendar == BusinessCalendar.always("Asia/Shanghai")
    assert (rest.calendar.name, rest.calendar.version) == ("desk", 2)
    assert rest.calendar == BusinessCalendar.weekly(
        "mon-fri 09:00-12:00 13:00-18:00", zone="Asia/Shanghai", weekly_breaks="fri 15:00-15:30",
        holidays=["2024-02-10..2024-02-17", ("2024-05-01", "Labour Day")],
        shifts={"2024-02-04": "09:00-18:00"}, breaks={"2024-03-08": "14:00-18:00"},
    )  # fmt: skip


def test_every_key_of_a_target_says_what_its_field_says(write, every_key):
    """The file with every key is the agreement that Python makes of the same words."""
    response, resolution, internal, approval = load_agreement(every_key).targets
    assert response.when == (("category", ("network", "wifi")), ("service", ("mail",)))
    assert response.answered_by == {Said.MESSAGE, Said.AI_MESSAGE}
    assert (resolution.on_pause, resolution.reopen, resolution.on_retarget, resolution.after) == (
        "fixed", "new_cycle", "carry", "response",
    )  # fmt: skip
    assert (internal.kind, internal.party) == ("internal", "network")
    assert approval.measure == Measure(
        start=Condition(states="approval", phases=Phase.WAITING, groups="board", assigned=True),
        stop=[Condition(phases=[Phase.RESOLVED, Phase.CLOSED]), Condition(words=Said.MESSAGE)],
        pause=Condition(waits_on=WaitsOn.REQUESTER), resume=Condition(states="approval", unless=True),
        void=Condition(outcomes="withdrawn"), while_started=True, once=True,
    )  # fmt: skip


def test_every_further_key_says_what_its_field_says(every_key):
    """With whom, up to how much, except when, and what becomes of open records."""
    held = load_agreement(every_key)
    assert (held.kind, held.party, held.on_policy_change) == ("internal", "network", "reassess_open")
    assert {(one.kind, one.party) for one in held.targets} == {("internal", "network")}
    assert held.workload == (
        WorkloadLimit(
            "monthly", 400, per="month", processes="incident", services="mail", priorities=["P3", 4]
        ),
    )
    hours = BusinessCalendar.weekly("sun 03:00-04:00", zone="UTC", name="maintenance")
    assert held.exceptions == (
        AgreedException(
            "maintenance", "Maintenance of the mail service", when={"service": "mail"}, metrics="resolution",
            times=hours, claimed=True,
        ),
    )  # fmt: skip


def test_a_target_may_pause_on_what_the_agreement_above_it_allows(write):
    """The kind of the agreement is that of its targets, so it need not be said again."""
    pausing = TARGET.replace("response", "resolution") + 'pauses_on = ["supplier"]\n'
    found = load_agreement(write(TOP + 'kind = "internal"\nparty = "network"\n' + DESK + pausing))
    desk = BusinessCalendar.weekly("mon-fri 09:00-17:00", zone="UTC", name="desk")
    target = Target(
        "t",
        "resolution",
        duration="1h",
        calendar=desk,
        kind="internal",
        party="network",
        pauses_on="supplier",
    )
    assert found == Agreement("a", 1, targets=[target])
    assert agreement_to_dict(found)["targets"] == [
        {"id": "t", "metric": "resolution", "duration": "1h", "pauses_on": ["supplier"], "calendar": "desk"}
    ]


def test_an_exception_that_asks_for_no_value_has_no_toml():
    """TOML has no null; a dict can say it."""
    target = Target("t", "resolution", duration="1h", calendar=BusinessCalendar.always("UTC"))
    agreement = Agreement("a", 1, targets=[target], exceptions=[AgreedException("e", when={"vip": None})])
    with pytest.raises(InvalidValue, match=r"when.vip .*names no value, which TOML cannot say"):
        agreement_to_toml(agreement)
    assert agreement_from_dict(agreement_to_dict(agreement)) == agreement


@pytest.mark.parametrize(
    "many",
    [
        {"workload": [WorkloadLimit(f"w{n}", 1, per="day") for n in range(101)]},
        {"exceptions": [AgreedException(f"e{n}") for n in range(101)]},
    ],
)
def test_what_could_not_be_read_again_is_not_written(many):
    """A file holds a hundred limits and a hundred exceptions at most."""
    target = Target("t", "resolution", duration="1h", calendar=BusinessCalendar.always("UTC"))
    with pytest.raises(InvalidInput, match="101: are more than 100; write several agreements"):
        agreement_to_dict(Agreement("a", 1, targets=[target], **many))


def test_a_target_without_further_keys_is_at_its_defaults(write):
    """What a file leaves out is as Python leaves it."""
    found = load_agreement(write(TOP + DESK + TARGET)).targets[0]
    desk = BusinessCalendar.weekly("mon-fri 09:00-17:00", zone="UTC")
    made = Agreement("a", 1, targets=[Target("t", "response", duration="1h", calendar=desk)])
    assert found == made.targets[0]


def test_dates_may_stand_as_texts(write):
    """As they must in JSON."""
    found = load_agreement(write(TOP + 'valid_from = "2024-02-29"\n' + DESK + TARGET))
    assert found.valid_from == dt.date(2024, 2, 29)


def test_the_only_calendar_need_not_be_named(write):
    """Where there is one, every target means it."""
    found = load_agreement(write(TOP + DESK + TARGET))
    assert found.targets[0].calendar.name == "desk"


# fmt: off
BAD = {
    "no-toml":          (TOP + "x = = 1", "line 3: agreement .*is no TOML"),
    "no-utf-8":         (b'id = "\xff"', "line 1: agreement .*is no TOML"),
    "empty":            ("", "lacks keys; add id, version, calendars, targets"),
    "nested":           (TOP + "customers = " + "[" * 5000, "agreement .*is nested too deep"),
    "digits":           ("id = 'a'\nversion = " + "9" * 5000 + "\n" + DESK + TARGET, "agreement .*is no TOML"),
    "hexadecimal":      ("id = 'a'\nversion = 0x" + "f" * 5000 + "\n" + DESK + TARGET, "version a int too long to show: is no version; count versions 1, 2, 3"),
    "calendar-digits":  (TOP + DESK + "version = 0x" + "f" * 5000 + "\n" + TARGET, "calendars.desk.version .*is no version"),
    "name-hexadecimal": (TOP + "name = 0x" + "f" * 5000 + "\n" + DESK + TARGET, "name a int too long to show: is no text"),
    "date-and-time":    (TOP + "valid_from = 2024-01-01T00:00:00\n" + DESK + TARGET, "valid_from .*is no date; write valid_from = 2024"),
    "agreed-at":        (TOP + "agreed_on = 2024-01-01T00:00:00Z\n" + DESK + TARGET, "agreed_on .*is no date"),
    "days-digits":      (TOP + DESK + TARGET.replace("1h", "9" * 5000 + " business days"), r"targets\[1\] \(t\): duration .*digits"),
    "days-too-many":    (TOP + DESK + TARGET.replace("1h", "9" * 12 + " calendar days"), r"targets\[1\] \(t\): .*is more than can be counted"),
    "unknown":          (TOP + "zzzz = 1\n" + DESK + TARGET, "key 'zzzz': is unknown; use one of agreed_on"),
    "no-targets":       (TOP + DESK, "lacks keys; add targets"),
    "targets-table":    (TOP + "targets = {}\n" + DESK, "targets {}: is no list; write "),
    "targets-none":     (TOP + "targets = []\n" + DESK, "agreement 'a': has no targets"),
    "calendars-list":   (TOP + "calendars = []\n" + TARGET, "calendars .*is no table"),
    "calendar-text":    (TOP + 'calendars = { desk = "x" }\n' + TARGET, "calendars.desk 'x': is no table"),
    "version-text":     ('id = "a"\nversion = "1"\n' + DESK + TARGET, "version '1': is no version"),
    "id-number":        ("id = 1\nversion = 1\n" + DESK + TARGET, "id 1: is no text"),
    "customers-text":   (TOP + 'customers = "a"\n' + DESK + TARGET, "customers 'a': is no list"),
    "date-text":        (TOP + 'valid_from = "2024-02-30"\n' + DESK + TARGET, "valid_from .*is no date; write valid_from = 2024"),
    "dates-reversed":   (TOP + "valid_from = 2024-01-01\nvalid_to = 2023-01-01\n" + DESK + TARGET, "ends before it begins"),
    "zone":             (TOP + DESK.replace("UTC", "Mars") + TARGET, "calendars.desk: zone 'Mars'"),
    "no-zone":          (TOP + '[calendars.desk]\nhours = "always"\n' + TARGET, "calendars.desk .*lacks keys; add zone"),
    "hours":            (TOP + DESK.replace("mon-fri", "xyz") + TARGET, "calendars.desk.hours .*xyz"),
    "hours-number":     (TOP + '[calendars.desk]\nzone = "UTC"\nhours = 9\n' + TARGET, "calendars.desk.hours 9: is no text"),
    "calendar-key":     (TOP + DESK + "open = 1\n" + TARGET, "key of calendars.desk 'open': is unknown"),
    "calendar-version": (TOP + DESK + "version = true\n" + TARGET, "calendars.desk.version True: is no version"),
    "holidays-text":    (TOP + DESK + 'holidays = "2024-12-25"\n' + TARGET, "calendars.desk.holidays .*is no list"),
    "holiday":          (TOP + DESK + 'holidays = ["Christmas"]\n' + TARGET, r"calendars.desk.holidays\[1\]: holiday \'Christmas\'"),
    "shifts-list":      (TOP + DESK + "shifts = []\n" + TARGET, "calendars.desk.shifts .*is no table"),
    "shift-number":     (TOP + DESK + 'shifts = { "2024-02-04" = 9 }\n' + TARGET, "calendars.desk.shifts.2024-02-04: windows 9: are no text"),
    "cut-text":         (TOP + DESK + 'cut_at_midnight = "no"\n' + TARGET, "calendars.desk.cut_at_midnight 'no': is neither true nor false"),
    "never-opens":      (TOP + DESK + 'breaks = {}\nweekly_breaks = "daily 00:00-24:00"\n' + TARGET, "calendars.desk .*never open"),
    "always-and-more":  (TOP + '[calendars.desk]\nzone = "UTC"\nhours = "always"\nholidays = []\n' + TARGET, "where hours = .always., 'holidays': is unknown"),
    "target-text":      (TOP + 'targets = ["t"]\n' + DESK, r"targets\[1\] 't': is no table"),
    "target-key":       (TOP + DESK + TARGET + "goal = 1\n", r"key of targets\[1\] \(t\) 'goal': is unknown"),
    "target-lacks":     (TOP + DESK + '[[targets]]\nmetric = "response"\n', r"targets\[1\] .*lacks keys; add id, duration"),
    "metric":           (TOP + DESK + TARGET.replace("response", "speed"), r"targets\[1\] \(t\).metric 'speed': is unknown; use one of response, resolution"),
    "duration":         (TOP + DESK + TARGET.replace("1h", "1 day"), r"targets\[1\] \(t\): duration '1 day'.*say which"),
    "duration-number":  (TOP + DESK + TARGET.replace('"1h"', "1"), r"targets\[1\] \(t\).duration 1: is no text"),
    "metric-close":     (TOP + DESK + TARGET.replace("response", "respnse"), r"targets\[1\] \(t\).metric 'respnse': is unknown; did you mean response\?"),
    "key-close":        (TOP + DESK + TARGET + "pause_on = []\n", r"key of targets\[1\] \(t\) 'pause_on': is unknown; did you mean pauses_on"),
    "reopen-close":     (TOP + DESK + TARGET + 'reopen = "newcycle"\n', r"targets\[1\] \(t\).reopen 'newcycle': is unknown; did you mean new_cycle\?"),
    "reopen-number":    (TOP + DESK + TARGET + "reopen = 1\n", r"targets\[1\] \(t\).reopen 1: is no text"),
    "calendar-close":   (TOP + DESK + TARGET + 'calendar = "dsk"\n', r"targets\[1\] \(t\).calendar 'dsk': is not defined; did you mean desk\?"),
    "when-list":        (TOP + DESK + TARGET + "when = []\n", r"targets\[1\] \(t\).when \[\]: is no table; write \{ service"),
    "when-float":       (TOP + DESK + TARGET + "when = { share = 0.5 }\n", r"targets\[1\] \(t\): share 0.5: is of type float"),
    "when-date":        (TOP + DESK + TARGET + "when = { day = 2024-01-01 }\n", r"targets\[1\] \(t\): day .*is of type date"),
    "after-itself":     (TOP + DESK + TARGET + 'after = "response"\n', r"targets\[1\] \(t\): after 'response': is the metric itself"),
    "side":             (TOP + 'kind = "friend"\n' + DESK + TARGET, "kind 'friend': is unknown; use one of customer"),
    "side-target":      (TOP + 'kind = "supplier"\n' + DESK + TARGET + 'kind = "customer"\n', r"targets\[1\] \(t\).kind 'customer': is not that of the agreement, supplier; leave it out"),
    "side-party":       (TOP + 'kind = "supplier"\nparty = "depot"\n' + DESK + TARGET + 'party = "shop"\n', r"targets\[1\] \(t\).party 'shop': is not that of the agreement, depot"),
    "party-empty":      (TOP + 'party = ""\n' + DESK + TARGET, "party '': is no word; name the customer"),
    "policy":           (TOP + 'on_policy_change = "reasses_open"\n' + DESK + TARGET, "on_policy_change 'reasses_open': is unknown; did you mean reassess_open"),
    "policy-no-day":    (TOP + 'on_policy_change = "reassess_open"\n' + DESK + TARGET, "on_policy_change 'reassess_open': takes over on a day, and a@1 does not say on which it begins; give valid_from"),
    "workload-number":  (TOP + "workload = 400\n" + DESK + TARGET, r"workload 400: is no list; write \[\[workload\]\]"),
    "workload-row":     (TOP + "workload = [400]\n" + DESK + TARGET, r"workload\[1\] 400: is no table; write \[\[workload\]\]"),
    "workload-lacks":   (TOP + DESK + TARGET + '[[workload]]\nid = "m"\n', r"workload\[1\] \(m\) \['id'\]: lacks keys; add limit, per"),
    "workload-key":     (TOP + DESK + TARGET + '[[workload]]\nid = "m"\nlimit = 4\nper = "month"\nprocess = "x"\n', r"key of workload\[1\] \(m\) 'process': is unknown; did you mean processes"),
    "workload-text":    (TOP + DESK + TARGET + '[[workload]]\nid = "m"\nlimit = "4"\nper = "month"\n', r"workload\[1\] \(m\).limit '4': is no number of records"),
    "workload-per":     (TOP + DESK + TARGET + '[[workload]]\nid = "m"\nlimit = 4\nper = "moth"\n', r"workload\[1\] \(m\).per 'moth': is unknown; did you mean month"),
    "workload-twice":   (TOP + DESK + TARGET + '[[workload]]\nid = "m"\nlimit = 4\nper = "month"\n' * 2, r"agreement 'a': names workload limits twice: \['m'\]"),
    "workload-many":    (TOP + DESK + TARGET + "[[workload]]\n" * 101, "workload 101: are more than 100; write several agreements"),
    "exception-times":  (TOP + DESK + TARGET.replace('1h"', '1h"\ncalendar = "desk"') + '[[exceptions]]\nid = "e"\ntimes = "dsk"\n', r"exceptions\[1\] \(e\).times 'dsk': is not defined; did you mean desk"),
    "exception-number": (TOP + DESK + TARGET + '[[exceptions]]\nid = "e"\ntimes = 5\n', r"exceptions\[1\] \(e\).times 5: is no text"),
    "exception-lacks":  (TOP + DESK + TARGET + '[[exceptions]]\nname = "e"\n', r"exceptions\[1\] .*lacks keys; add id"),
    "exception-key":    (TOP + DESK + TARGET + '[[exceptions]]\nid = "e"\nhours = "x"\n', r"key of exceptions\[1\] \(e\) 'hours': is unknown; use one of claimed"),
    "exceptions-twice": (TOP + DESK + TARGET + '[[exceptions]]\nid = "e"\n' * 2, "agreement 'a': names exceptions twice"),
    "measure-text":     (TOP + DESK + TARGET + 'measure = "x"\n', r"targets\[1\] \(t\).measure 'x': is no table"),
    "targets-many":     (TOP + DESK + TARGET * 1001, "targets 1001: are more than 1000"),
    "matrix":           (TOP + DESK + TARGET + "[matrices.m]\nrows = 1\n", "matrices.m.rows 1: is no list"),
    "dots":             (TOP + "a" + ".a" * 60000 + " = 1\n", "line 3: agreement 'a line': has over 100 dots"),
    "too-long":         ("#" * 1_000_001, "is longer than 1000000 bytes"),
    "priority":         (TOP + DESK + TARGET + 'priorities = ["P9"]\n', r"targets\[1\] \(t\).priorities 'P9': is unknown; use one of P1, P2"),
    "pause":            (TOP + DESK + TARGET.replace("response", "resolution") + 'pauses_on = ["weather"]\n', r"pauses_on 'weather': is unknown; use one of requester"),
    "pause-supplier":   (TOP + DESK + TARGET.replace("response", "resolution") + 'pauses_on = ["supplier"]\n', r"targets\[1\] \(t\): pauses_on \['supplier'\]"),
    "twice":            (TOP + DESK + TARGET + TARGET, "agreement 'a': names targets twice"),
    "other-calendar":   (TOP + DESK + TARGET + 'calendar = "night"\n', r"targets\[1\] \(t\).calendar 'night': is not defined; defined are: desk"),
    "which-calendar":   (TOP + DESK + DESK.replace("desk", "two") + TARGET, "calendar '': is not defined; defined are: desk, two"),
}
# fmt: on


@pytest.mark.parametrize(("text", "said"), BAD.values(), ids=BAD)
def test_a_bad_agreement_is_refused_with_file_key_and_remedy(write, text, said):
    """Everything that can be wrong in the file is said in terms of the file."""
    path = write(text)
    with pytest.raises(InvalidInput, match=said) as caught:
        load_agreement(path)
    assert str(caught.value).startswith(str(path))
    assert caught.value.remedy


def test_a_file_may_begin_with_a_mark_of_its_encoding(write):
    """As some editors write it."""
    assert load_agreement(write("\ufeff" + TOP + DESK + TARGET)).id == "a"
    assert agreement_from_toml("\ufeff" + TOP + DESK + TARGET).id == "a"


# --- calendars and matrices alone ---------------------------------------------------------------


def test_calendars_and_matrices_are_read_from_an_agreement_or_alone(write, every_key):
    """By their names; the rest of the file is not looked into, but for keys that nobody knows."""
    assert list(load_calendars(every_key)) == [
        "around",
        "shanghai",
        "nowhere",
        "maintenance",
        "both",
        "either",
    ]
    assert load_matrices(every_key) == {"ours": PriorityMatrix("ours", [[1, 2, 3], [2, 3, 4], [3, 4, 5]])}
    assert load_calendars(write(DESK))["desk"].name == "desk"
    assert load_matrices(write("[matrices.m]\nrows = [[1, 1, 1], [1, 1, 1], [1, 1, 1]]")).keys() == {"m"}


@pytest.mark.parametrize("load", [load_calendars, load_matrices])
def test_a_file_without_what_is_asked_for_is_refused(write, load):
    """With the key that it lacks, or the one that nobody knows."""
    with pytest.raises(InvalidInput, match=r"lacks keys; add (calendars|matrices)"):
        load(write('id = "a"'))
    with pytest.raises(InvalidInput, match=r"key 'matrizes': is unknown; did you mean matrices\?"):
        load(write("[matrizes.ours]"))


# --- there and back ----------------------------------------------------------------------------


def told(agreement):
    """All that calendars tell which equality leaves out: names, versions, sources."""
    return [target.calendar.to_dict() for target in agreement.targets]


@pytest.mark.law
@given(agreements())
def test_an_agreement_comes_back_from_plain_values(agreement):
    """Also through JSON text; its calendars keep their names and versions."""
    plain = agreement_to_dict(agreement)
    found = agreement_from_dict(json.loads(json.dumps(plain)))
    assert (found, told(found)) == (agreement, told(agreement))
    assert agreement_to_dict(found) == plain


@pytest.mark.law
@given(agreements())
def test_an_agreement_comes_back_from_toml(agreement):
    """As it was, whatever its words are."""
    found = agreement_from_toml(agreement_to_toml(agreement))
    assert (found, told(found)) == (agreement, told(agreement))


def test_what_every_key_says_comes_back(every_key):
    """Nothing of the file with every key gets lost on the way out and in."""
    agreement = load_agreement(every_key)
    found = agreement_from_dict(agreement_to_dict(agreement))
    assert (found, told(found)) == (agreement, told(agreement))


def test_plain_values_leave_out_what_is_usual(write):
    """What is written is what somebody would write."""
    assert agreement_to_dict(load_agreement(write(TOP + DESK + TARGET))) == {
        "id": "a", "version": 1,
        "calendars": {"desk": {"zone": "UTC", "hours": "mon-fri 09:00-17:00"}},
        "targets": [{"id": "t", "metric": "response", "duration": "1h", "calendar": "desk"}],
    }  # fmt: skip


def test_the_agreement_that_a_target_names_is_its_own(write):
    """Its label is made anew, so it is neither written nor read."""
    found = agreement_from_dict(agreement_to_dict(load_agreement(write(TOP + DESK + TARGET))))
    assert found.targets[0].agreement == "a@1"


def test_a_field_without_value_can_be_said_in_json_alone(write):
    """TOML has no word for nothing, also not deep inside."""
    agreement = load_agreement(write(TOP + DESK + TARGET))
    for when in ({"service": None}, {"service": [["a", {"b": [None]}]]}):
        target = attrs.evolve(agreement.targets[0], when=when)
        other = attrs.evolve(agreement, targets=[target])
        assert agreement_from_dict(agreement_to_dict(other)) == other
        with pytest.raises(InvalidValue, match=r"when.service .*names no value, which TOML cannot say"):
            agreement_to_toml(other)


def test_what_could_not_be_read_is_not_written(write):
    """The bounds of a file hold on the way out, too."""
    agreement = load_agreement(write(TOP + DESK + TARGET))
    one = agreement.targets[0]
    many = [attrs.evolve(one, id=str(number)) for number in range(1001)]
    with pytest.raises(InvalidInput, match="targets 1001: are more than 1000"):
        agreement_to_dict(attrs.evolve(agreement, targets=many))
    versions = [
        attrs.evolve(t, calendar=one.calendar.named("d", n)) for n, t in enumerate(many[:101], start=1)
    ]
    with pytest.raises(InvalidInput, match="calendars 101: are more than 100"):
        agreement_to_dict(attrs.evolve(agreement, targets=versions))
    with pytest.raises(InvalidInput, match="name '20001 characters': is too long"):
        agreement_to_dict(attrs.evolve(agreement, name="a" * 20_001))


def test_toml_without_its_extra_is_refused_with_the_way_to_install_it(write, monkeypatch):
    """Plain values need nothing."""
    agreement = load_agreement(write(TOP + DESK + TARGET))
    monkeypatch.setitem(sys.modules, "tomli_w", None)
    assert agreement_to_dict(agreement)["id"] == "a"
    with pytest.raises(ImportError, match=r"pip install 'itsm-core\[toml\]'"):
        agreement_to_toml(agreement)


# --- hostile values -----------------------------------------------------------------------------


def test_values_are_bounded_before_anything_looks_into_them():
    """Circles, depths, multitudes, long texts and strange keys are refused at once."""
    circle = {}
    circle["targets"] = [circle]
    deep = []
    for _ in range(2000):
        deep = [deep]
    for plain, said in (
        (circle, "is nested too deep"),
        ({"id": deep}, "id.*is nested too deep"),
        ({"customers": ["a"] * 100_001}, "customers.*holds over 100000 values"),
        ({"name": "a" * 20_001}, "name '20001 characters': is too long"),
        ({"name": "\ud800"}, "name: text .*surrogate"),
        ({"\ud800": 1}, "key .*surrogate"),
        ({1: 2}, "1: is no text, and stands as a key"),
        ([], "is no table; give a dict"),
        ("id", "is no table; give a dict"),
    ):
        with pytest.raises(InvalidInput, match=said) as caught:
            agreement_from_dict(plain)
        assert len(str(caught.value)) < 1000


@pytest.mark.parametrize("text", [None, 5, {"id": "a"}])
def test_what_is_no_text_is_no_toml(text):
    """A dict has a door of its own."""
    with pytest.raises(InvalidValue, match="is no text; give the TOML itself"):
        agreement_from_toml(text)


def test_texts_and_comments_may_have_as_many_dots_as_they_like():
    """Only names are cut short: these are what takes the parser hours."""
    assert agreement_from_toml(TOP + "#" + "." * 500 + "\n" + DESK + TARGET).id == "a"
    agreement = agreement_from_toml(
        TOP + f"name = \"{'.' * 500}\"\nagreed_with = '{'.' * 500}'\n" + DESK + TARGET
    )
    assert agreement.name == agreement.agreed_with == "." * 500


HIDDEN = "{a" + ".a" * 200 + " = 1}"


@pytest.mark.parametrize(
    "text",
    [f'x = ["", {HIDDEN}, ""]', f'x = ["""\n""", {HIDDEN}, """\n"""]', f"x = ['''\n''', {HIDDEN}, '''\n''']"],
)
def test_a_long_name_cannot_hide_between_quotes(text):
    """Quotes that open over lines do not make texts of what lies between them."""
    with pytest.raises(InvalidInput, match="has over 100 dots"):
        agreement_from_toml(text)


def test_a_line_of_quotes_is_looked_through_in_no_time():
    """A text that never ends is no TOML, and nobody searches for its end again and again."""
    with pytest.raises(InvalidInput, match="is no TOML"):
        agreement_from_toml('x = "' + '\\"' * 400_000 + "\\")
