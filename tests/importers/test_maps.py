"""Maps in TOML: read, completed, refused by file and key."""

import pytest

from itsm_core.errors import InvalidInput, InvalidValue
from itsm_core.importers import SERVICENOW_AUDIT, Map, load_map
from itsm_core.lifecycle import Mapped
from itsm_core.processes import INCIDENT

GOOD = '[columns]\ncase = "c"\nstate = "s"\nat = "t"\n'


@pytest.fixture
def write(tmp_path):
    """`write(text)`: a map file."""

    def file(text):
        path = tmp_path / "map.toml"
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path

    return file


def test_a_map_is_what_its_file_says(map_file):
    """Columns, joined ones too, states, priorities and zone."""
    found = load_map(map_file)
    assert dict(found.columns)["state"] == ("status", "sub")
    assert dict(found.columns)["case"] == ("ticket",)
    assert found.zone == "Europe/Berlin"
    assert found.time_format is None
    assert found.state_map(INCIDENT).read("Hold/Vendor") == Mapped("on_hold", "supplier")
    assert dict(found.priority) == {"urgent": "P1", "usual": "P3"}
    assert found.system == "map"
    assert hash(found) == hash(load_map(map_file))


def test_a_map_may_complete_that_of_a_format(write):
    """What the file leaves out is the format's own."""
    found = load_map(write('zone = "America/Sao_Paulo"\n'), SERVICENOW_AUDIT)
    assert (found.columns, found.states) == (SERVICENOW_AUDIT.columns, SERVICENOW_AUDIT.states)
    assert found.zone == "America/Sao_Paulo"


def test_the_shipped_map_fits_the_shipped_lifecycle():
    """Every state it names exists, and only holds have reasons."""
    assert SERVICENOW_AUDIT.state_map(INCIDENT).checked(INCIDENT)


# fmt: off
BAD = {
    "no-toml":        ("x = = 1", 1, "is no TOML"),
    "no-toml-line-3": ('zone = "UTC"\n[columns]\ncase = \n', 3, "is no TOML"),
    "no-utf-8":       (b'zone = "\xff"', 1, "is no TOML"),
    "nested":         ("zone = " + "[" * 5000, None, "map .*is nested too deep"),
    "digits":         ("zone = " + "9" * 5000, 1, "is no TOML"),
    "hexadecimal":    ("zone = 0x" + "f" * 5000 + "\n" + GOOD, None, "zone a int too long to show: is no text"),
    "format-twice":   ('time_format = "%Y %Y"\n' + GOOD, None, "time_format '%Y %Y': cannot be read"),
    "no-columns":     ('zone = "UTC"', None, r"map \['zone'\]: has no \[columns\]; .* or name the format"),
    "few-columns":    ('[columns]\ncase = "c"', None, "lack state, at"),
    "unknown-key":    ("[colums]\n", None, r"key 'colums': is unknown; use columns"),
    "unknown-column": ('[columns]\ncases = "c"', None, r"key \[columns\] 'cases': is unknown"),
    "columns-list":   ("columns = [1]", None, r"\[columns\] \[1\]: is no table"),
    "column-number":  ("[columns]\ncase = 1", None, r"columns.case 1: names no column"),
    "column-nothing": ("[columns]\ncase = []", None, r"columns.case \[\]: names no column"),
    "states-number":  (GOOD + '[states]\n"New" = 1', None, r"\[states\] .*is no table of texts"),
    "states-list":    ("states = [1]\n" + GOOD, None, r"\[states\] .*is no table of texts"),
    "priority":       (GOOD + '[priority]\n"High" = "P9"', None, 'priority."High" \'P9\': is no priority'),
    "zone":           ('zone = "Mars"\n' + GOOD, None, "zone 'Mars': is not in"),
    "zone-number":    ("zone = 1\n" + GOOD, None, "zone 1: is no text"),
    "format-number":  ("time_format = 1\n" + GOOD, None, "time_format 1: is no text"),
}
# fmt: on


@pytest.mark.parametrize(("text", "line", "said"), BAD.values(), ids=BAD)
def test_a_bad_map_is_refused_with_file_key_and_remedy(write, text, line, said):
    """Everything that can be wrong in the file is said in terms of the file."""
    path = write(text)
    with pytest.raises(InvalidInput, match=said) as caught:
        load_map(path)
    assert caught.value.file == str(path)
    assert caught.value.line == line
    assert caught.value.remedy


def test_a_map_in_python_needs_its_columns_too():
    """The three that no log can do without."""
    with pytest.raises(InvalidValue, match="lack state, at"):
        Map(columns={"case": "c"})


COLUMNS = {"case": "c", "state": "s", "at": "t"}


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"columns": 5}, "^columns 5: are no mapping"),
        ({"columns": {**COLUMNS, "by": 5}}, "^column of by 5: is no word"),
        ({"columns": {**COLUMNS, "assigne": "x"}}, r"^columns \['assigne'\]: are none .*use .*assignee"),
        ({"states": 5}, "^words 5: are no mapping"),
        ({"states": {"Open": 5}}, "^meaning of 'Open' 5: is no text"),
        ({"priority": {"urgent": "huge"}}, "^priority 'huge': is no priority"),
        ({"zone": "Mars"}, "is not in the IANA time-zone database"),
        ({"time_format": 5}, "^time_format 5: is no text"),
        ({"missing": "?"}, "^missing '\\?': is no set of words"),
    ],
)
def test_a_map_made_in_python_is_checked_as_a_file_is(wrong, message):
    """The error names the thing, the reason and the remedy."""
    with pytest.raises(InvalidValue, match=message):
        Map(**{"columns": COLUMNS, **wrong})


def test_a_state_that_the_lifecycle_lacks_is_refused_with_those_it_has():
    """Whoever asks a map for its states gets them checked."""
    with pytest.raises(InvalidValue, match=r"^state of 'Open' 'nwe': is no state of incident 1; use .*'new'"):
        Map(COLUMNS, {"Open": "nwe"}).state_map(INCIDENT)


@pytest.mark.parametrize("word", ["bogus", "new/supplier", "on_hold/weather"])
def test_a_wrong_state_is_refused_with_the_file_that_names_it(write, word):
    """Which states there are is known with the lifecycle; the file is named all the same."""
    path = write(GOOD + f'[states]\n"New" = "{word}"\n')
    found = load_map(path)
    with pytest.raises(InvalidInput, match=r"\[states\]") as caught:
        found.state_map(INCIDENT)
    assert caught.value.file == str(path)
    assert caught.value.remedy
    assert found == load_map(path)
