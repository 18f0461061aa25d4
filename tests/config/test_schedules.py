"""Schedules of who is on call, as TOML."""

import datetime as dt

import pytest

from itsm_core.config import load_schedules, schedules_from_toml
from itsm_core.config.schedules import MOST_SCHEDULES
from itsm_core.errors import InvalidInput, InvalidValue
from itsm_core.oncall import DutyWindow, Layer, Override, Rotation, Schedule

FILE = """
[schedules.network]
mode = "highest"

[[schedules.network.layers]]
name = "weeks"
rotation = { kind = "weekly", start = 2026-01-05T09:00:00, zone = "Asia/Shanghai", participants = ["ana", "ben"] }

[[schedules.network.layers]]
name = "nights"
level = 1
people = ["cy"]
windows = [{ start = "20:00", end = "08:00", days = "mon-fri", zone = "Asia/Shanghai" }]

[[schedules.network.overrides]]
start = 2026-02-02T08:00:00+08:00
end = "2026-02-03T08:00:00+08:00"
add = "dee"
remove = "ana"

[schedules.mail]
layers = [{ name = "all", people = "eve" }]
"""
ZONE = "Asia/Shanghai"


def test_a_file_names_schedules(write):
    """Local times and instants, as TOML has them or as text, make the schedules that Python would."""
    day = dt.datetime(2026, 2, 2, tzinfo=dt.UTC)
    weeks = Rotation("weekly", dt.datetime(2026, 1, 5, 9), zone=ZONE, participants=("ana", "ben"))
    nights = DutyWindow("20:00", "08:00", "mon-fri", ZONE)
    network = Schedule(
        "network",
        [Layer("weeks", weeks), Layer("nights", "cy", level=1, windows=nights)],
        overrides=[Override(day, day + dt.timedelta(days=1), add="dee", remove="ana")],
    )
    found = load_schedules(write(FILE))
    assert found == {"network": network, "mail": Schedule("mail", [Layer("all", "eve")])}
    assert schedules_from_toml(FILE) == found


BAD = [
    ("", "add schedules"),
    ("schedules = 3", "is no table"),
    ("rotas = {}", "unknown"),
    ("[schedules]\nnetwork = 3", "schedules.network"),
    ("[schedules.network]\nlayers = [{ name = 'a' }]", r"schedules.network: layers\[1\]: layer"),
    (
        FILE.replace("2026-02-02T08:00:00+08:00", "2026-02-02T08:00:00"),
        r"overrides\[1\]: start .* has no zone",
    ),
    (FILE.replace("2026-01-05T09:00:00", "2026-01-05T09:00:00Z"), "without a zone"),
    (
        FILE.replace('"2026-02-03T08:00:00+08:00"', '"9999-12-31T23:59:59Z"'),
        r"schedules\.network 'end 9999-.*check the year",
    ),
    (
        FILE.replace('"ben"] }', '"ben"], valid_until = 9999-12-31T23:59:59Z }'),
        r"schedules\.network 'valid_until 9999-.*check the year",
    ),
    (FILE.replace('"20:00"', '"8 pm"'), r"windows\[1\]: time '8 pm'"),
    (
        "[schedules]\n" + "\n".join(f"s{n} = 1" for n in range(MOST_SCHEDULES + 1)),
        f"more than {MOST_SCHEDULES}",
    ),
]


@pytest.mark.parametrize(("text", "said"), BAD, ids=range(len(BAD)))
def test_what_is_wrong_is_refused_with_file_and_key(write, text, said):
    """The refusal names the file, the key and the remedy."""
    path = write(text)
    with pytest.raises(InvalidInput, match=said) as refused:
        load_schedules(path)
    assert refused.value.file == str(path)


@pytest.mark.parametrize(
    ("was", "now", "remedy"),
    [
        ("T09:00:00,", "T09:00:00Z,", "write the time on the wall, without a zone: 2026-01-05T09:00:00; the zone is `zone`"),
        ("08:00:00+08:00\n", "08:00:00\n", "write its offset, too: 2026-02-02T08:00:00+08:00"),
        ('["ana", "ben"]', "[]",
         'write participants = ["ana", "ben"]; several who are on call together are a list in it'),
        ('"mon-fri"', '"mon-fry"', 'write days = "mon-fri" or days = ["sat", "sun"]'),
        ("zone =", "duration = 5, zone =", 'write duration = "12h": hours on the wall clock'),
        ("level = 1", 'level = "1"', "write level = 1; the highest wins"),
        ('add = "dee"\nremove = "ana"', "", 'say add = "cy", remove = "ana", or both: cy in place of ana'),
    ],
)  # fmt: skip
def test_a_remedy_is_told_in_the_words_of_the_file(was, now, remedy):
    """Whoever writes TOML does not write Python."""
    with pytest.raises(InvalidInput) as refused:
        schedules_from_toml(FILE.replace(was, now, 1))
    assert refused.value.remedy == remedy


def test_a_text_is_not_a_path():
    """What is no text is refused with the function that takes a path."""
    with pytest.raises(InvalidValue, match="load_schedules"):
        schedules_from_toml(None)
