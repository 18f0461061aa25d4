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
