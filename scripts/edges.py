"""The mutation run over all edges of the shipped lifecycles.

    python scripts/edges.py

Removes, doubles and redirects each edge at either end, adds each that is not there, and changes each
condition, those of the opening and of the commands beside the state, too; the tables in tests/golden,
written by hand, have to notice every one. Nothing is written. Status 1 if a table is wrong or a mutant
lives. tests/testing/test_mutants.py runs the same.
"""

import sys
from pathlib import Path

from itsm_core.lifecycle import Lifecycle
from itsm_core.processes import PROCESSES
from itsm_core.testing import condition_mutants, differences, edge_mutants, survivors

GOLDEN = Path(__file__).resolve().parent.parent / "tests" / "golden"


def judged(lifecycle: Lifecycle) -> tuple[int, int, list[str]]:
    """How many mutants of its edges and of its conditions there are, and what is wrong with the tables."""
    edges, conditions = list(edge_mutants(lifecycle)), list(condition_mutants(lifecycle))
    faults: list[str] = []
    for name, mutants in (("edges", edges), ("conditions", conditions)):
        table = GOLDEN / f"{lifecycle.id}_{name}.csv"
        faults += differences(lifecycle, table)
        faults += [f"survived: {mutant}" for mutant in survivors(mutants, table)]
    return len(edges), len(conditions), faults


def main() -> int:
    """Prints the count, and what is wrong."""
    found = {name: judged(lifecycle) for name, lifecycle in PROCESSES.items()}
    faults = [fault for *_, wrong in found.values() for fault in wrong]
    for name, (edges, conditions, _) in found.items():
        print(f"{name}: {edges} mutants of its edges, {conditions} of their conditions")
    edges, conditions = (sum(one[i] for one in found.values()) for i in (0, 1))
    told = "all noticed" if not faults else f"{len(faults)} things wrong"
    print(
        *faults,
        f"{edges} mutants of {len(found)} lifecycles, {told}; {conditions} of their conditions",
        sep="\n",
    )
    return bool(faults)


if __name__ == "__main__":
    sys.exit(main())
