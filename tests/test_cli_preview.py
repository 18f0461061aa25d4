"""`itsm preview`: the timeline of a policy file, and what is said when it cannot be shown."""

import json

import pytest
from click.testing import CliRunner

from itsm_core import cli

POLICY = """
id = "major-line"
version = 1
last_resort = "duty-manager"

[[steps]]
id = "page"
unacknowledged = "0m wall"
to = "on_call:network"
channel = "sms"

[[steps]]
id = "lead"
after = "15m wall"
to = "role:lead"

[[steps]]
id = "half"
at = "50 %"
group = "second-line"
"""
CALENDAR = '\n[calendars.desk]\nzone = "Asia/Shanghai"\nhours = "mon-fri 09:00-18:00"\n'


@pytest.fixture
def show(tmp_path, monkeypatch):
    """Runs `itsm preview` on the policy in a folder of its own."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "policy.toml").write_text(POLICY, encoding="utf-8")
    (tmp_path / "local.toml").write_text(POLICY + CALENDAR, encoding="utf-8")

    def run(*arguments):
        return CliRunner().invoke(
            cli._group(), ["preview", *arguments], standalone_mode=False, catch_exceptions=False
        )

    return run


def test_done_when_5_the_timeline_is_printed_as_a_table(show):
    """A P1 opened at 16:00 by customary targets: four hours around the clock, half of them at 18:00."""
    done = show("policy.toml", "--priority", "P1", "--start", "2026-03-06T16:00")
    assert done.stdout == (
        "major-line@1: P1, 2026-03-06 16:00 UTC\n"
        "after  at                step  who                  channel  why\n"
        "+0:00  2026-03-06 16:00  page  on_call:network      sms      not acknowledged yet\n"
        "+0:15  2026-03-06 16:15  lead  role:lead            console  not acknowledged; 15m since the step before\n"
        "+2:00  2026-03-06 18:00  half  work to second-line  -        50 % of the time for the resolution is used up\n"
    )
    assert not done.return_value


def test_the_clock_is_that_of_the_calendar_or_the_zone_asked_for(show):
    """Shanghai without a word, London when asked, and an instant may say its own."""
    assert "2026-03-06 16:00 Asia/Shanghai" in show("local.toml", "--start", "2026-03-06T16:00").stdout
    asked = show("local.toml", "--start", "2026-03-06T16:00+08:00", "--zone", "Europe/London").stdout
    assert "2026-03-06 08:00 Europe/London" in asked


def test_another_agreement_gives_other_instants(show, tmp_path):
    """Two hours around the clock are half used up after one."""
    text = (
        'id = "ours"\nversion = 1\n[calendars.around]\nzone = "UTC"\nhours = "always"\n'
        '[[targets]]\nid = "fix"\nmetric = "resolution"\nduration = "2h"\n'
    )
    (tmp_path / "ours.toml").write_text(text, encoding="utf-8")
    told = show("policy.toml", "--agreement", "ours.toml", "--start", "2026-03-06T16:00", "--json").stdout
    halves = [row["at"] for row in json.loads(told)["rows"] if row["step"] == "half"]
    assert halves == ["2026-03-06T17:00:00+00:00"]


MAJORS = """
[procedure]
id = "house"
version = 1
cadence = { P1 = "30m wall", P2 = "1h wall" }
tracks = [{ id = "repair", steps = [{ id = "open", to = "done" }, { id = "done", ends = true }] }]
"""
OVERDUE = """
[[steps]]
id = "silent"
trigger = { kind = "update_overdue", wait = "5m wall" }
to = "user:mona"
"""


def test_a_major_incident_is_shown_with_what_waits_for_its_updates(show, tmp_path):
    """By the cadence of its priority in a file about major incidents; any other has none."""
    (tmp_path / "majors.toml").write_text(MAJORS, encoding="utf-8")
    (tmp_path / "both.toml").write_text(POLICY + OVERDUE, encoding="utf-8")
    asked = ["both.toml", "--start", "2026-03-06T16:00", "--majors", "majors.toml"]
    (line,) = [line for line in show(*asked).stdout.splitlines() if "silent" in line]
    assert line.startswith("+0:35  2026-03-06 16:35  silent  mona ")
    assert "+1:05  2026-03-06 17:05  silent" in show(*asked, "--priority", "P2").stdout
    assert "silent" not in show(*asked[:-2]).stdout


def test_the_horizon_and_the_language_are_asked_for(show):
    """One hour sees no threshold; Chinese has Chinese headings; without a start it is now."""
    assert "half" not in show("policy.toml", "--hours", "1", "--start", "2026-03-06T16:00").stdout
    assert "通知对象" in show("policy.toml", "--lang", "zh").stdout


def test_what_the_preview_cannot_show_stands_below_the_table(show, tmp_path):
    """One step for who is on call, and nobody behind it."""
    alone = POLICY.replace('last_resort = "duty-manager"', "").partition('[[steps]]\nid = "lead"')[0]
    (tmp_path / "alone.toml").write_text(alone, encoding="utf-8")
    said = "page: if nobody answers to on_call:network, nobody is told; say last_resort.\n"
    assert show("alone.toml", "--start", "2026-03-06T16:00").stdout.endswith(said)
    (note,) = json.loads(show("alone.toml", "--json").stdout)["notes"]
    assert note == {"why": "silent", "step": "page", "at": None, "names": ["on_call:network"]}


def test_the_picture_is_drawn_beside_the_table(show, tmp_path):
    """An SVG file with the same rows."""
    show("policy.toml", "--picture", "line.svg", "--start", "2026-03-06T16:00")
    drawn = (tmp_path / "line.svg").read_text(encoding="utf-8")
    assert drawn.startswith("<svg")
    assert "role:lead" in drawn


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["gone.toml"], "itsm: gone.toml: No such file or directory; check the path and its permissions\n"),
        (
            ["policy.toml", "--priority", "P9"],
            "itsm: priority 'P9': is no priority; use one of P1, P2, P3, P4, P5\n",
        ),
        (["policy.toml", "--start", "soon"], "itsm: --start 'soon': is no instant; write 2026-03-06T16:00\n"),
        (["policy.toml", "--zone", "Mars"], "zone 'Mars': is not in the IANA time-zone database"),
        (["bad.toml"], "bad.toml"),
        (
            ["policy.toml", "--majors", "policy.toml"],
            "itsm: policy.toml: key 'id': is unknown; use one of criteria, procedure\n",
        ),
        (["policy.toml", "--hours", "0"], "not in the range"),
    ],
)
def test_bad_input_is_told_in_one_line_with_status_2(show, tmp_path, capsys, arguments, message):
    """File, key and remedy, as every command."""
    (tmp_path / "bad.toml").write_text(POLICY.replace("15m wall", "15m"), encoding="utf-8")
    with pytest.raises(SystemExit) as caught:
        cli.main(["preview", *arguments])
    assert caught.value.code == 2
    assert message in capsys.readouterr().err


def test_a_policy_that_does_not_cover_the_priority_tells_nobody(show, tmp_path):
    """As on a desk, which pins it to no such record; the table, the data and the picture say so."""
    covers = POLICY.replace("version = 1", 'version = 1\npriorities = ["P2", "P3"]', 1)
    (tmp_path / "covers.toml").write_text(covers, encoding="utf-8")
    asked = ("covers.toml", "--start", "2026-03-06T16:00", "--picture", "covers.svg")
    said = "major-line@1 does not cover P1: the desk tells nobody by it."
    assert show(*asked).stdout.splitlines() == ["major-line@1: P1, 2026-03-06 16:00 UTC", said]
    assert said in (tmp_path / "covers.svg").read_text(encoding="utf-8")
    told = json.loads(show(*asked, "--json").stdout)
    assert told["rows"] == []
    assert told["notes"] == [{"why": "uncovered", "step": "", "at": None, "names": []}]
    assert "不适用于 P1" in show(*asked, "--lang", "zh").stdout
    assert show(*asked, "--priority", "P2").stdout.count("\n") == 5


@pytest.mark.parametrize("option", ["", "--agreement", "--majors"])
def test_no_picture_is_drawn_over_a_file_that_is_read(show, tmp_path, option):
    """Neither over the policy nor over what stands beside it."""
    held = tmp_path / "held.toml"
    held.write_text(POLICY, encoding="utf-8")
    asked = ("policy.toml", option, "held.toml") if option else ("held.toml",)
    done = show(*asked, "--picture", "./held.toml")
    assert done.return_value == 2
    assert done.stderr == "itsm: held.toml: is read here, so no picture is drawn over it; name another file\n"
    assert held.read_text(encoding="utf-8") == POLICY


def test_a_closed_stdout_is_no_crash(show, monkeypatch):
    """Python has None there where a service is started with it closed."""
    monkeypatch.setattr("sys.stdout", None)
    assert cli._run(["preview", "policy.toml"]) == 0


@pytest.mark.parametrize(
    ("start", "zone", "shown"),
    [
        ("2026-03-29T01:30", "Europe/London", "2026-03-29 02:00 Europe/London"),  # it is skipped
        ("2026-10-25T01:30", "Europe/London", "2026-10-25 01:30 Europe/London"),  # it comes twice: the first
        ("2011-12-30T12:00", "Pacific/Apia", "2011-12-31 00:00 Pacific/Apia"),  # Samoa's missing day
        ("2026-03-29T01:30Z", "Europe/London", "2026-03-29 02:30 Europe/London"),  # says its offset
    ],
)
def test_a_start_that_the_clock_skips_is_the_end_of_the_gap(show, start, zone, shown):
    """As everywhere else in business time."""
    asked = ("policy.toml", "--start", start, "--zone", zone)
    assert show(*asked).stdout.splitlines()[0] == f"major-line@1: P1, {shown}"


def test_a_start_that_comes_twice_is_the_first(show):
    """British summer time still holds at the first 01:30."""
    asked = ("policy.toml", "--start", "2026-10-25T01:30", "--zone", "Europe/London", "--json")
    assert json.loads(show(*asked).stdout)["start"] == "2026-10-25T00:30:00+00:00"
