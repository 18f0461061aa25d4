"""`python -m itsm_core.testing package.module:name`: runs the contract suite and prints a report.

    python -m itsm_core.testing acme.stores:new_store
    python -m itsm_core.testing acme.tests.test_store:TestStore --json

Exit status: 0 every promise that was asked for is kept, 1 one is not, 2 nothing could be run.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from itsm_core.errors import InvalidValue
from itsm_core.testing.edition import CONTRACT


def main(arguments: Sequence[str] | None = None) -> int:
    """Prints the report and gives the exit status."""
    asked = _parser().parse_args(arguments)
    try:
        from itsm_core.testing.contract.report import report_on  # noqa: PLC0415 - needs pytest
    except ModuleNotFoundError as lacking:
        if lacking.name not in {"pytest", "hypothesis"}:
            raise
        return _give_up("the contract suite needs pytest and Hypothesis: pip install pytest hypothesis")
    sys.path.insert(0, str(Path.cwd()))
    os.environ.pop("PYTEST_ADDOPTS", None)  # what a project adds to its own tests
    try:
        report = report_on(asked.subject)
    except InvalidValue as wrong:
        return _give_up(str(wrong))
    print(json.dumps(report.to_dict(), indent=2, ensure_ascii=False) if asked.json else report)
    return 0 if report.kept else 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m itsm_core.testing", description=f"Runs the contract suite {CONTRACT}."
    )
    parser.add_argument(
        "subject",
        metavar="package.module:name",
        help="a function that makes an empty store, or a class that subclasses a contract",
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    return parser


def _give_up(why: str) -> int:
    print(why, file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main())
