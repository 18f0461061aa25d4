"""The shipped maps: what other systems' states mean here, and what is lost on the way there and back.

`python tests/processes/test_maps.py` writes the tables of docs/how-to/coming-from-*.md anew.
"""

import csv
import gzip
import re
from pathlib import Path

import pytest

from itsm_core.errors import InvalidValue
from itsm_core.events import WaitsOn
from itsm_core.importers.servicenow import SERVICENOW_AUDIT
from itsm_core.lifecycle import Mapped, StateMap
from itsm_core.lifecycle.beside import BESIDE
from itsm_core.processes import INCIDENT, SHIPPED
from itsm_core.processes.incident import OUTCOMES
from itsm_core.processes.maps import (
    GLPI,
    GLPI_CODES,
    ITOP,
    JIRA,
    MAPS,
    SERVICENOW,
    SERVICENOW_CODES,
    ZAMMAD,
    glpi,
    servicenow,
)
from itsm_core.processes.maps.words import both_ways, elsewhere, in_codes, with_reasons
from itsm_core.sla import Clock

DOCS = Path(__file__).resolve().parent.parent.parent / "docs" / "how-to"
LIFECYCLES = {one.id: one for one in SHIPPED}
ALL = [(system, process) for system, maps in MAPS.items() for process in maps]
CODES = {"servicenow": SERVICENOW_CODES, "glpi": GLPI_CODES}
IN_CODES = [(system, process) for system, maps in CODES.items() for process in maps]


# --- what they mean, by hand ------------------------------------------------------------------

# Their states, and what each is here. Sources: shared/reference/platforms.md, the section named; what
# else is used stands beside it.
MEANT = {
    # 2.5; from Active on: the states of the sample, shared/data/README.md.
    ("servicenow", "incident"): {
        "New": "new", "In Progress": "in_progress", "On Hold": "on_hold", "Resolved": "resolved",
        "Closed": "closed", "Canceled": "cancelled",
        "Awaiting Caller": "on_hold/requester", "Awaiting Change": "on_hold/change",
        "Awaiting Problem": "on_hold/problem", "Awaiting Vendor": "on_hold/supplier",
        "Active": "in_progress", "Awaiting User Info": "on_hold/requester",
        "Awaiting Evidence": "on_hold/internal",
    },
    ("servicenow", "problem"): {
        "New": "new", "Assess": "assess", "Root Cause Analysis": "root_cause_analysis",
        "Fix in Progress": "fix_in_progress", "Resolved": "resolved", "Closed": "closed",
        "On Hold": "on_hold",  # no state there
    },
    ("servicenow", "change"): {
        "New": "new", "Assess": "assess", "Authorize": "authorize", "Scheduled": "scheduled",
        "Implement": "implement", "Review": "review", "Closed": "closed", "Canceled": "cancelled",
        "On Hold": "on_hold",  # a flag there
    },
    ("servicenow", "service_request"): {
        "Open": "submitted", "Work in Progress": "fulfilment", "Pending": "on_hold",
        "Closed Complete": "closed", "Closed Incomplete": "incomplete", "Closed Skipped": "skipped",
    },
    ("servicenow", "task"): {
        "Open": "open", "Work in Progress": "in_progress", "Pending": "on_hold",
        "Closed Complete": "complete", "Closed Incomplete": "incomplete", "Closed Skipped": "skipped",
    },
    # The vendor's list of default statuses: Open, Reopened, Pending, Work in progress, Waiting for
    # customer, Waiting for support, Escalated, Done, Canceled. All others are from memory.
    ("jira", "incident"): {
        "Open": "new", "Waiting for support": "new", "Work in progress": "in_progress",
        "In progress": "in_progress", "Escalated": "in_progress", "Reopened": "in_progress",
        "Pending": "on_hold", "Waiting for customer": "on_hold/requester", "Resolved": "resolved",
        "Completed": "resolved", "Closed": "closed", "Done": "closed", "Canceled": "cancelled",
    },
    ("jira", "problem"): {
        "Open": "new", "Under investigation": "root_cause_analysis", "Work in progress": "fix_in_progress",
        "Pending": "on_hold", "Waiting for customer": "on_hold/requester", "Completed": "resolved",
        "Resolved": "resolved", "Closed": "closed", "Done": "closed", "Canceled": "cancelled",
    },
    ("jira", "change"): {
        "Open": "new", "Planning": "assess", "Awaiting CAB approval": "authorize",
        "Pending CAB approval": "authorize", "Awaiting implementation": "scheduled",
        "Pending implementation": "scheduled", "Implementing": "implement", "Completed": "review",
        "Failed": "review", "Closed": "closed", "Done": "closed", "Declined": "cancelled",
        "Canceled": "cancelled", "Pending": "on_hold", "Waiting for customer": "on_hold/requester",
    },
    ("jira", "service_request"): {
        "Open": "submitted", "Waiting for approval": "approval", "Waiting for support": "fulfilment",
        "In progress": "fulfilment", "Work in progress": "fulfilment", "Escalated": "fulfilment",
        "Reopened": "fulfilment", "Pending": "on_hold", "Waiting for customer": "on_hold/requester",
        "Resolved": "delivered", "Completed": "delivered", "Closed": "closed", "Done": "closed",
        "Declined": "rejected", "Canceled": "cancelled",
    },
    # 2.3.
    ("zammad", "incident"): {
        "new": "new", "open": "in_progress", "pending reminder": "on_hold", "pending close": "resolved",
        "closed": "closed", "merged": "merged", "removed": "cancelled",
    },
    ("zammad", "service_request"): {
        "new": "submitted", "open": "fulfilment", "pending reminder": "on_hold",
        "pending close": "delivered", "closed": "closed", "merged": "merged", "removed": "cancelled",
    },
    # 2.2; Approval as a status of tickets: ecosystem.md, the codes seen.
    ("glpi", "incident"): {
        "New": "new", "Processing (assigned)": "in_progress", "Processing (planned)": "in_progress",
        "Pending": "on_hold", "Solved": "resolved", "Closed": "closed",
    },
    ("glpi", "problem"): {
        "New": "new", "Accepted": "assess", "Processing (assigned)": "root_cause_analysis",
        "Processing (planned)": "fix_in_progress", "Pending": "on_hold", "Solved": "resolved",
        "Under observation": "resolved", "Closed": "closed",
    },
    ("glpi", "change"): {
        "New": "new", "Evaluation": "assess", "Approval": "authorize", "Accepted": "scheduled",
        "Testing": "implement", "Qualification": "implement", "Applied": "review", "Review": "review",
        "Pending": "on_hold", "Closed": "closed", "Cancelled": "cancelled", "Refused": "cancelled",
    },
    ("glpi", "service_request"): {
        "New": "submitted", "Approval": "approval", "Processing (assigned)": "fulfilment",
        "Processing (planned)": "fulfilment", "Pending": "on_hold", "Solved": "delivered",
        "Closed": "closed",
    },
    # 2.1.
    ("itop", "incident"): {
        "new": "new", "escalated_tto": "new", "assigned": "in_progress", "escalated_ttr": "in_progress",
        "pending": "on_hold", "resolved": "resolved", "closed": "closed",
    },
    ("itop", "problem"): {
        "new": "new", "assigned": "root_cause_analysis", "resolved": "resolved", "closed": "closed",
        "on hold": "on_hold",  # no state there
    },
    ("itop", "change"): {
        "new": "new", "validated": "assess", "assigned": "assess", "plannedscheduled": "authorize",
        "approved": "scheduled", "implemented": "review", "monitored": "review", "closed": "closed",
        "rejected": "new", "notapproved": "assess",
        "on hold": "on_hold",  # no state there
    },
    ("itop", "service_request"): {
        "new": "submitted", "waiting_for_approval": "approval", "approved": "fulfilment",
        "rejected": "rejected", "assigned": "fulfilment", "escalated_tto": "submitted",
        "escalated_ttr": "fulfilment", "pending": "on_hold", "resolved": "delivered", "closed": "closed",
    },
}  # fmt: skip

# Their states by number. Sources: ServiceNow changes, and 101, 104, 107: platforms.md 2.5; its other
# numbers: ansible-collections/servicenow.itsm, plugins/module_utils, and ServiceNowDocs,
# map-problem-task-state.md. GLPI: ecosystem.md, and glpi-project/glpi, inc/commonitilobject.class.php and
# src/Change.php.
NUMBERED = {
    ("servicenow", "incident"): {
        1: "new", 2: "in_progress", 3: "on_hold", 6: "resolved", 7: "closed", 8: "cancelled",
    },
    ("servicenow", "problem"): {
        101: "new", 102: "assess", 103: "root_cause_analysis", 104: "fix_in_progress",
        106: "resolved", 107: "closed",
    },
    ("servicenow", "change"): {
        -5: "new", -4: "assess", -3: "authorize", -2: "scheduled", -1: "implement", 0: "review",
        3: "closed", 4: "cancelled",
    },
    ("servicenow", "service_request"): {
        1: "submitted", 2: "fulfilment", -5: "on_hold", 3: "closed", 4: "incomplete", 7: "skipped",
    },
    ("servicenow", "task"): {
        1: "open", 2: "in_progress", -5: "on_hold", 3: "complete", 4: "incomplete", 7: "skipped",
    },
    ("glpi", "incident"): {
        1: "new", 2: "in_progress", 3: "in_progress", 4: "on_hold", 5: "resolved", 6: "closed",
    },
    ("glpi", "problem"): {
        1: "new", 7: "assess", 2: "root_cause_analysis", 3: "fix_in_progress", 4: "on_hold",
        5: "resolved", 8: "resolved", 6: "closed",
    },
    ("glpi", "change"): {
        1: "new", 9: "assess", 10: "authorize", 7: "scheduled", 11: "implement", 12: "implement",
        4: "on_hold", 5: "review", 8: "review", 6: "closed", 14: "cancelled", 13: "cancelled",
    },
    ("glpi", "service_request"): {
        1: "submitted", 10: "approval", 2: "fulfilment", 3: "fulfilment", 4: "on_hold",
        5: "delivered", 6: "closed",
    },
}  # fmt: skip

# What a second field adds, in one text after a stroke; "..." stands for each of our seven reasons.
SECOND = {
    ("servicenow", "incident"): {
        "On Hold/Awaiting Caller": "on_hold/requester", "On Hold/Awaiting Change": "on_hold/change",
        "On Hold/Awaiting Problem": "on_hold/problem", "On Hold/Awaiting Vendor": "on_hold/supplier",
        "3/1": "on_hold/requester", "3/5": "on_hold/change", "3/3": "on_hold/problem",
        "3/4": "on_hold/supplier",
    },
    ("servicenow", "problem"): {
        "On Hold/...": "on_hold/...",
        "Resolved/Fix Applied": "resolved", "106/fix_applied": "resolved",
        "Resolved/Risk Accepted": "risk_accepted", "106/risk_accepted": "risk_accepted",
        "Closed/Fix Applied": "closed", "107/fix_applied": "closed",
        "Closed/Risk Accepted": "risk_accepted", "107/risk_accepted": "risk_accepted",
        "Closed/Duplicate": "duplicate", "107/duplicate": "duplicate",
        "Closed/Canceled": "cancelled", "107/canceled": "cancelled",
    },
    ("servicenow", "change"): {"On Hold/...": "on_hold/..."},
    ("servicenow", "service_request"): {
        "Open/approval": "approval", "1/approval": "approval",
        "Pending/...": "on_hold/...", "-5/...": "on_hold/...",
        "Work in Progress/delivered": "delivered", "2/delivered": "delivered",
        "Closed Incomplete/rejected": "rejected", "4/rejected": "rejected",
        "Closed Incomplete/cancelled": "cancelled", "4/cancelled": "cancelled",
    },
    ("servicenow", "task"): {"Pending/...": "on_hold/...", "-5/...": "on_hold/..."},
    ("zammad", "incident"): {"pending reminder/...": "on_hold/..."},
    ("zammad", "service_request"): {
        "pending reminder/...": "on_hold/...", "pending reminder/approval": "approval",
    },
    ("glpi", "incident"): {"Pending/...": "on_hold/...", "4/...": "on_hold/..."},
    ("glpi", "problem"): {"Pending/...": "on_hold/...", "4/...": "on_hold/..."},
    ("glpi", "change"): {"Pending/...": "on_hold/...", "4/...": "on_hold/..."},
    ("glpi", "service_request"): {"Pending/...": "on_hold/...", "4/...": "on_hold/..."},
    ("itop", "incident"): {"pending/...": "on_hold/..."},
    ("itop", "problem"): {"on hold/...": "on_hold/..."},
    ("itop", "change"): {"approved/implement": "implement", "on hold/...": "on_hold/..."},
    ("itop", "service_request"): {"pending/...": "on_hold/..."},
}  # fmt: skip

ELSEWHERE = ("duplicate", "merged", "retyped")
_OTHER_REASONS = {
    "on_hold/customer_approver": "on_hold/requester", "on_hold/schedule": "on_hold/requester",
    "on_hold/supplier": "on_hold", "on_hold/problem": "on_hold", "on_hold/change": "on_hold",
    "on_hold/internal": "on_hold",
}  # fmt: skip

# What is lost within a phase: our state, and as what it comes back.
LOST = {
    ("servicenow", "incident"): {
        "on_hold/customer_approver": "on_hold/requester", "on_hold/schedule": "on_hold/requester",
        "on_hold/internal": "on_hold", **dict.fromkeys(ELSEWHERE, "cancelled"),
    },
    ("servicenow", "problem"): {},
    ("servicenow", "change"): {},
    ("servicenow", "service_request"): dict.fromkeys(ELSEWHERE, "incomplete"),
    ("servicenow", "task"): {},
    ("jira", "incident"): {**_OTHER_REASONS, **dict.fromkeys(ELSEWHERE, "cancelled")},
    ("jira", "problem"): {
        **_OTHER_REASONS, "assess": "root_cause_analysis", "risk_accepted": "closed", "duplicate": "cancelled",
    },
    ("jira", "change"): _OTHER_REASONS,
    ("jira", "service_request"): {
        **_OTHER_REASONS, "incomplete": "closed", "skipped": "closed", **dict.fromkeys(ELSEWHERE, "cancelled"),
    },
    ("zammad", "incident"): {"cancelled": "closed", "duplicate": "merged", "retyped": "closed"},
    ("zammad", "service_request"): {
        "incomplete": "closed", "skipped": "closed", "rejected": "closed", "cancelled": "closed",
        "duplicate": "merged", "retyped": "closed",
    },
    ("glpi", "incident"): {"cancelled": "closed", **dict.fromkeys(ELSEWHERE, "closed")},
    ("glpi", "problem"): {"risk_accepted": "closed", "duplicate": "closed", "cancelled": "closed"},
    ("glpi", "change"): {},
    ("glpi", "service_request"): {
        "incomplete": "closed", "skipped": "closed", "rejected": "closed", "cancelled": "closed",
        **dict.fromkeys(ELSEWHERE, "closed"),
    },
    ("itop", "incident"): {"cancelled": "closed", **dict.fromkeys(ELSEWHERE, "closed")},
    ("itop", "problem"): {
        "assess": "root_cause_analysis", "fix_in_progress": "root_cause_analysis",
        "risk_accepted": "closed", "duplicate": "closed", "cancelled": "closed",
    },
    ("itop", "change"): {"cancelled": "closed"},
    ("itop", "service_request"): {
        "incomplete": "closed", "skipped": "closed", "cancelled": "closed",
        **dict.fromkeys(ELSEWHERE, "closed"),
    },
}  # fmt: skip


def test_every_map_has_a_table_by_hand():
    """And every table a map; numbers where the system has them."""
    assert set(ALL) == set(MEANT) == set(LOST)
    assert set(IN_CODES) == set(NUMBERED)


@pytest.mark.parametrize(("system", "process"), ALL)
def test_a_word_means_what_the_table_says(system, process):
    """Every word of theirs, and no other; the names of both fields, and their numbers."""
    expected = dict(MEANT[system, process])
    expected |= {str(n): ours for n, ours in NUMBERED.get((system, process), {}).items()}
    for theirs, ours in SECOND.get((system, process), {}).items():
        some = WaitsOn if "..." in theirs else [""]
        expected |= {theirs.replace("...", reason): ours.replace("...", reason) for reason in some}
    assert dict(MAPS[system][process].inbound) == expected


@pytest.mark.parametrize(("system", "process"), IN_CODES)
def test_a_number_is_read_as_its_name_is(system, process):
    """As JSON has it, and as text; whichever way the map writes."""
    for made in (MAPS[system][process], CODES[system][process]):
        found = {n: str(made.read(n)) for n in NUMBERED[system, process]}
        assert found == NUMBERED[system, process]
        assert all(made.read(n) == made.read(str(n)) for n in found)


# --- what is lost -----------------------------------------------------------------------------


@pytest.mark.parametrize(("system", "process"), ALL)
def test_a_map_keeps_the_phase_and_the_side_of_every_wait(system, process):
    """No error; and what is lost within a phase is what the table says."""
    findings = MAPS[system][process].checked(LIFECYCLES[process]).check(LIFECYCLES[process])
    assert [str(finding) for finding in findings if finding.level != "info"] == []
    made = MAPS[system][process]
    lost = {f.where: str(made.read(made.write(*f.where.split("/")))) for f in findings}
    assert lost == LOST[system, process]
    assert all(f.message.endswith(f"comes back as {lost[f.where]}") for f in findings)


@pytest.mark.parametrize(("system", "process"), IN_CODES)
def test_numbers_lose_what_names_lose(system, process):
    """A map in codes is the same map; what is no state there has no number."""
    findings = CODES[system][process].check(LIFECYCLES[process])
    assert {f.where for f in findings if f.code == "X005"} == set(LOST[system, process])
    assert {f.code for f in findings} <= {"X005"}
    for word in CODES[system][process].outbound.values():
        first = word.split("/")[0]
        assert first == "On Hold" or int(first) in NUMBERED[system, process]


@pytest.mark.parametrize(
    ("made", "error"),
    [
        (ZAMMAD["incident"], "pending reminder"),
        (GLPI["incident"], "Pending"),
        (GLPI_CODES["incident"], "4"),
        (ITOP["incident"], "pending"),
    ],
    ids=["zammad", "glpi", "glpi in numbers", "itop"],
)
def test_without_a_second_field_a_wait_for_the_customer_is_lost(made, error):
    """One state for every wait: what paused the clock comes back as a hold that does not."""
    plain = {ours: theirs.split("/")[0] for ours, theirs in made.outbound.items()}
    findings = StateMap("plain", made.inbound, plain).check(INCIDENT)
    assert {f.where for f in findings if f.level == "error"} == {
        "on_hold/requester", "on_hold/customer_approver", "on_hold/schedule"
    }  # fmt: skip
    assert all(f.code == "X004" and f"becomes {error!r}" in f.message for f in findings if f.level == "error")


# --- ServiceNow's log -------------------------------------------------------------------------


def test_the_audit_log_means_by_a_state_what_the_map_means():
    """Two tables, one meaning."""
    for theirs, ours in SERVICENOW_AUDIT.states:
        assert str(SERVICENOW["incident"].read(theirs)) == ours


def test_every_state_of_the_sample_is_known(shared_data, conformance_report):
    """5,758 rows, and no state among them that the map does not have."""
    with gzip.open(shared_data / "servicenow_incident_log_sample.csv.gz", "rt", encoding="utf-8") as file:
        words = [row["incident_state"] for row in csv.DictReader(file)]
    unknown = [word for word in words if SERVICENOW["incident"].read(word) is None]
    conformance_report("servicenow states", len(words), len(words) - len(unknown), 0)
    assert (len(words), unknown) == (5758, [])


# --- how the tables are read ------------------------------------------------------------------


def test_words_are_read_and_written_as_their_table_says():
    """Both ways, one way, the other, and in numbers; a second field has numbers of its own."""
    codes = {"Open": "1", "Held": "2", "/Caller": "9"}
    made = both_ways(
        "desk", {"Open": "new", "Held": "on_hold", "Held/Caller": "on_hold/requester", "Odd": "closed"},
        read={"Caller": "on_hold/requester", "Held/Odd": "on_hold"}, write={"cancelled": "Odd"}, codes=codes,
    )  # fmt: skip
    assert dict(made.inbound) == {
        "Open": "new", "1": "new", "Held": "on_hold", "2": "on_hold", "Held/Caller": "on_hold/requester",
        "2/9": "on_hold/requester", "Odd": "closed", "Caller": "on_hold/requester",
        "Held/Odd": "on_hold", "2/Odd": "on_hold",
    }  # fmt: skip
    assert dict(made.outbound) == {
        "new": "Open", "on_hold": "Held", "on_hold/requester": "Held/Caller", "closed": "Odd",
        "cancelled": "Odd",
    }  # fmt: skip
    numbers = in_codes(made, codes)
    assert (numbers.system, numbers.inbound) == ("desk", made.inbound)
    assert dict(numbers.outbound) == {
        "new": "1", "on_hold": "2", "on_hold/requester": "2/9", "closed": "Odd", "cancelled": "Odd"
    }  # fmt: skip


def test_a_table_without_more_is_the_same_both_ways():
    """No words of one way, no numbers."""
    made = both_ways("desk", {"Open": "new"})
    assert (dict(made.inbound), dict(made.outbound)) == ({"Open": "new"}, {"new": "Open"})
    assert in_codes(made, {}) == made


def test_a_second_field_keeps_each_of_our_reasons():
    """Under the name that they have here."""
    assert with_reasons("P", "waiting")["P/supplier"] == "waiting/supplier"
    assert set(with_reasons("P").values()) == {f"on_hold/{reason}" for reason in WaitsOn}
    assert elsewhere("X") == {"duplicate": "X", "merged": "X", "retyped": "X"}


def test_a_misspelt_reason_in_a_table_is_seen_when_it_is_made():
    """Not when the first record comes."""
    with pytest.raises(InvalidValue, match="is no hold reason"):
        both_ways("desk", {"Held": "on_hold/weather"})


@pytest.mark.parametrize("maps", [MAPS, SERVICENOW, SERVICENOW_CODES, JIRA, ZAMMAD, GLPI, GLPI_CODES, ITOP])
def test_a_shipped_map_cannot_be_changed(maps):
    """Whoever wants another one makes it from this one."""
    with pytest.raises(TypeError):
        maps["incident"] = StateMap("mine", {})


def test_a_shipped_map_is_where_your_own_begins():
    """A status more, and the check for it."""
    theirs = JIRA["incident"]
    made = StateMap("our jira", {**theirs.inbound, "In QA": "in_progress"}, theirs.outbound)
    assert made.read("In QA") == Mapped("in_progress")
    assert {f.level for f in made.check(INCIDENT)} == {"info"}


# --- the pages --------------------------------------------------------------------------------

_PRIVATE = {"servicenow": servicenow._CODES, "glpi": dict.fromkeys(GLPI, glpi._CODES)}
MARK = re.compile(r"(<!-- map: (\w+) (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)


def _row(cells):
    return f"| {' | '.join(cells)} |\n"


def _head(*cells):
    return _row(cells) + _row(["---"] * len(cells))


def _is_number(word):
    return re.fullmatch(r"-?\d+", word.split("/")[0]) is not None


def _short(inbound):
    """The words by name, the seven reasons of one state as a single row."""
    kept = {theirs: ours for theirs, ours in inbound.items() if not _is_number(theirs)}
    for first in dict.fromkeys(theirs.split("/")[0] for theirs in kept):
        every = [f"{first}/{reason}" for reason in WaitsOn]
        if all(theirs in kept for theirs in every):
            merged = {every[0]: (f"{first}/*reason*", f"{kept[every[0]].split('/')[0]}/*reason*")}
            kept = {t: merged.get(t, o) for t, o in kept.items() if t not in every[1:]}
    return [ours if isinstance(ours, tuple) else (theirs, f"`{ours}`") for theirs, ours in kept.items()]


def _number(theirs, system, process):
    first, stroke, second = theirs.partition("/")
    codes = _PRIVATE[system][process]
    return codes.get(first, "") + stroke + codes.get(stroke + second, second) if first in codes else ""


def _table(system, process):
    made = MAPS[system][process]
    numbered = system in CODES
    text = _head("there", *(["number"] if numbered else []), "here")
    for theirs, ours in _short(made.inbound):
        text += _row([theirs, *([_number(theirs, system, process)] if numbered else []), ours])
    losses = {}
    for finding in made.check(LIFECYCLES[process]):
        word = made.write(*finding.where.split("/"))
        losses.setdefault((word, str(made.read(word))), []).append(f"`{finding.where}`")
    if not losses:
        return text + "\nNothing is lost on the way there and back.\n"
    text += "\n" + _head("lost on the way", "becomes", "comes back as")
    for (word, back), places in losses.items():
        text += _row([", ".join(places), word, f"`{back}`"])
    return text


def _with_tables(text):
    return MARK.sub(lambda m: f"{m[1]}\n{_table(m[2], m[3])}\n{m[4]}", text)


PAGES = sorted(DOCS.glob("coming-from-*.md"))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_the_tables_of_the_pages_are_those_of_the_maps(page):
    """Written by the maps, so that they cannot say anything else."""
    text = page.read_text(encoding="utf-8")
    assert text == _with_tables(text), "run: python tests/processes/test_maps.py"


def test_every_map_has_its_table_on_a_page():
    """Once."""
    told = [(m[2], m[3]) for page in PAGES for m in MARK.finditer(page.read_text(encoding="utf-8"))]
    assert sorted(told) == sorted(ALL)


def _section(page, title):
    """What stands in backticks in the last column of a table of ours."""
    text = page.read_text(encoding="utf-8").split(f"\n## {title}\n")[1].split("\n## ")[0]
    rows = [row.split("|")[2] for row in text.splitlines() if row.startswith("|") and "---" not in row]
    return {word for row in rows for word in re.findall(r"`(\w+)`", row)}


FIELDS = {name for one in SHIPPED for name in one.kinds}
BUTTONS = {trigger for one in SHIPPED for trigger in one.by_trigger} | set(BESIDE)
ROLES = {role for one in SHIPPED for t in one.transitions for role in (*t.roles, *t.relation)}
OTHERS = {*OUTCOMES, "matrix_3x3_p4", "link", "major_incident"}


@pytest.mark.parametrize("name", ["servicenow", "jira", "itop", "glpi"])
def test_a_page_names_what_there_is(name):
    """Every field, button and role in our column exists."""
    page = DOCS / f"coming-from-{name}.md"
    assert _section(page, "Fields") - FIELDS - OTHERS <= set(dir(Clock))
    assert _section(page, "Buttons") <= BUTTONS
    assert _section(page, "Roles") <= ROLES
    assert all(len(_section(page, title)) > 1 for title in ("Fields", "Buttons", "Roles"))


if __name__ == "__main__":
    for page in PAGES:
        page.write_text(_with_tables(page.read_text(encoding="utf-8")), encoding="utf-8")
