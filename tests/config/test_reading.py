"""Places and bounds: what a refusal names, and what is refused before it is read."""

import pytest

from itsm_core.config.reading import MOST_BYTES, Place, read_file
from itsm_core.errors import InvalidInput


def test_a_place_is_the_path_of_its_key():
    """Tables by dots, rows of a list by number and id."""
    place = Place("a.toml").at("targets").row(2, "p1").at("duration")
    assert (place.file, place.key) == ("a.toml", "targets[2] (p1).duration")
    assert Place("").at("x").row(1, 5).key == "x[1]"


def test_a_long_name_is_cut_in_messages():
    """What is shown stays short, whatever the file holds."""
    assert len(Place("").at("n" * 1000).row(1, "i" * 1000).key) < 150


def test_a_refusal_is_told_once():
    """An error that has its place already keeps it."""
    inner = Place("a.toml", "inner").refusal(1, "is wrong", "mend it")

    def refuse():
        raise inner

    with pytest.raises(InvalidInput) as caught:
        Place("a.toml", "outer").made(refuse)
    assert caught.value is inner


def test_no_more_of_a_file_is_read_than_is_taken(tmp_path):
    """A huge file costs no memory."""
    path = tmp_path / "huge.toml"
    with path.open("wb") as file:
        file.truncate(50 * MOST_BYTES)
    with pytest.raises(InvalidInput, match="is longer than 1000000 bytes") as caught:
        read_file(path)
    assert caught.value.file == str(path)
