"""`itsm init-agreement`: the file it writes, and what it never writes over."""

import json

import pytest
from click.testing import CliRunner

from itsm_core import cli
from itsm_core.config import customary_agreement, load_agreement

LOG = "servicenow_incident_log_sample.csv.gz"


@pytest.fixture
def runner(tmp_path, monkeypatch):
    """click's runner, in a folder of its own."""
    monkeypatch.chdir(tmp_path)
    return CliRunner()


def run(runner, *arguments):
    return runner.invoke(cli._group(), [str(one) for one in arguments], standalone_mode=False)


def test_an_agreement_is_written_to_be_edited(runner, tmp_path):
    """Under the name asked for, or agreement.toml; the output says whose figures they are and what is next."""
    done = run(runner, "init-agreement")
    assert done.return_value == 0
    assert "no figure of them is the standard's" in done.stdout
    assert "itsm replay LOG --agreement agreement.toml" in done.stdout
    assert (tmp_path / "agreement.toml").read_bytes() == customary_agreement().encode()
    run(runner, "init-agreement", "ours.toml", "--zone", "Asia/Shanghai")
    assert load_agreement("ours.toml").targets[0].calendar.zone.key == "Asia/Shanghai"


def test_a_file_that_is_there_is_kept_unless_forced(runner, tmp_path):
    """Nobody's edits are lost to a command repeated."""
    path = tmp_path / "agreement.toml"
    path.write_text("mine", encoding="utf-8")
    done = run(runner, "init-agreement")
    assert done.return_value == 2
    assert done.stderr == (
        "itsm: agreement.toml: is there already; name another path, or write over it with --force\n"
    )
    assert path.read_text(encoding="utf-8") == "mine"
    assert run(runner, "init-agreement", "--force").return_value == 0
    assert load_agreement(path).label == "default@1"


def test_a_zone_that_nobody_knows_writes_nothing(runner, tmp_path, capsys):
    """Also with --force: what is there stays as it is."""
    path = tmp_path / "agreement.toml"
    path.write_text("mine", encoding="utf-8")
    with pytest.raises(SystemExit) as caught:
        cli.main(["init-agreement", "--force", "--zone", "Mars"])
    assert caught.value.code == 2
    assert "zone 'Mars': is not in the IANA time-zone database" in capsys.readouterr().err
    assert path.read_text(encoding="utf-8") == "mine"


@pytest.mark.parametrize("path", ["missing/agreement.toml", "."])
def test_a_path_that_cannot_be_written_is_told(runner, path, capsys):
    """In one line, with the path."""
    with pytest.raises(SystemExit) as caught:
        cli.main(["init-agreement", "--force", path])
    assert caught.value.code == 2
    told = capsys.readouterr().err
    assert told.startswith(f"itsm: {path}: ")
    assert told.count("\n") == 1


def test_the_real_log_is_replayed_under_the_agreement(runner, shared_data):
    """The written file works as it is: every target of it is judged, and every record once for each."""
    run(runner, "init-agreement")
    done = run(runner, "replay", shared_data / LOG, "--agreement", "agreement.toml", "--json")
    assert done.return_value == 0
    found = json.loads(done.stdout)
    assert found["records"] == 997
    assert set(found["targets"]) == {target.id for target in load_agreement("agreement.toml").targets}
    for metric in ("response", "resolution"):
        told = [row for name, row in found["targets"].items() if name.endswith(metric)]
        assert sum(sum(row.values()) for row in told) >= 997
