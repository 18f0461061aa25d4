"""The promise of examples/django_desk: forty lines, and no table of ours."""

import ast
import subprocess
import sys
from pathlib import Path

import itsm_core

FOLDER = Path(__file__).resolve().parent.parent / "examples" / "django_desk"
PART = FOLDER / "buttons_and_clocks.py"

# A process of its own, as Django is configured once and for all.
_LOOK = """
import host
from django.db import connection
host.main()
print("tables:", *sorted(connection.introspection.table_names()))
"""


def test_the_part_that_uses_the_library_has_at_most_forty_lines():
    """Comments, docstrings and empty lines included."""
    assert len(PART.read_text(encoding="utf-8").splitlines()) <= 40


def test_the_rest_of_the_host_does_not_know_the_library():
    """No import is left out of the count by being put elsewhere."""
    tree = ast.parse((FOLDER / "host.py").read_text(encoding="utf-8"))
    imported = [
        name
        for node in ast.walk(tree)
        if isinstance(node, ast.Import | ast.ImportFrom)
        for name in [getattr(node, "module", None), *(alias.name for alias in node.names)]
    ]
    assert not [name for name in imported if name and name.startswith("itsm_core")]


def test_the_part_uses_public_names_only():
    """What is not exported by a package may change without notice."""
    tree = ast.parse(PART.read_text(encoding="utf-8"))
    used = {
        node.attr
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "itsm"
    }
    assert len(used) > 5
    assert used <= set(itsm_core.__all__)


def test_the_host_has_its_own_tables_and_none_of_ours(tmp_path):
    """The page is shown with buttons and both clocks, and the database holds three tables."""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", f"import sys; sys.path.insert(0, {str(FOLDER)!r}){_LOOK}"],
        cwd=tmp_path, capture_output=True, encoding="utf-8", check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "p3-response (response within 4h): met" in done.stdout
    assert "p3-resolution (resolution within 3 business days): running" in done.stdout
    assert done.stdout.splitlines()[-1] == "tables: shop_change shop_person shop_ticket"
