"""Escalation policies of files: read as written, written as read, and refused with file, key and remedy."""

import json
import tomllib

import jsonschema
import pytest

from itsm_core.business_time import BusinessCalendar
from itsm_core.config import load_policy, policy_from_dict, policy_from_toml, policy_schema, policy_to_dict
from itsm_core.config.policies import MOST_STEPS, POLICY_KEYS, STEP_KEYS
from itsm_core.errors import InvalidInput, InvalidValue
from itsm_core.escalation import (
    Branch,
    Condition,
    EscalationPolicy,
    EscalationStep,
    Repeat,
    StepKind,
    Trigger,
    TriggerKind,
)
from itsm_core.escalation.steps import CATCH_UP, STOPS_ON, URGENCIES, WHEN_EMPTY
from itsm_core.escalation.triggers import MOST_TIMES

TEXT = """
id = "line"
version = 3
last_resort = "duty"
priorities = ["P1", "P2"]
ack_mode = "all"
ack_timeout = "30m wall"
on_ack_timeout = "resume"
updates_hold_ack = true
on_snooze_end = "restart"
on_priority_change = "switch"
catch_up = "serial"

[calendars.desk]
zone = "Europe/London"
hours = "mon-fri 09:00-17:30"

[[steps]]
id = "page"
unacknowledged = "5m wall"
to = "on_call:network"
channel = "sms"
urgency = "high"
when_empty = "fallback"
fallback = ["role:lead"]

[[steps]]
id = "fork"
after = "5m wall"
branches = [{ to = "night", hours = "outside", fields = { service = "mail" } }, { to = "end", priorities = ["P2"] }]

[[steps]]
id = "day"
after = "1 business day"
to = ["role:lead", "user:bo"]
then = "again"
stops_on = "resolved"
when = { priorities = ["P1"] }

[[steps]]
id = "night"
after = "0m wall"
group = "night-shift"
while_paused = true

[[steps]]
id = "take"
after = "5m wall"
assignee = "on_call:network"
group = "network"
then = "again"

[[steps]]
id = "again"
after = "10m wall"
repeat = { to = "page", times = 2 }

[[steps]]
id = "raise"
trigger = { kind = "state", state = "on_hold", wait = "4h business" }
sets = { priority = "P1", tags = ["late", "held"], extra = { deep = 1 } }

[[steps]]
id = "major"
trigger = { kind = "reopened", count = 2 }
declares_major = true

[[steps]]
id = "half"
at = "50 %"
metric = "response"
to = "manager"
catch_up = "expire"
expires_after = "30m"
priorities = ["P1"]

[[steps]]
id = "all"
at = 100
to = "manager"
kind = "hierarchic"
"""

POLICY = EscalationPolicy(
    "line",
    3,
    steps=[
        EscalationStep(
            "page", trigger=Trigger.unacknowledged("5m wall"), to="on_call:network", channel="sms",
            urgency="high", when_empty="fallback", fallback="role:lead",
        ),
        EscalationStep(
            "fork", after="5m wall",
            branches=[
                Branch(Condition(hours="outside", fields={"service": "mail"}), "night"),
                Branch(Condition(priorities="P2"), "end"),
            ],
        ),
        EscalationStep(
            "day", after="1 business day", to=("role:lead", "user:bo"), then="again", stops_on="resolved",
            when=Condition(priorities="P1"),
        ),
        EscalationStep("night", after="0m wall", group="night-shift", while_paused=True),
        EscalationStep("take", after="5m wall", assignee="on_call:network", group="network", then="again"),
        EscalationStep("again", after="10m wall", repeat=Repeat("page", 2)),
        EscalationStep(
            "raise", trigger=Trigger.in_state("on_hold", "4h business"),
            sets={"priority": "P1", "tags": ["late", "held"], "extra": {"deep": 1}},
        ),
        EscalationStep("major", trigger=Trigger.reopened(2), declares_major=True),
        EscalationStep(
            "half", "50 %", metric="response", to="manager", catch_up="expire", expires_after="30m",
            priorities="P1",
        ),
        EscalationStep("all", 100, to="manager"),
    ],
    last_resort="duty",
    calendar=BusinessCalendar.weekly("mon-fri 09:00-17:30", zone="Europe/London", name="desk"),
    priorities=["P1", "P2"],
    ack_mode="all",
    ack_timeout="30m wall",
    on_ack_timeout="resume",
    updates_hold_ack=True,
    on_snooze_end="restart",
    on_priority_change="switch",
    catch_up="serial",
)  # fmt: skip
SHORT = """
id = "line"
version = 1
[[steps]]
id = "page"
unacknowledged = "5m wall"
to = "user:ana"
"""


def test_a_file_is_read_as_it_is_written(tmp_path):
    """Everything that a policy and its steps can say."""
    path = tmp_path / "policy.toml"
    path.write_text(TEXT, encoding="utf-8")
    assert load_policy(path) == POLICY == policy_from_toml(TEXT) == policy_from_toml(TEXT.encode())


def test_a_policy_goes_through_json_unchanged():
    """As plain values, and back to an equal one."""
    plain = json.loads(json.dumps(policy_to_dict(POLICY)))
    assert policy_from_dict(plain) == POLICY
    assert [step["id"] for step in plain["steps"]] == [step.id for step in POLICY.steps]
    assert not [step for step in plain["steps"] if "kind" in step]
    assert [step["id"] for step in plain["steps"] if "stops_on" in step] == ["day"]


def test_a_calendar_is_named_where_there_are_several():
    """One is taken; of two one must be named."""
    two = "[calendars.a]\nzone = 'UTC'\nhours = 'always'\n[calendars.b]\nzone = 'UTC'\nhours = 'mon 09:00-10:00'\n"
    with pytest.raises(InvalidInput, match="calendars \\['a', 'b'\\]: are several; name one"):
        policy_from_toml(SHORT + two)
    named = SHORT.replace("version = 1", 'version = 1\ncalendar = "b"')
    assert policy_from_toml(named + two).calendar.name == "b"
    with pytest.raises(InvalidInput, match="calendar 'c': is not defined; "):
        policy_from_toml(named.replace('"b"', '"c"') + two)


@pytest.mark.parametrize(
    ("was", "now", "message"),
    [
        ("version = 1", "", r"policy \['id', 'steps'\]: lacks keys; add version"),
        ("version = 1", "version = 1.5", "version 1.5: is no version"),
        ("version = 1", "versoin = 1", "key 'versoin': is unknown; did you mean version"),
        (
            "version = 1",
            "version = 1\nack_timeout = '30m'",
            "ack_timeout: wait '30m': does not say in which time",
        ),
        (
            "version = 1",
            "version = 1\nack_mode = 'frist'",
            "ack_mode 'frist': is unknown; did you mean first",
        ),
        ("unacknowledged", "unaknowledged", "'unaknowledged': is unknown; did you mean unacknowledged"),
        ('"5m wall"', '"5 moons wall"', r"steps\[1\] \(page\).unacknowledged: duration '5 moons'"),
        ('"5m wall"', "5", "unacknowledged 5: is no text"),
        ('to = "user:ana"', "", "escalation step 'page': is hierarchic and names nobody"),
        ('to = "user:ana"', "to = 5", "to 5: is no list"),
        ('to = "user:ana"', 'to = "x"\nat = 0.5', "at 0.5: is no text"),
        ('to = "user:ana"', 'to = "x"\nat = "50 %"', "begins by at and trigger"),
        ('to = "user:ana"', 'to = "x"\ntrigger = { kind = "silent", wait = "1h wall" }', "set it off twice"),
        (
            'unacknowledged = "5m wall"',
            'trigger = { kind = "silent" }',
            r"\(page\)\.trigger 'silent': needs wait",
        ),
        ('to = "user:ana"', 'branches = [{ hours = "inside" }]', "lacks keys; add to"),
        ('to = "user:ana"', 'branches = [{ to = "x" }]', "asks nothing"),
        (
            'to = "user:ana"',
            'branches = [{ to = "", hours = "inside" }]',
            r"\(page\)\.branches\[1\]: branch '': has no id",
        ),
        (
            'to = "user:ana"',
            'branches = [{ to = "x", hour = "inside" }]',
            "'hour': is unknown; did you mean hours",
        ),
        ('to = "user:ana"', 'branches = ["night"]', "is no table; write"),
        ('to = "user:ana"', 'branches = "night"', "is no list; write"),
        ('to = "user:ana"', 'sets = ["P1"]', "is no table; write"),
        ('to = "user:ana"', "sets = { a = 1.5 }", "a 1.5: is of type float"),
        (
            'to = "user:ana"',
            'repeat = { to = "page", times = 0 }',
            r"repeat\.times 0: is no number from 1 on; write a",
        ),
        (
            'to = "user:ana"',
            'repeat = { to = "page", times = "2" }',
            "times '2': is no number from 1 on; write a",
        ),
        (
            'unacknowledged = "5m wall"',
            'trigger = { kind = "reopened", count = "2" }',
            "trigger.count '2': is no number from 1 on; write a whole number, without quotes",
        ),
        ('id = "page"', "", "lacks keys; add id"),
        ('unacknowledged = "5m wall"', 'trigger = { wait = "5m wall" }', r"\.trigger .*lacks keys; add kind"),
        ('to = "user:ana"', "repeat = { times = 2 }", r"\.repeat .*lacks keys; add to"),
        ('id = "page"', 'id = "a\\u001b[31m"\nurgency = 5', "steps\\[1\\] \\(a\ufffd\\[31m\\).urgency"),
        ("[[steps]]", "[steps]", "is no list; write \\[\\[steps\\]\\]"),
        ("[[steps]]", "[[step]]", "'step': is unknown; did you mean steps"),
    ],
)
def test_what_is_wrong_is_refused_with_its_place(was, now, message):
    """Key and remedy; never a stack trace from below."""
    with pytest.raises(InvalidInput, match=message):
        policy_from_toml(SHORT.replace(was, now, 1))


REMEDIES = [
    # in place of          what                                       the remedy in the words of the file
    ("unacknowledged", "at = 0", 'say at = "75 %"'),
    ("unacknowledged", "", 'say at = "75 %", unacknowledged = "15m wall" or after = "15m wall"'),
    ("unacknowledged", 'at = "x"', 'use the whole percent 75 or "75 %"; floats round and are refused'),
    ("unacknowledged", 'unacknowledged = "1 business day wall"', 'say "1 business day"'),
    ("unacknowledged", 'trigger = { kind = "share" }', 'write trigger = { kind = "share", share = "75 %" }'),
    ("unacknowledged", 'trigger = { kind = "state" }',
     'write trigger = { kind = "state", state = "on_hold", wait = "4h business" }'),
    ("unacknowledged", 'trigger = { kind = "unacknowledged" }', 'write unacknowledged = "15m wall"'),
    ("unacknowledged", 'trigger = { kind = "silent" }', 'write trigger = { kind = "silent", wait = "1h business" }'),
    ("unacknowledged", 'trigger = { kind = "update_overdue" }',
     'write trigger = { kind = "update_overdue", wait = "5m wall" }'),
    ("unacknowledged", 'trigger = { kind = "report_overdue" }',
     'write trigger = { kind = "report_overdue", wait = "4h business" }'),
    ("unacknowledged", 'trigger = { kind = "review_overdue" }',
     'write trigger = { kind = "review_overdue", wait = "4h business" }'),
    ("unacknowledged", "at = 0.5", 'write "75 %", or the whole percent 75'),
    ("unacknowledged", 'trigger = { kind = "reopened" }', 'write trigger = { kind = "reopened", count = 2 }'),
    ("unacknowledged", 'trigger = { kind = "reassigned" }', 'write trigger = { kind = "reassigned", count = 3 }'),
    ("unacknowledged", 'trigger = { kind = "priority", count = 2 }',
     'write trigger = { kind = "priority", to = ["P1"] }'),
    ("to", "", 'say to = "manager"'),
    ("to", 'to = [""]', 'name who is told: to = "manager", or to = ["lead", "manager"]'),
    ("to", 'kind = "functional"', 'say group = "network" or assignee = "on_call:network"'),
    ("to", 'to = "x"\nwhen_empty = "fallback"', 'say when_empty = "fallback", fallback = "lead"'),
    ("to", 'to = "x"\ncatch_up = "expire"', 'say catch_up = "expire", expires_after = "30m"'),
    ("to", 'sets = { group = "x" }', 'give the work to it: group = "network"'),
    ("to", 'branches = [{ to = "x" }]', 'say priorities, fields or hours = "outside"'),
    ("to", 'then = "page"\nto = "x"', 'branch forward; repeat backward: repeat = { to = "page", times = 2 }'),
    ("to", 'to = "role:x"\n[[steps]]\nid = "b"\nafter = "1m wall"\nto = "role:x"',
     'say last_resort = "duty-manager"'),
]  # fmt: skip


@pytest.mark.parametrize(("key", "now", "remedy"), REMEDIES)
def test_a_remedy_is_told_in_the_words_of_the_file(key, now, remedy, tmp_path):
    """Whoever writes TOML does not write Python; and the file is named."""
    (was,) = [line for line in SHORT.splitlines() if line.startswith(key)]
    path = tmp_path / "line.toml"
    path.write_text(SHORT.replace(was, now, 1), encoding="utf-8")
    with pytest.raises(InvalidInput) as refused:
        load_policy(path)
    assert refused.value.remedy == remedy
    assert str(refused.value).startswith(f"{path}: ")


# --- the schema --------------------------------------------------------------------------------------

SCHEMA = policy_schema()
VALIDATOR = jsonschema.Draft202012Validator(SCHEMA)


def test_the_schema_takes_what_the_reader_takes():
    """The file above, what is written of it, and the shortest one; it is a schema itself."""
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    for held in (tomllib.loads(TEXT), policy_to_dict(POLICY), tomllib.loads(SHORT)):
        VALIDATOR.validate(held)


def test_the_schema_knows_the_same_keys_and_words_as_the_reader():
    """Policy, step, trigger and condition; and the words of each choice."""
    parts = SCHEMA["$defs"]
    assert sorted(SCHEMA["properties"]) == sorted(POLICY_KEYS)
    assert sorted(parts["step"]["properties"]) == sorted(STEP_KEYS)
    kinds = parts["trigger"]["properties"]["kind"]["enum"]
    assert kinds == [kind.value for kind in TriggerKind]
    assert parts["step"]["properties"]["kind"]["enum"] == [kind.value for kind in StepKind]
    for name, words in (("when_empty", WHEN_EMPTY), ("stops_on", STOPS_ON), ("urgency", URGENCIES),
                        ("catch_up", CATCH_UP)):  # fmt: skip
        assert parts["step"]["properties"][name]["enum"] == list(words)
    assert parts["times"]["maximum"] == MOST_TIMES
    assert SCHEMA["properties"]["steps"]["maxItems"] == MOST_STEPS


@pytest.mark.parametrize(
    ("was", "now"),
    [
        ("version = 1", ""),
        ("version = 1", "versoin = 1"),
        ("version = 1", "version = 1\nack_mode = 'frist'"),
        ("version = 1", "version = 1\ncatch_up = 'expire'"),
        ('"5m wall"', "5"),
        ('to = "user:ana"', "to = 5"),
        ('to = "user:ana"', 'to = "x"\nat = "50 %"'),
        ('to = "user:ana"', 'branches = [{ to = "x" }]'),
        ('to = "user:ana"', 'repeat = { to = "page", times = 21 }'),
        ('to = "user:ana"', "repeat = { times = 2 }"),
        ('unacknowledged = "5m wall"', 'trigger = { wait = "5m wall" }'),
        ('id = "page"', 'id = "a/b"'),
        ('id = "page"', 'id = "end"'),
        ('id = "page"', ""),
    ],
)
def test_the_schema_refuses_what_the_reader_refuses(was, now):
    """Both say no to the same slips."""
    held = tomllib.loads(SHORT.replace(was, now, 1))
    assert not VALIDATOR.is_valid(held)
    with pytest.raises(InvalidInput):
        policy_from_dict(held)


def test_a_schema_is_made_anew_for_each_caller():
    """Whoever changes theirs changes nobody else's."""
    policy_schema()["$defs"].clear()
    assert policy_schema() == SCHEMA


def test_a_file_that_is_wrong_is_named(tmp_path):
    """The first thing that somebody with ten policies wants to know."""
    path = tmp_path / "policy.toml"
    path.write_text("id = ", encoding="utf-8")
    with pytest.raises(InvalidInput, match=r"policy\.toml.*is no TOML"):
        load_policy(path)


def test_hostile_files_are_refused_in_bounded_time():
    """Thousands of steps, and what is no text at all."""
    step = "[[steps]]\nid = 's'\nat = 1\nto = 'x'\n"
    with pytest.raises(InvalidInput, match="are more than 200"):
        policy_from_toml('id = "a"\nversion = 1\n' + step * 201)
    with pytest.raises(InvalidValue, match="is no text; give the TOML itself, or load_policy"):
        policy_from_toml(5)
    with pytest.raises(InvalidInput, match=r"policy .*: is no table"):
        policy_from_dict([])
