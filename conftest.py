"""Everything shown is run: the Python blocks of README.md and docs/, and the doctests of src/.

This file lies at the root because pytest asks a conftest only about files beside or below it.
"""

import os
import tempfile
from doctest import ELLIPSIS

from sybil import Sybil
from sybil.document import PythonDocStringDocument
from sybil.parsers.doctest import DocTestParser
from sybil.parsers.markdown import PythonCodeBlockParser


def _enter_a_temporary_folder(namespace):
    folder = tempfile.TemporaryDirectory(prefix="itsm-shown-")
    namespace["__folder__"] = (folder, os.getcwd())  # noqa: PTH109 (os.chdir's twin)
    os.chdir(folder.name)


def _leave_it(namespace):
    folder, before = namespace.pop("__folder__")
    os.chdir(before)
    folder.cleanup()


# Two objects, one parser each: on one file their regions would overlap.
pages = Sybil(
    parsers=[PythonCodeBlockParser(doctest_optionflags=ELLIPSIS)],
    patterns=["README.md", "docs/**/*.md"],
    setup=_enter_a_temporary_folder,
    teardown=_leave_it,
)
docstrings = Sybil(
    parsers=[DocTestParser(optionflags=ELLIPSIS)],
    patterns=["src/itsm_core/**/*.py", "src/itsm_core/*.py"],
    document_types={".py": PythonDocStringDocument},
    setup=_enter_a_temporary_folder,
    teardown=_leave_it,
)

pytest_collect_file = (pages + docstrings).pytest()
