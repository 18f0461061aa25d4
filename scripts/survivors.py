"""Reads and writes tests/mutation/survivors.md: figures, and each surviving mutant under its reason."""

import datetime as dt
import platform
import re
from importlib.metadata import version
from typing import NamedTuple

from mutants import Mutant

HEAD = """\
# Mutants that survive

Written by `python scripts/mutation.py business_time --write`; the reasons are written by hand and kept.
A mutant is one small change of one module; it is killed if a test of the same folder fails with it,
and survives if none does. What is changed and what is not is told in `scripts/mutants.py`. Reasons that
begin with "Equivalent" say that nobody can tell the mutant from the original; the share is that of the
others.
"""
TABLE = (
    "| module | mutants | killed | equivalent | share | run on |\n| --- | ---: | ---: | ---: | ---: | --- |\n"
)
EQUIVALENT = "Equivalent"
NO_REASON = "No reason yet."
_ROW = re.compile(r"^\| `(\S+)` \| (\d+) \|.*\|$", re.MULTILINE)


class Outcome(NamedTuple):
    """What became of the mutants of one module."""

    name: str
    mutants: int
    survivors: list[Mutant]

    def figures(self, known: str) -> tuple[int, int, float]:
        """How many were killed, how many change nothing, and the share killed of all others."""
        reasons = _sections(known).get(self.name, {})
        killed = self.mutants - len(self.survivors)
        same = sum(reasons.get(m.label, "").startswith(EQUIVALENT) for m in self.survivors)
        return killed, same, killed / max(1, self.mutants - same)


def _sections(known: str) -> dict[str, dict[str, str]]:
    """The reason of each survivor known, by module: the paragraph above its list."""
    found: dict[str, dict[str, str]] = {}
    for section in re.split(r"^## ", known, flags=re.MULTILINE)[1:]:
        module, _, text = section.partition("\n")
        reasons = found[module.strip("` ")] = {}
        reason = ""
        for block in filter(None, map(str.strip, text.split("\n\n"))):
            if not block.startswith("- "):
                reason = " ".join(block.split())
                continue
            reasons |= dict.fromkeys((line.removeprefix("- ") for line in block.splitlines()), reason)
    return found


def listed(outcome: Outcome, known: str) -> Outcome:
    """Only those of the mutants that the file names."""
    names = _sections(known).get(outcome.name, {})
    return outcome._replace(survivors=[mutant for mutant in outcome.survivors if mutant.label in names])


def unexplained(outcome: Outcome, known: str) -> list[str]:
    """The survivors that have no reason."""
    reasons = _sections(known).get(outcome.name, {})
    return [m.label for m in outcome.survivors if reasons.get(m.label, NO_REASON) == NO_REASON]


def rewritten(outcome: Outcome, known: str) -> str:
    """The file with the figures and survivors of one module brought up to date."""
    rows = {match[1]: match[0] for match in _ROW.finditer(known)}
    sections = _sections(known)
    old = sections.get(outcome.name, {})
    sections[outcome.name] = {m.label: old.get(m.label, NO_REASON) for m in outcome.survivors}
    killed, same, share = outcome.figures(known)
    run = f"{dt.date.today()}, Python {platform.python_version()}, Hypothesis {version('hypothesis')}"  # noqa: DTZ011
    rows[outcome.name] = f"| `{outcome.name}` | {outcome.mutants} | {killed} | {same} | {share:.1%} | {run} |"
    table = TABLE + "".join(f"{rows[name]}\n" for name in sorted(rows))
    parts = [_section(name, sections[name]) for name in sorted(sections) if sections[name]]
    return "\n".join([HEAD, table, *parts])


def _section(name: str, reasons: dict[str, str]) -> str:
    groups: dict[str, list[str]] = {}
    for line, reason in reasons.items():
        groups.setdefault(reason, []).append(line)
    blocks = [f"{reason}\n\n" + "".join(f"- {line}\n" for line in lines) for reason, lines in groups.items()]
    return f"## `{name}`\n\n" + "\n".join(blocks)
