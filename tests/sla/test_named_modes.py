"""Every named mode stands in the how-to, with its consequence in one line."""

import re
from pathlib import Path

import pytest

from itsm_core.sla import Metric
from itsm_core.sla.agreements.agreement import POLICY_CHANGES
from itsm_core.sla.agreements.targets import ON_PAUSE, REOPENINGS, RETARGETINGS

PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "choose-how-a-clock-counts.md"


@pytest.mark.parametrize(
    ("heading", "modes"),
    [
        ("reopen", REOPENINGS),
        ("on_retarget", RETARGETINGS),
        ("on_pause", ON_PAUSE),
        ("on_policy_change", POLICY_CHANGES),
        ("metric", tuple(Metric)),
    ],
)
def test_the_page_has_a_row_for_each_mode_and_for_no_other(heading, modes):
    """In their order, none of them empty."""
    table = re.search(
        rf"^\| `?{heading}`? \|.*\n\| --- .*\n((?:\|.*\n)+)", PAGE.read_text(encoding="utf-8"), re.MULTILINE
    )
    rows = [re.fullmatch(r'\| `"(\w+)"` \| (.+) \|', row).groups() for row in table[1].splitlines()]
    assert tuple(mode for mode, _ in rows) == tuple(modes)
    assert all(consequence.strip() for _, consequence in rows)
