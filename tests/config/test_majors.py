"""Criteria and procedures of files: read as written, written as read, refused with file, key and remedy."""

import datetime as dt
import json
import tomllib

import attrs
import jsonschema
import pytest

from itsm_core import Actor, ServiceDesk, stores
from itsm_core.business_time.durations import business_days, hours, minutes
from itsm_core.config import load_majors, majors_from_dict, majors_from_toml, majors_schema, majors_to_dict
from itsm_core.config.majors import MOST_CRITERIA, MOST_ROLES, MOST_TRACK_STEPS, MOST_TRACKS
from itsm_core.errors import InvalidInput, InvalidValue
from itsm_core.processes import PROCEDURE, MajorCriteria, MajorCriterion, MajorRules, customary_criteria
from itsm_core.records import MajorRole, Procedure, Track, TrackStep

TEXT = """
[criteria]
id = "house"
version = 3

[[criteria.any_of]]
id = "critical-service"
priority = "P1"
services = ["payments", "identity"]

[[criteria.any_of]]
id = "many"
users = 100
children = 5
services = "mail"

[[criteria.any_of]]
id = "leak"
security = true

[procedure]
id = "house"
version = 2
cadence = { P1 = "15m wall", P2 = "1h 30m wall" }
report_within = "3 business days"
review_within = "80h"
roles = [{ id = "driver" }, { id = "adviser", single = false }]

[[procedure.tracks]]
id = "repair"

[[procedure.tracks.steps]]
id = "open"
to = ["fixed", "done"]

[[procedure.tracks.steps]]
id = "fixed"
to = "done"

[[procedure.tracks.steps]]
id = "done"
ends = true
"""
RULES = MajorRules(
    criteria=MajorCriteria(
        "house",
        3,
        any_of=[
            MajorCriterion("critical-service", priority="P1", services=["payments", "identity"]),
            MajorCriterion("many", users=100, children=5, services="mail"),
            MajorCriterion("leak", security=True),
        ],
    ),
    procedure=Procedure(
        "house",
        2,
        tracks=[
            Track("repair", [TrackStep("open", ("fixed", "done")), TrackStep("fixed", "done"),
                             TrackStep("done", ends=True)]),
        ],
        roles=[MajorRole("driver"), MajorRole("adviser", single=False)],
        cadence={"P1": minutes(15), "P2": minutes(90)},
        report_within=business_days(3),
        review_within=hours(80),
    ),
)  # fmt: skip
SHORT = """
[criteria]
id = "house"
version = 1
[[criteria.any_of]]
id = "many"
users = 100
[procedure]
id = "house"
version = 1
cadence = { P1 = "15m wall" }
roles = [{ id = "scribe" }]
[[procedure.tracks]]
id = "repair"
steps = [{ id = "open", to = ["done"] }, { id = "done", ends = true }]
"""


def test_a_file_is_read_as_it_is_written(write):
    """Everything that criteria and a procedure can say."""
    assert load_majors(write(TEXT)) == RULES == majors_from_toml(TEXT) == majors_from_toml(TEXT.encode())


@pytest.mark.parametrize("rules", [RULES, MajorRules(), MajorRules(criteria=customary_criteria(["mail"]))])
def test_rules_go_through_json_unchanged(rules):
    """As plain values, and back to equal ones; the customary ones, too."""
    assert majors_from_dict(json.loads(json.dumps(majors_to_dict(rules)))) == rules


def test_what_a_file_leaves_out_is_as_it_ships():
    """Criteria alone run by the customary procedure; a procedure alone proposes nothing."""
    criteria, procedure = SHORT.split("[procedure]")
    assert majors_from_toml(criteria).procedure == PROCEDURE
    assert majors_from_toml("[procedure]" + procedure).criteria is None


def test_a_desk_goes_by_a_file(write):
    """What it says is proposed, accepted under its procedure, and told on its cadence."""
    at = dt.datetime(2026, 3, 2, 9, tzinfo=dt.UTC)
    desk = ServiceDesk(stores.open("memory://"), majors=load_majors(write(TEXT)))
    ana, mona = Actor.person("ana", "agent"), Actor.person("mona", "manager")
    fields = {"impact": "high", "urgency": "high", "service": "payments"}
    record = desk.open("Nobody can pay", actor=ana, at=at, record_id="INC-1", fields=fields)
    assert record.major_incident.criteria == ("critical-service",)
    record = desk.major.accept("INC-1", manager="mona", actor=mona, at=at)
    assert record.major_incident.procedure.label == "house 2"
    assert desk.next_due() == at + dt.timedelta(minutes=15)


@pytest.mark.parametrize(
    ("was", "now", "message"),
    [
        (SHORT, "", r"file about major incidents \[\]: says nothing; write \[criteria\], \[procedure\]"),
        (SHORT, "criteria = 3", r"criteria 3: is no table; write \[criteria\]"),
        ("[criteria]", "[criterias]", "key 'criterias': is unknown; did you mean criteria"),
        ("version = 1", "", r"criteria \['any_of', 'id'\]: lacks keys; add version"),
        ("version = 1", "version = '1'", "criteria.version '1': is no version; count versions 1, 2, 3"),
        ("[[criteria.any_of]]", "[criteria.any_of]", r"is no list; write \[\[criteria.any_of\]\]"),
        ("users = 100", "uesrs = 100", r"any_of\[1\] \(many\) 'uesrs': is unknown; did you mean users"),
        ("users = 100", "users = 0", r"any_of\[1\] \(many\).users 0: is no number from 1 on"),
        ("users = 100", "users = true", "users True: is no number from 1 on"),
        ("users = 100", "", "criterion 'many': says nothing; give priority, users"),
        ("users = 100", "priority = 'P9'", r"\(many\).priority 'P9': is unknown; use one of P1"),
        ("users = 100", "services = 5", "services 5: is no list"),
        ("users = 100", "security = 'yes'", "security 'yes': is neither true nor false"),
        ('id = "many"', "", r"any_of\[1\] \['users'\]: lacks keys; add id"),
        ("cadence", "cadense", "key of procedure 'cadense': is unknown; did you mean cadence"),
        ('{ P1 = "15m wall" }', "{}", r"procedure.cadence {}: names no priority; write cadence = {"),
        ('{ P1 = "15m wall" }', "5", "procedure.cadence 5: is no table; write cadence"),
        ("P1 =", "urgent =", "procedure.cadence 'urgent': is no priority; use one of P1"),
        ('"15m wall"', "15", "procedure.cadence.P1 15: is no text"),
        ('"15m wall"', '"15m"', r"cadence.P1: wait '15m': does not say in which time it counts"),
        ('"15m wall"', '"15m business"', 'does not count day and night.*write "30m wall"'),
        ('"15m wall"', '"1 business day"', "does not count day and night"),
        ('"15m wall"', '"0m wall"', "procedure: cadence 0: is no time between two words"),
        ("cadence", "report_within = '3 days'\ncadence", "procedure.report_within: duration '3 days'"),
        ("cadence", "review_within = 3\ncadence", "procedure.review_within 3: is no text"),
        ('{ id = "scribe" }', '{ id = "manager" }', "procedure: role 'manager': is there twice"),
        ('{ id = "scribe" }', '"scribe"', r"roles\[1\] 'scribe': is no table; write \[\[procedure.roles\]\]"),
        ('to = ["done"]', 'to = ["dnoe"]', r"tracks\[1\] \(repair\): step 'dnoe': is none of repair"),
        (", ends = true", "", "track 'repair': never ends from done, open on"),
        ("ends = true", "ends = 1", r"steps\[2\] \(done\).ends 1: is neither true nor false"),
        ('{ id = "open", to', "{ to", r"tracks\[1\] \(repair\).steps\[1\] \['to'\]: lacks keys; add id"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_refused_with_file_and_key(write, was, now, message):
    """Also with the remedy; never a stack trace from below."""
    path = write(SHORT.replace(was, now, 1))
    with pytest.raises(InvalidInput, match=message) as refused:
        load_majors(path)
    assert refused.value.file == str(path)
    assert refused.value.remedy


@pytest.mark.parametrize(
    ("was", "now", "remedy"),
    [
        (", ends = true", "", "let another step follow, or say ends = true"),
        ('"15m wall"', '"0m wall"', 'write cadence = { P1 = "30m wall" }'),
        ('{ id = "scribe" }', '{ id = "manager" }', "leave it out: every procedure has it"),
        ('{ id = "open", to = ["done"] }, { id = "done", ends = true }', "",
         'write steps = [{ id = "restored", ends = true }]'),
    ],
)  # fmt: skip
def test_a_remedy_is_told_in_the_words_of_the_file(was, now, remedy):
    """Whoever writes TOML does not write Python."""
    with pytest.raises(InvalidInput) as refused:
        majors_from_toml(SHORT.replace(was, now, 1))
    assert refused.value.remedy == remedy


@pytest.mark.parametrize(
    ("was", "row", "most"),
    [
        ("[[criteria.any_of]]", "[[criteria.any_of]]\nid = 'x{}'\nusers = 1\n", MOST_CRITERIA),
        ("[[procedure.tracks]]", "[[procedure.tracks]]\nid = 'x{}'\nsteps = []\n", MOST_TRACKS),
        ('{ id = "scribe" }', "{{ id = 'x{}' }},", MOST_ROLES),
        ('{ id = "open"', "{{ id = 'x{}' }},", MOST_TRACK_STEPS),
    ],
)
def test_hostile_files_are_refused_in_bounded_time(was, row, most):
    """More than anybody needs, before anything is made of it."""
    many = "".join(row.format(n) for n in range(most))
    with pytest.raises(InvalidInput, match=f"are more than {most}"):
        majors_from_toml(SHORT.replace(was, many + was, 1))


@pytest.mark.parametrize("wrong", [None, 5, []])
def test_what_is_no_text_is_refused_with_the_function_that_takes_a_path(wrong):
    """A path, most likely."""
    with pytest.raises(InvalidValue, match="is no text; give the TOML itself, or load_majors"):
        majors_from_toml(wrong)
    with pytest.raises(InvalidInput, match="is no table"):
        majors_from_dict(wrong)


# --- the schema ----------------------------------------------------------------------------------------------

SCHEMA = majors_schema()
VALIDATOR = jsonschema.Draft202012Validator(SCHEMA)


def test_the_schema_takes_what_the_reader_takes():
    """The files above, and what is written of rules; it is a schema itself."""
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    for held in (
        tomllib.loads(TEXT),
        tomllib.loads(SHORT),
        majors_to_dict(RULES),
        majors_to_dict(MajorRules()),
    ):
        VALIDATOR.validate(held)


def test_the_schema_knows_the_same_keys_as_the_values():
    """A field that is added to one of them is added to the schema."""
    parts = SCHEMA["$defs"]
    for name, value in {
        "criteria": RULES.criteria, "criterion": RULES.criteria.any_of[0], "procedure": RULES.procedure,
        "track": RULES.procedure.tracks[0], "step": RULES.procedure.tracks[0].steps[0],
        "role": RULES.procedure.roles[0],
    }.items():  # fmt: skip
        assert list(parts[name]["properties"]) == [field.name for field in attrs.fields(type(value))]
    lists = [("criteria", "any_of"), ("procedure", "tracks"), ("track", "steps"), ("procedure", "roles")]
    found = [parts[part]["properties"][name]["maxItems"] for part, name in lists]
    assert found == [MOST_CRITERIA, MOST_TRACKS, MOST_TRACK_STEPS, MOST_ROLES]


@pytest.mark.parametrize(
    ("was", "now"),
    [
        (SHORT, ""),
        ("version = 1", ""),
        ("version = 1", "version = '1'"),
        ("users = 100", "uesrs = 100"),
        ("users = 100", "users = 0"),
        ("users = 100", ""),
        ("users = 100", "priority = 'P9'"),
        ("users = 100", "services = 5"),
        ('id = "many"', ""),
        ("P1 =", "urgent ="),
        ('{ P1 = "15m wall" }', "{}"),
        ('"15m wall"', '"15m"'),
        ('"15m wall"', '"15m business"'),
        ('{ id = "scribe" }', '"scribe"'),
        ("ends = true", "ends = 1"),
    ],
)
def test_the_schema_refuses_what_the_reader_refuses(was, now):
    """Both say no to the same slips."""
    held = tomllib.loads(SHORT.replace(was, now, 1))
    assert not VALIDATOR.is_valid(held)
    with pytest.raises(InvalidInput):
        majors_from_dict(held)


def test_a_schema_is_made_anew_for_each_caller():
    """Whoever changes theirs changes nobody else's."""
    majors_schema()["$defs"].clear()
    assert majors_schema() == SCHEMA


def test_the_cadence_is_written_as_it_is_read():
    """In hours and minutes, with the time it counts in."""
    assert majors_to_dict(RULES)["procedure"]["cadence"] == {"P1": "15m wall", "P2": "1h 30m wall"}
    assert RULES.procedure.every("P2") == hours(1).us + minutes(30).us
