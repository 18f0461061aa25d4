"""Agreement files for the tests of the folder."""

from pathlib import Path

import pytest

EVERY_KEY = Path(__file__).with_name("every_key.toml")


@pytest.fixture
def every_key():
    """The path of a file in which every key stands at least once."""
    return EVERY_KEY


@pytest.fixture
def write(tmp_path):
    """`write(text)`: an agreement file."""

    def file(text):
        path = tmp_path / "agreement.toml"
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path

    return file
