"""The store that docs/how-to/write-a-store.md builds keeps the contract."""

import re
import sys
from pathlib import Path

import pytest

from itsm_core.testing.contract.report import report_on

PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "write-a-store.md"
PYTHON = re.compile(r"^```python\n(?!>>>)(.*?)^```$", re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("name", ["TestTableStore", "TableStore"])
def test_what_the_page_shows_passes_the_suite(name, tmp_path, monkeypatch):
    """As its test class, and as the bare store."""
    (tmp_path / "shown_store.py").write_text("\n\n".join(PYTHON.findall(PAGE.read_text(encoding="utf-8"))))
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, "shown_store", raising=False)
    report = report_on(f"shown_store:{name}")
    assert report.of("failed") == ()
    assert len(report.of("passed")) > 65
