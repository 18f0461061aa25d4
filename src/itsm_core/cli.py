"""The command line: `itsm replay`, `init-agreement`, `preview`, `demo`; `verify`, `dump`, `restore`, `copy`.

click reads the arguments and rich shows progress; both come with the extra `cli`, and without
them `main` says what to install. Exit status: 0 done, 2 bad input with a message on stderr that
names file, line and remedy (repeated and disordered rows too: the report is printed beside it), 130
interrupted.
"""

from __future__ import annotations

import contextlib
import importlib.metadata
import json
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from itsm_core.errors import ItsmError
from itsm_core.processes import PROCESSES

if TYPE_CHECKING:
    import click

    from itsm_core.importers.rows import Progress
    from itsm_core.ports import Store
    from itsm_core.replay import Replay

INSTALL = "itsm needs its extra: pip install 'itsm-core[cli]'"
PIPE_CLOSED, BAD_INPUT, INTERRUPTED = 1, 2, 130


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Runs the command of the arguments (by default the process's own) and exits."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):  # a terminal that lacks a letter shows its escape
            stream.reconfigure(errors="backslashreplace")
    try:
        sys.exit(_run(arguments))
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)
    except BrokenPipeError:
        _close_quietly()
        sys.exit(PIPE_CLOSED)


def _run(arguments: Sequence[str] | None) -> int:
    """The exit status of a command; its errors are told in one line."""
    try:
        import click  # noqa: PLC0415 - an extra
        import rich  # noqa: F401, PLC0415
    except ImportError:
        print(INSTALL, file=sys.stderr)
        return BAD_INPUT
    try:
        status: int | None = _group().main(args=arguments, prog_name="itsm", standalone_mode=False)
        if sys.stdout is not None:  # it is, where a service is started with it closed
            sys.stdout.flush()
    except BrokenPipeError:
        raise
    except click.Abort:
        return INTERRUPTED
    except click.ClickException as wrong:
        wrong.show()
        return BAD_INPUT
    except ItsmError as wrong:
        return _tell(str(wrong))
    except ImportError as wrong:
        if "pip install" not in str(wrong):
            raise
        return _tell(str(wrong))
    except OSError as wrong:
        return _tell(f"{_place(wrong)}{wrong.strerror or wrong}; check the path and its permissions")
    return status or 0


def _place(wrong: OSError) -> str:
    return f"{wrong.filename}: " if wrong.filename else ""


def _tell(message: str) -> int:
    from itsm_core.replay import shown  # noqa: PLC0415 - heavy; only once something is said

    print(f"itsm: {shown(message)}", file=sys.stderr)
    return BAD_INPUT


def _close_quietly() -> None:
    """The reader is gone: what is left to write goes nowhere, and nobody is told."""
    with contextlib.suppress(OSError, ValueError), Path(os.devnull).open("wb") as nothing:
        os.dup2(nothing.fileno(), sys.stdout.fileno())


# --- commands ---------------------------------------------------------------------------------


def _group() -> click.Group:
    import click  # noqa: PLC0415 - an extra

    return click.Group(
        "itsm", help="The rules of a service desk as plain Python.",
        commands=[_replay_command(), _init_agreement_command(), _preview_command(), _demo_command(),
                  *_custody_commands()],
        params=[click.Option(
            ["--version"], is_flag=True, is_eager=True, expose_value=False,
            callback=_show_version, help="Show the version and leave.",
        )],
    )  # fmt: skip


def _show_version(context: click.Context, _: click.Parameter, wanted: bool) -> None:
    if wanted and not context.resilient_parsing:
        print(f"itsm {_version()}")
        context.exit()


def _version() -> str:
    try:
        return importlib.metadata.version("itsm-core")
    except importlib.metadata.PackageNotFoundError:
        return "(not installed)"


def _replay_command() -> click.Command:
    import click  # noqa: PLC0415 - an extra

    file = click.Path(path_type=Path)
    return click.Command(
        "replay", callback=_replay, short_help="Replay a ticket history.",
        help="Read a ticket history (plain or .gz), replay each record, and report what fits the "
        "lifecycle and which targets were met.",
        params=[
            click.Argument(["file"], type=file),
            click.Option(["--format", "format_"], metavar="FORMAT",
                         help="servicenow-audit or csv; guessed from the header if absent."),
            click.Option(["--lifecycle"], metavar="NAME", default="incident", show_default=True,
                         help=f"One of: {', '.join(PROCESSES)}."),
            click.Option(["--map", "map_"], type=file, metavar="MAP.toml",
                         help="Names columns, states, priorities, zone and time format."),
            click.Option(["--agreement"], type=file, metavar="AGREEMENT.toml",
                         help="Targets and calendars; absent: customary ones, Mon-Fri 9 to 17."),
            click.Option(["--zone"], metavar="ZONE", help="IANA zone of times without offset."),
            click.Option(["--json", "as_json"], is_flag=True, help="Print one JSON object."),
        ],
    )  # fmt: skip


def _replay(
    file: Path, format_: str | None, lifecycle: str, map_: Path | None, agreement: Path | None,
    zone: str | None, as_json: bool,
) -> int:  # fmt: skip
    from itsm_core.config import load_agreement  # noqa: PLC0415 - heavy; not for --help
    from itsm_core.importers import FORMATS, load_map  # noqa: PLC0415
    from itsm_core.replay import replay  # noqa: PLC0415

    names = None if map_ is None else load_map(map_, FORMATS.get(format_ or ""))
    agreed = None if agreement is None else load_agreement(agreement)
    with _progress(file) as progress:
        done = replay(
            file, format=format_, lifecycle=lifecycle, map=names, agreement=agreed, zone=zone,
            progress=progress,
        )  # fmt: skip
    print(json.dumps(done.to_dict(), indent=2) if as_json else str(done))
    return _warned(done)


_WARNINGS = {
    "duplicate": (BAD_INPUT, "export the log again, each row once"),
    "out_of_order": (BAD_INPUT, "export the log again in order of time, or check --zone"),
    "opened_late": (0, "check both columns of times"),
    "unknown_state": (0, "name the word under [states] of --map MAP.toml"),
    "unknown_value": (0, "name the word in --map MAP.toml, or mend the log"),
}


def _warned(done: Replay) -> int:
    """Says on stderr where the log itself is odd, the first place of each kind; and the status.

    Repeated and disordered rows are bad input. The report is printed all the same, for what it
    says after they were left out and put in order.
    """
    from itsm_core.replay import shown  # noqa: PLC0415

    status = 0
    for code, (severity, remedy) in _WARNINGS.items():
        if code in done.findings:
            told = f"{done.first_findings[code]} ({code}, {done.findings[code]:,} in all); {remedy}"
            print(f"itsm: {shown(f'{done.source}, {told}')}", file=sys.stderr)
            status = max(status, severity)
    return status


@contextlib.contextmanager
def _progress(file: Path) -> Iterator[Progress | None]:
    """A bar on a terminal, nothing in a pipe."""
    if not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console  # noqa: PLC0415 - an extra
    from rich.markup import escape  # noqa: PLC0415
    from rich.progress import Progress as Bar  # noqa: PLC0415

    from itsm_core.replay import shown  # noqa: PLC0415

    with Bar(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(escape(shown(file.name)), total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)


def _init_agreement_command() -> click.Command:
    import click  # noqa: PLC0415 - an extra

    return click.Command(
        "init-agreement", callback=_init_agreement, short_help="Write an agreement to edit.",
        help="Write an agreement file with customary targets for P1 to P5, to edit and to agree on. "
        "Its figures are conventions of the field: ISO/IEC 20000-1 sets none.",
        params=[
            click.Argument(["path"], type=click.Path(path_type=Path), default=Path("agreement.toml")),
            click.Option(["--zone"], metavar="ZONE", default="UTC", show_default=True,
                         help="IANA zone of its calendars."),
            click.Option(["--force"], is_flag=True, help="Write over a file that is there."),
        ],
    )  # fmt: skip


def _init_agreement(path: Path, zone: str, force: bool) -> int:
    from itsm_core.config import customary_agreement  # noqa: PLC0415 - heavy; not for --help
    from itsm_core.replay import shown  # noqa: PLC0415

    text = customary_agreement(zone)
    try:
        with path.open("w" if force else "x", encoding="utf-8", newline="\n") as file:
            file.write(text)
    except FileExistsError:
        return _tell(f"{path}: is there already; name another path, or write over it with --force")
    print(shown(f"{path}: targets as customary in the field, no figure of them is the standard's"))
    print(shown(f"Edit it, agree on it, then: itsm replay LOG --agreement {path}"))
    return 0


def _preview_command() -> click.Command:
    import click  # noqa: PLC0415 - an extra

    file = click.Path(path_type=Path)
    return click.Command(
        "preview", callback=_preview, short_help="Show whom a policy tells, and when.",
        help="Read an escalation policy and show the timeline of an incident that nobody touches: who is "
        "told what, when, why, and who is skipped.",
        params=[
            click.Argument(["policy"], type=file, metavar="POLICY.toml"),
            click.Option(["--priority"], metavar="P1", default="P1", show_default=True,
                         help="The priority of the incident."),
            click.Option(["--start"], metavar="INSTANT", help="When it is opened, such as "
                         "2026-03-06T16:00; now if absent."),
            click.Option(["--zone"], metavar="ZONE", help="IANA zone of --start and of the figures."),
            click.Option(["--hours"], type=click.IntRange(1, 24 * 366), default=24, show_default=True,
                         help="How far to look ahead."),
            click.Option(["--agreement"], type=file, metavar="AGREEMENT.toml",
                         help="What was promised; customary targets if absent."),
            click.Option(["--majors"], type=file, metavar="MAJORS.toml",
                         help="It is a major incident, under the procedure of this file."),
            click.Option(["--lang"], type=click.Choice(["en", "zh"]), default="en", show_default=True),
            click.Option(["--json", "as_json"], is_flag=True, help="One JSON object instead of a table."),
            click.Option(["--picture"], type=file, metavar="FILE.svg", help="Also draw it."),
        ],
    )  # fmt: skip


def _preview(policy: Path, picture: Path | None, as_json: bool, lang: str, **options: Any) -> int:
    from itsm_core.escalation import draw  # noqa: PLC0415 - heavy; not for --help
    from itsm_core.foresight import foreseen  # noqa: PLC0415

    read = [one for one in (policy, options["agreement"], options["majors"]) if one and one.exists()]
    if picture is not None and picture.exists() and any(map(picture.samefile, read)):
        return _tell(f"{picture}: is read here, so no picture is drawn over it; name another file")
    told = foreseen(policy, lang=lang, **options)
    print(json.dumps(told.to_dict(), ensure_ascii=False, indent=2) if as_json else told.text(lang))
    if picture is not None:
        picture.write_text(str(draw(told, lang)), encoding="utf-8", newline="\n")
    return 0


def _demo_command() -> click.Command:
    import click  # noqa: PLC0415 - an extra

    file = click.Path(path_type=Path)
    return click.Command(
        "demo", callback=_demo, short_help="Play real and invented histories.",
        help="Play the histories that ship, or those of a CSV file, and write a page about them.",
        params=[
            click.Option(["--input", "input_"], type=file, metavar="FILE", help="Your own CSV."),
            click.Option(["--lang"], type=click.Choice(["en", "zh"]), default="en",
                         show_default=True, help="Language of table and page."),
            click.Option(["--db", "database"], type=file, metavar="PATH",
                         default=Path("itsm-demo.db"), show_default=True, help="SQLite file."),
            click.Option(["--page"], type=file, metavar="PATH", default=Path("itsm-demo.html"),
                         show_default=True, help="HTML page."),
        ],
    )  # fmt: skip


def _demo(**options: Any) -> None:
    from itsm_core.demo import run_demo  # noqa: PLC0415 - heavy; only here

    run_demo(input=options.pop("input_"), out=sys.stdout, **options)


def _custody_commands() -> list[click.Command]:
    import click  # noqa: PLC0415 - an extra

    store = click.Argument(["store"], metavar="STORE")
    other = click.Argument(["other"], metavar="OTHER")
    file = click.Argument(["file"], type=click.Path(path_type=Path))
    record = click.Option(["--record"], metavar="ID", help="Only this record.")
    anyway = click.Option(["--anyway"], is_flag=True, help="Also where the chain of events is broken.")
    return [
        click.Command(
            "verify", callback=_verify, params=[store, record], short_help="Check that no event was changed.",
            help="Recompute the chain of events of a STORE (a path, sqlite:/// or postgresql://) and say "
            "where it breaks.",
        ),
        click.Command(
            "dump", callback=_dump, params=[store, file, anyway], short_help="Write all events to a file.",
            help="Write all events of a STORE into a new FILE of JSON lines, personal fields included.",
        ),
        click.Command(
            "restore", callback=_restore, params=[store, file], short_help="Write a dump into a store.",
            help="Write the events of a dump into a STORE, which is made if need be; again completes it.",
        ),
        click.Command(
            "copy", callback=_copy, params=[store, other], short_help="Write a store into another.",
            help="Write all events of a STORE into an OTHER one, which is made if need be, and verify both; "
            "again completes it. Stop the desks that write the STORE.",
        ),
    ]  # fmt: skip


@contextlib.contextmanager
def _store(named: str, *, new: bool = False) -> Iterator[Store]:
    """The store of a path or URL, closed at the end; a file must be there unless it may be new."""
    from itsm_core import stores  # noqa: PLC0415 - heavy; not for --help
    from itsm_core.errors import InvalidValue  # noqa: PLC0415

    if named.startswith("memory:"):
        remedy = "name a file or a postgresql:// database"
        raise InvalidValue("store", named, "is empty, and gone with this command", remedy)
    path = named.removeprefix("sqlite:///")
    if not new and "://" not in path and not Path(path).exists():
        raise InvalidValue("store", named, "is not there", "check the path")
    with contextlib.closing(stores.open(named)) as store:
        yield store


def _verify(store: str, record: str | None) -> int:
    from itsm_core.custody import verify  # noqa: PLC0415
    from itsm_core.replay import shown  # noqa: PLC0415

    with _store(store) as held, _progress(Path(store)) as progress:
        report = verify(held, record, progress=_counting(progress))
    for line in str(report).splitlines():
        print(shown(line))
    return BAD_INPUT if report.broken else 0


def _dump(store: str, file: Path, anyway: bool) -> None:
    from itsm_core.custody import dump  # noqa: PLC0415
    from itsm_core.replay import shown  # noqa: PLC0415

    with _store(store) as held, _progress(file) as progress:
        count = dump(held, file, anyway=anyway, progress=_counting(progress))
    print(shown(f"{file}: {count:,} events; it holds all personal fields, so keep it safe"))


def _restore(store: str, file: Path) -> None:
    from itsm_core.custody import restore  # noqa: PLC0415
    from itsm_core.custody.dumps import inspected  # noqa: PLC0415
    from itsm_core.replay import shown  # noqa: PLC0415

    inspected(file)  # before a store is made for it
    with _store(store, new=True) as held, _progress(file) as progress:
        done = restore(held, file, progress=_counting(progress))
    print(shown(f"{file}: {done}; set the timers anew by ServiceDesk.rearm"))


def _copy(store: str, other: str) -> None:
    from itsm_core.custody import copy  # noqa: PLC0415
    from itsm_core.replay import shown  # noqa: PLC0415

    with _store(store) as held, _store(other, new=True) as target, _progress(Path(other)) as progress:
        report = copy(held, target, progress=_counting(progress))
    print(shown(f"{other}: {report}; set the timers anew by ServiceDesk.rearm"))


def _counting(progress: Progress | None) -> Callable[[int], None] | None:
    """Progress towards an end that is not known."""
    return None if progress is None else lambda done: progress(done, None)
