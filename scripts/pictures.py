"""Draws the pictures of docs/assets/ with the library itself.

python scripts/pictures.py            # write
python scripts/pictures.py --check    # say what is out of step, status 1 if anything
"""

import sys
from pathlib import Path

from itsm_core.business_time import BusinessCalendar
from itsm_core.processes import PROCESSES

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
    }


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
