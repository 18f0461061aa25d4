"""`itsm` at the command line: what it prints, where, and with which exit status."""

import gzip
import importlib.metadata
import io
import json
import os
import subprocess
import sys
from types import SimpleNamespace

import pytest

from itsm_core import cli

LOG = "servicenow_incident_log_sample.csv.gz"
HEADER = (
    "number,incident_state,reopen_count,caller_id,opened_by,opened_at,sys_updated_by,sys_updated_at,"
    "contact_type,category,impact,urgency,priority,assignment_group,assigned_to"
)


def line(number="INC1", state="New", at="29/2/2016 08:00", opened="29/2/2016 07:00", priority="3 - Moderate"):
    return (
        f"{number},{state},0,Caller 1,Opened by 2,{opened},Updated by 3,{at},"
        f"Phone,?,2 - Medium,2 - Medium,{priority},Group 1,?"
    )


def log(*lines):
    return "\n".join((HEADER, *lines, ""))


@pytest.fixture
def itsm(capsys):
    """`itsm(*arguments)`: exit status, standard output and standard error of the command."""

    def run(*arguments):
        with pytest.raises(SystemExit) as caught:
            cli.main([str(argument) for argument in arguments])
        told = capsys.readouterr()
        return SimpleNamespace(status=caught.value.code, out=told.out, err=told.err)

    return run


@pytest.fixture
def write(tmp_path):
    """`write(content, name="log.csv")`: a file with this text or these bytes."""

    def file(content, name="log.csv"):
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return file


def _process(*arguments, **options):
    """The command in a process of its own, its standard streams pipes."""
    command = [sys.executable, "-c", "from itsm_core.cli import main; main()", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False, **options)


# --- replay ----------------------------------------------------------------------------------


def test_the_real_log_is_replayed(shared_data):
    """The pinned figures, as one JSON object on standard output and nothing on standard error."""
    done = _process("replay", shared_data / LOG, "--format", "servicenow-audit", "--json")
    assert (done.returncode, done.stderr) == (0, "")
    found = json.loads(done.stdout)
    assert (found["records"], found["events"], found["fitting"]) == (997, 5758, 994)
    assert found["moves_outside"] == [{"from": "closed", "to": "in_progress", "count": 3}]
    assert (found["zone"], found["hold_without_reason"]) == ("assumed UTC", 0)
    assert (found["reopen_count_total"], found["reopen_count_differs"]) == (16, 0)
    for told in found["targets"].values():
        assert told.keys() == {"met", "breached", "running", "void", "unknown"}


def test_a_copy_with_words_that_are_no_states_is_told_so(itsm, write):
    """`-100` is counted in the report, and standard error names file, line and remedy."""
    path = write(log(line(), line(state="-100", at="29/2/2016 09:00")))
    done = itsm("replay", path)
    assert done.status == 0
    assert "'-100': 1 rows" in done.out
    assert f"itsm: {path}, line 3, record INC1: '-100' is no state" in done.err
    assert "[states] of --map" in done.err


def test_duplicated_and_disordered_rows_are_status_2_beside_the_report(itsm, write):
    """The rows are counted and put right; file, line and remedy stand on standard error."""
    late = line(state="Active", at="29/2/2016 07:30")
    path = write(log(line(), line(state="Active"), line(state="Active"), late))
    done = itsm("replay", path, "--json")
    found = json.loads(done.out)
    assert (done.status, found["duplicate_rows"], found["disordered_rows"]) == (2, 1, 1)
    first, second = done.err.splitlines()
    assert first.startswith(f"itsm: {path}, line 4, record INC1: the same row again; left out (duplicate, 1 ")
    assert second.startswith(f"itsm: {path}, line 5, record INC1: 2016-02-29T07:30:00+00:00 lies before ")
    assert first.endswith("; export the log again, each row once")
    assert second.endswith("; export the log again in order of time, or check --zone")


def test_options_reach_the_replay(itsm, write, tmp_path):
    """Map, agreement, zone and lifecycle, for a CSV of one's own."""
    columns, states = 'case = "id"\nstate = "s"\nat = "t"', '"open" = "new"\n"ok" = "resolved"'
    names = write(f"[columns]\n{columns}\n[states]\n{states}\n", "map.toml")
    agreement = write(
        'id = "desk"\nversion = 2\n[calendars.desk]\nzone = "Asia/Shanghai"\nhours = "always"\n'
        '[[targets]]\nid = "fix"\nmetric = "resolution"\nduration = "1h"\n',
        "agreement.toml",
    )
    path = write(gzip.compress(b"id,s,t\n7,open,2024-02-05 09:00\n7,ok,2024-02-05 11:00\n"), "log.csv.gz")
    done = itsm(
        "replay", path, "--format", "csv", "--map", names, "--agreement", agreement,
        "--zone", "Asia/Shanghai", "--lifecycle", "incident", "--json",
    )  # fmt: skip
    found = json.loads(done.out)
    assert (found["zone"], found["agreement"]) == ("Asia/Shanghai", "desk@2")
    assert found["lifecycle"] == "incident 1"
    assert found["until"] == "2024-02-05T03:00:00+00:00"
    assert found["targets"]["fix"]["breached"] == 1


def test_a_map_completes_the_format(itsm, write):
    """A map with a zone alone leaves the columns and states of the ServiceNow log as they are."""
    path, names = write(log(line())), write('zone = "Europe/Lisbon"\n', "map.toml")
    done = itsm("replay", path, "--format", "servicenow-audit", "--map", names, "--json")
    assert json.loads(done.out)["zone"] == "Europe/Lisbon"


# fmt: off
BAD = {
    "missing-columns": (log(line()).replace("incident_state,", "state,").encode(), "line 1", "export the log"),
    "bad-date":        (log(line(), line(at="31/2/2016 08:00")), "line 3", "write it as %d/%m/%Y %H:%M"),
    "bad-opening":     (log(line(opened="soon")), "line 2", "write it as"),
    "short-row":       (log(line(), "INC1,New"), "line 3", "quote cells"),
    "rubbish":         (bytes(range(255, 0, -1)) * 50, "line 1", "export the log again as CSV"),
    "nul":             (log(line()).replace("Caller", "\0"), "line 2", "export the log again as CSV"),
    "latin-1":         (log(line(), line().replace("Caller", "Müller")).encode("latin-1"), "line 3", "encoded as UTF-8"),
    "utf-16":          (log(line()).encode("utf-16"), "line 1", "encoded as UTF-8"),
    "empty":           (b"", "line 1", "with a header"),
    "header-only":     (HEADER + "\n", "line 2", "with its rows"),
    "cut-gzip":        (gzip.compress(log(*[line()] * 999).encode())[:-9], "line", "copy it again"),
    "open-quote":      (log(line(), '"INC2,New'), "line 3", "export the log again"),
    "year-one":        (log(line(at="1/1/1 00:00")), "line 2", "check its dates, and leave an unknown instant empty"),
    "far-year":        (log(line(at="31/12/9999 23:59")), "line 2", "check its dates, and leave an unknown instant empty"),
    "huge-year":       (log(line(at="1/1/99999999999999999999 00:00")), "line 2", "write it as %d/%m/%Y %H:%M"),
    "before-time":     (log(line(at="29/2/1500 08:00", opened="29/2/1500 08:00")), "line 2", "is no instant|check its dates"),
}
# fmt: on


@pytest.mark.parametrize(("content", "place", "remedy"), BAD.values(), ids=BAD)
def test_bad_input_is_status_2_with_file_line_and_remedy(itsm, write, content, place, remedy):
    """Nothing on standard output, one line on standard error, no traceback."""
    path = write(content)
    done = itsm("replay", path, "--format", "servicenow-audit", "--json")
    assert (done.status, done.out) == (2, "")
    assert done.err.startswith(f"itsm: {path}, {place}")
    assert any(word in done.err for word in remedy.split("|"))
    assert done.err.count("\n") == 1


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("nowhere.csv",), "nowhere.csv: No such file or directory; check the path"),
        ((".",), ".: Is a directory; check the path"),
        (("log.xes",), "format 'xes': is not read; use one of servicenow-audit, csv"),
        (("log.csv", "--format", "xml"), "format 'xml': is not read; use one of servicenow-audit, csv"),
        (("log.csv", "--format", "csv"), "needs a map"),
        (("log.csv", "--lifecycle", "wish"), "lifecycle 'wish': is not shipped; use incident"),
        (("log.csv", "--zone", "Mars"), "zone 'Mars': is not in the IANA"),
        (("log.csv", "--map", "log.csv"), "log.csv, line 1: map"),
        (("log.csv", "--agreement", "log.csv"), "log.csv, line 1: agreement"),
        (("other.csv",), "other.csv, line 1: header 'a,b': is that of no known format; say --format"),
        (("log.csv", "--fast"), "No such option"),
        ((), "Missing argument 'FILE'"),
    ],
)
def test_bad_arguments_are_status_2_with_the_choices(itsm, write, monkeypatch, arguments, said):
    """Whatever is wrong is said in one message, without a traceback."""
    monkeypatch.chdir(write(log(line())).parent)
    write("a,b\n1,2\n", "other.csv")
    done = itsm("replay", *arguments)
    assert (done.status, done.out) == (2, "")
    assert said in done.err
    assert "Traceback" not in done.err


def test_hostile_text_is_shown_escaped(itsm, write):
    """Control characters and markup of a log reach the terminal as letters."""
    evil = "\x1b[2J[bold]\u202e"
    path = write(log(line(), line(state=evil)))
    done = itsm("replay", path)
    assert "\x1b" not in done.out + done.err
    assert r"\x1b[2J[bold]\u202e" in done.out
    done = itsm("replay", write(log(line(at=evil))))
    assert (done.status, "\x1b" in done.err) == (2, False)


# --- streams ---------------------------------------------------------------------------------


class _Terminal(io.StringIO):
    def isatty(self):
        return True


def test_progress_is_shown_on_a_terminal_and_never_in_a_pipe(write, monkeypatch, itsm):
    """The bar goes to standard error, if that is a terminal; a file name with markup is a name."""
    path = write(log(line(), line(state="Active")), "[bold]log[.csv")
    done = itsm("replay", path)
    assert (done.status, done.err) == (0, "")
    terminal = _Terminal()
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "120")
    with monkeypatch.context() as patch:
        patch.setattr(sys, "stderr", terminal)
        assert itsm("replay", path).status == 0
    assert "[bold]log[.csv" in terminal.getvalue()


def test_a_pipe_that_closes_is_quiet(write):
    """`itsm replay ... | head` ends without a traceback."""
    path = write(log(line()))
    reading, writing = os.pipe()
    os.close(reading)
    command = [sys.executable, "-c", "from itsm_core.cli import main; main()", "replay", path]
    done = subprocess.run(command, stdout=writing, stderr=subprocess.PIPE, check=False)
    os.close(writing)
    assert (done.returncode, done.stderr) == (cli.PIPE_CLOSED, b"")


def test_what_is_left_for_a_closed_pipe_goes_nowhere(itsm, write, monkeypatch, tmp_path):
    """Also what the interpreter flushes on its way out."""

    def closed(*_, **__):
        raise BrokenPipeError

    monkeypatch.setattr("itsm_core.replay.replay", closed)
    with (tmp_path / "out").open("w") as stream, monkeypatch.context() as patch:
        patch.setattr(sys, "stdout", stream)
        assert itsm("replay", "x").status == cli.PIPE_CLOSED
        stream.write("left")
    assert not (tmp_path / "out").read_text()


def test_an_interrupt_is_status_130(itsm, monkeypatch):
    """Ctrl-C ends quietly, in a command and around it."""

    def interrupt(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr("itsm_core.replay.replay", interrupt)
    done = itsm("replay", "x")
    assert (done.status, done.out, done.err.strip()) == (cli.INTERRUPTED, "", "")
    monkeypatch.setattr(cli, "_run", interrupt)
    assert itsm().status == cli.INTERRUPTED


def test_a_letter_that_the_terminal_lacks_is_shown_escaped(write):
    """An ASCII terminal shows every log."""
    path = write(log(line(), line(state="等待")))
    environment = {**os.environ, "PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"}
    done = _process("replay", path, env=environment)
    assert done.returncode == 0
    assert r"\u7b49\u5f85" in done.stdout


def test_streams_that_are_no_files_will_do(monkeypatch):
    """A host may have put anything in place of standard output."""
    monkeypatch.setattr(sys, "stdout", SimpleNamespace(write=len, flush=lambda: None))
    with pytest.raises(SystemExit) as caught:
        cli.main(["--version"])
    assert caught.value.code == 0


# --- the command itself ----------------------------------------------------------------------


@pytest.mark.parametrize("arguments", [["--help"], ["replay", "--help"], ["demo", "--help"]])
def test_help_is_given(itsm, arguments):
    """Each command says what it takes."""
    done = itsm(*arguments)
    assert done.status == 0
    assert "Usage: itsm" in done.out


def test_the_version_is_that_of_the_distribution(itsm, monkeypatch):
    """And a checkout that is not installed says so."""
    monkeypatch.setattr(importlib.metadata, "version", {"itsm-core": "1.2.3"}.__getitem__)
    assert itsm("--version").out == "itsm 1.2.3\n"

    def missing(name):
        raise importlib.metadata.PackageNotFoundError(name)

    monkeypatch.setattr(importlib.metadata, "version", missing)
    assert itsm("--version").out == "itsm (not installed)\n"


@pytest.mark.parametrize("missing", ["click", "rich"])
def test_without_its_extra_it_says_what_to_install(itsm, monkeypatch, missing):
    """A plain installation has the library and no command line."""
    monkeypatch.setitem(sys.modules, missing, None)
    done = itsm("--version")
    assert (done.status, done.out) == (2, "")
    assert done.err == "itsm needs its extra: pip install 'itsm-core[cli]'\n"


def test_the_demo_gets_its_options(itsm, monkeypatch, tmp_path):
    """Input, language, database and page; by default the files that ship, in English."""
    from itsm_core import demo

    seen = []
    monkeypatch.setattr(demo, "run_demo", lambda **options: seen.append(options), raising=False)
    assert itsm("demo").status == 0
    one, two, page = (tmp_path / name for name in ("in.csv", "demo.db", "page.html"))
    assert itsm("demo", "--input", one, "--lang", "zh", "--db", two, "--page", page).status == 0
    for options in seen:
        assert options.pop("out")
    assert [str(seen[0][name]) for name in ("input", "lang", "database", "page")] == [
        "None", "en", "itsm-demo.db", "itsm-demo.html",
    ]  # fmt: skip
    assert seen[1] == {"input": one, "lang": "zh", "database": two, "page": page}
    assert itsm("demo", "--lang", "xx").status == 2
