"""Draws the pictures of docs/assets/ with the library itself.

python scripts/pictures.py            # write
python scripts/pictures.py --check    # say what is out of step, status 1 if anything
"""

import datetime as dt
import sys
from pathlib import Path

from itsm_core import default_agreement, history_from_changes
from itsm_core.business_time import BusinessCalendar, hours
from itsm_core.config import policy_from_toml
from itsm_core.escalation import draw, foresee
from itsm_core.events import Event
from itsm_core.processes import PROCESSES
from itsm_core.sla import Agreement, Target, evaluate, judge

ROOT = Path(__file__).resolve().parent.parent
ASSETS = ROOT / "docs" / "assets"


def pictures() -> dict[Path, str]:
    """Every drawn file with its text."""
    night = BusinessCalendar.weekly(
        "daily 22:00-06:00", zone="Europe/London", name="Open from 22:00 to 06:00"
    )
    return {
        ASSETS / "clocks-back.svg": str(night.draw("2026-10-24", days=3)),
        ASSETS / "clocks-forward.svg": str(night.draw("2026-03-28", days=3)),
        **{ASSETS / f"lifecycle-{one.id}.svg": str(one.draw()) for one in PROCESSES.values()},
        **{ASSETS / f"clock-{name}.svg": text for name, text in clocks().items()},
        ASSETS / "escalation-line.svg": escalation(),
    }


def escalation() -> str:
    """The picture of docs/how-to/write-an-escalation-policy.md, of the file that it shows."""
    page = ROOT / "docs" / "how-to" / "write-an-escalation-policy.md"
    text = page.read_text(encoding="utf-8").partition("```toml\n")[2].partition("```")[0]
    policy = policy_from_toml(text)
    agreement = default_agreement(BusinessCalendar.always("Europe/London"))
    start = _at("2026-03-06T16:00")
    return str(draw(foresee(policy, agreement, {"priority": "P1"}, start, dt.timedelta(hours=8))))


def clocks() -> dict[str, str]:
    """The pictures of docs/explanation/clocks.md."""
    desk = BusinessCalendar.weekly("mon-fri 09:00-17:30", zone="Europe/London", name="desk")
    nights = BusinessCalendar.weekly("daily 22:00-06:00", zone="Europe/London", name="nights")
    around = BusinessCalendar.always("UTC")
    worked = moved(
        "2026-03-06T16:30 new in_progress", "2026-03-09T09:00 in_progress on_hold/requester",
        "2026-03-09T12:00 on_hold/requester in_progress", "2026-03-09T15:00 in_progress resolved",
        "2026-03-10T10:00 resolved in_progress", "2026-03-10T11:00 in_progress resolved",
    )  # fmt: skip
    night = moved("2026-10-24T21:00 new in_progress", "2026-10-25T05:30 in_progress resolved")
    late = moved(
        "2026-03-02T08:00 new in_progress", "2026-03-02T12:30 in_progress on_hold/requester",
        "2026-03-02T15:00 on_hold/requester in_progress", "2026-03-02T16:00 in_progress resolved",
    )  # fmt: skip
    return {
        "segments": drawn(worked, Target("answer-in-a-day", "resolution", duration=hours(8), calendar=desk,
                                         pauses_on="requester"), "2026-03-10T11:00"),
        "night": drawn(night, Target("by-morning", "resolution", duration=hours(8), calendar=nights),
                       "2026-10-25T05:30"),
        "late-pause": drawn(late, Target("fix", "resolution", duration=hours(4), calendar=around,
                                         pauses_on="requester"), "2026-03-02T16:00"),
        **reopened(around),
        **raised(around),
    }  # fmt: skip


def reopened(around: BusinessCalendar) -> dict[str, str]:
    """Resolved from nine to eleven, and asked about at noon, in three modes."""
    events = moved(
        "2026-03-02T08:00 new in_progress", "2026-03-02T09:00 in_progress resolved",
        "2026-03-02T11:00 resolved in_progress",
    )  # fmt: skip
    return {
        f"reopen-{mode}": drawn(
            events,
            Target(mode, "resolution", duration=hours(8), calendar=around, reopen=mode),
            "2026-03-02T12:00",
        )
        for mode in ("continue", "include_closed", "new_cycle")
    }


def raised(around: BusinessCalendar) -> dict[str, str]:
    """From P3 to P1 half an hour before the desk opens, and asked about at noon, in three modes."""
    desk = BusinessCalendar.weekly("mon-fri 09:00-17:00", zone="UTC", name="desk")
    events = history_from_changes(
        [
            ("2026-03-02T08:00Z", "state", "new", "in_progress", "ana"),
            ("2026-03-02T08:30Z", "priority", "P3", "P1", "ana"),
        ],
        record="INC-2",
    )
    found = {}
    for mode in ("retroactive", "carry", "restart"):
        slow = Target("slow", "resolution", duration=hours(8), calendar=desk, priorities="P3")
        fast = Target(
            mode, "resolution", duration=hours(4), calendar=around, priorities="P1", on_retarget=mode
        )
        clock = judge(events, Agreement("a", 1, targets=[slow, fast]), _at("2026-03-02T12:00"))["resolution"]
        found[f"retarget-{mode}"] = str(clock.explain().draw())
    return found


def moved(*moves: str) -> tuple[Event, ...]:
    """A history of moves from state to state, each as "instant in UTC, old state, new state"."""
    rows = [(f"{at}Z", "state", old, new, "ana") for at, old, new in map(str.split, moves)]
    return history_from_changes(rows, record="INC-1")


def drawn(events: tuple[Event, ...], target: Target, at: str) -> str:
    """The picture of the clock at an instant in UTC."""
    return str(evaluate(events, target, _at(at)).explain().draw())


def _at(text: str) -> dt.datetime:
    return dt.datetime.fromisoformat(text).replace(tzinfo=dt.UTC)


def out_of_step() -> list[str]:
    """What the script would change, as paths relative to the repository."""
    wanted = pictures().items()
    stale = [path for path, text in wanted if not path.exists() or path.read_text(encoding="utf-8") != text]
    return [path.relative_to(ROOT).as_posix() for path in stale]


def write() -> None:
    """Brings the pictures into step."""
    ASSETS.mkdir(parents=True, exist_ok=True)
    for path, text in pictures().items():
        path.write_text(text, encoding="utf-8", newline="\n")


if __name__ == "__main__":
    changed = out_of_step()
    print("\n".join(changed) or "in step")
    if "--check" in sys.argv[1:]:
        sys.exit(bool(changed))
    write()
