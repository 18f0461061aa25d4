"""The shape of the package, read from its source: imports run one way, pieces stay small.

Imports count wherever they stand: in a function, under TYPE_CHECKING, as text given to
import_module. Nothing here imports the package.
"""

import ast
import re
import statistics
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "src" / "itsm_core"

# The road, lowest floor first. A module imports only from rows above its own row; what stands on
# one row never imports each other. The number on the left is the floor; 1, 10 and 13
# have several rows: values writes instants of business_time as text, what desks are asked takes names
# from naming, the desks run it, the loop ticks them, the command line starts the demo.
ROAD = [
    (0, {"errors"}),
    (1, {"business_time", "priority"}),
    (1, {"values"}),
    (2, {"actors", "responders"}),
    (3, {"events", "commands"}),
    (4, {"records"}),
    (5, {"lifecycle", "approvals"}),
    (6, {"processes", "sla", "oncall"}),
    (7, {"escalation"}),
    (8, {"ports"}),
    (9, {"road", "delivery"}),
    (10, {"running", "naming", "majors"}),
    (10, {"asking"}),
    (10, {"desk", "aio"}),
    (10, {"loop"}),
    (11, {"stores", "notifiers", "importers", "exporters", "reporting", "conformance", "config"}),
    (12, {"simulation", "frames", "testing", "replay", "custody", "foresight"}),
    (13, {"demo"}),
    (13, {"cli"}),
]
ROW = {name: row for row, (_, names) in enumerate(ROAD) for name in names}
FLOOR = {name: floor for floor, names in ROAD for name in names}

# Who may import which third party (prefix of the module's path below itsm_core).
THIRD_PARTIES = {
    "attrs": ("",),
    "transitions": ("lifecycle",),
    # At the edges: where ISO 8601 is parsed and durations are worded.
    "pendulum": ("business_time", "sla.explaining.explanation", "reporting", "importers", "cli"),
    "click": ("cli",),
    "rich": ("cli", "demo", "replay"),
    "holidays": ("business_time",),
    "icalendar": ("business_time", "importers", "exporters"),
    "tomli_w": ("config", "lifecycle", "exporters"),
    "jinja2": ("notifiers",),
    "numpy": ("business_time", "frames", "simulation"),
    "narwhals": ("frames",),
    "psycopg": ("stores",),
    "apprise": ("notifiers",),
    "matplotlib": ("reporting", "simulation"),
    "pyspark": ("frames", "simulation"),
    "hypothesis": ("testing",),
    "pytest": ("testing",),
    "sqlite3": ("stores",),
}

# Decide, don't do: what floors 0 to 9 may neither import nor call.
DOERS = {
    "asyncio", "concurrent", "http", "logging", "multiprocessing", "random", "secrets", "shutil",
    "socket", "sqlite3", "subprocess", "tempfile",
}  # fmt: skip
DOING_CALLS = {"now", "utcnow", "today", "open", "print", "input", "sleep"}

NAMES_THAT_SAY_NOTHING = {"Manager", "Handler", "Helper", "Helpers", "Util", "Utils", "Impl"}


# --- reading ---------------------------------------------------------------------------------


def _module_name(path):
    parts = path.relative_to(PACKAGE).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def _is_init(path):
    return path.name == "__init__.py"


FILES = {_module_name(path): path for path in sorted(PACKAGE.rglob("*.py"))}
TREES = {name: ast.parse(path.read_text(encoding="utf-8")) for name, path in FILES.items()}


def _absolute(node, module):
    """The dotted base of a from-import, relative ones resolved."""
    if not node.level:
        return node.module or ""
    package = ["itsm_core", *module.split(".")] if module else ["itsm_core"]
    up = node.level - (1 if _is_init(FILES[module]) else 0)
    base = package[: len(package) - up] if up else package
    return ".".join([*base, node.module] if node.module else base)


def _imported(node, module):
    """Dotted names that one node imports; names taken from a package are kept whole."""
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    if isinstance(node, ast.ImportFrom):
        base = _absolute(node, module)
        return [f"{base}.{alias.name}" for alias in node.names]
    if isinstance(node, ast.Call) and node.args:
        called = getattr(node.func, "attr", getattr(node.func, "id", ""))
        first = node.args[0]
        text = isinstance(first, ast.Constant) and isinstance(first.value, str)
        if text and called in {"import_module", "__import__", "find_spec"}:
            return [first.value]
    return []


def _imports(module):
    for node in ast.walk(TREES[module]):
        for name in _imported(node, module):
            yield getattr(node, "lineno", 0), name


def _own(name):
    """The module of ours that a dotted name means, the longest that exists, or None."""
    package, *parts = name.split(".")
    if package != "itsm_core":
        return None
    top = parts[0] if parts and parts[0] in ROW else ""
    while parts and ".".join(parts) not in FILES:
        parts.pop()
    return ".".join(parts) or top


def _edges(module):
    for line, name in _imports(module):
        target = _own(name)
        if target is not None and target != module:
            yield line, target


def _where(module, line=None):
    path = FILES[module].relative_to(ROOT).as_posix()
    return path if line is None else f"{path}:{line}"


def _order(package):
    """The file order that the docstring of a folder's `__init__` states: `Order: a, b, c.`"""
    docstring = ast.get_docstring(TREES[package]) or "" if package in TREES else ""
    found = re.search(r"^Order:\s+([\w,\s]+)\.", docstring, re.MULTILINE)
    return re.split(r",\s+", found[1].strip()) if found else None


def _children(package):
    depth = package.count(".") + 1
    return {
        name.split(".")[depth]
        for name in FILES
        if name.startswith(f"{package}.") and name.count(".") >= depth
    }


PACKAGES = sorted({name.rpartition(".")[0] for name in FILES if "." in name})


# --- imports ---------------------------------------------------------------------------------


def _direction_fault(module, target):
    """Why `module` may not import `target`, or an empty text."""
    here, there = module.split("."), target.split(".")
    if not target:
        return "imports the root package: import from the module that defines the name"
    if module and here[: len(there)] == there:
        return f"imports its own folder {target}/__init__: import from the module that defines it"
    if there[: len(here)] == here or not module:
        return ""  # an __init__ may import any of its own
    depth = next(i for i, (a, b) in enumerate(zip(here, there, strict=False)) if a != b)
    return _floor_fault(here[0], there[0]) if depth == 0 else _order_fault(here, there, depth)


def _floor_fault(here, there):
    if ROW[there] < ROW[here]:
        return ""
    return (
        f"stands on floor {FLOOR[here]} and imports {there} of floor {FLOOR[there]}: "
        "only floors below may be imported, siblings meet further up the road"
    )


def _order_fault(here, there, depth):
    folder = ".".join(here[:depth])
    order = _order(folder) or []
    if here[depth] not in order or there[depth] not in order:
        return ""  # the test of the order line says so
    if order.index(there[depth]) < order.index(here[depth]):
        return ""
    return f"imports {there[depth]}, which the order line of {folder}/__init__ puts later"


def test_every_module_stands_on_a_floor():
    """A new module or folder is given its place on the road before anything imports it."""
    unknown = sorted({name.split(".")[0] for name in FILES if name} - set(ROW))
    assert not unknown, (
        f"not on the road: {', '.join(unknown)}. Add it to ROAD in tests/test_architecture.py "
        "on the lowest floor above everything it imports, and to the map in itsm_core/__init__.py"
    )


@pytest.mark.parametrize("package", PACKAGES)
def test_every_folder_states_the_order_of_its_files(package):
    """The docstring of each `__init__` has a line `Order: a, b, c.` naming all its files once."""
    assert package in FILES, f"src/itsm_core/{package.replace('.', '/')} has no __init__.py"
    files = _children(package)
    order = _order(package)
    if order is None:
        assert len(files) <= 1, (
            f"{_where(package)}: the docstring lacks a line of its own such as "
            f"`Order: {', '.join(sorted(files))}.` (a file may import only files named earlier)"
        )
        return
    assert sorted(order) == sorted(files), f"{_where(package)}: the order line names other files"


@pytest.mark.parametrize("module", FILES)
def test_imports_run_one_way(module):
    """A module imports from floors below, and in its folder from files before it."""
    faults = [
        f"{_where(module, line)} {fault}"
        for line, target in _edges(module)
        if module.split(".")[0] in {*ROW, ""} and target.split(".")[0] in {*ROW, ""}
        if (fault := _direction_fault(module, target))
    ]
    assert not faults, "import direction:\n" + "\n".join(dict.fromkeys(faults))


def test_no_import_cycle():
    """No module reaches itself, also not by an import hidden in a function."""
    graph = {m: {target for _, target in _edges(m)} for m in FILES if m}
    state, path, cycles = {}, [], []

    def visit(module):
        state[module] = "open"
        path.append(module)
        for target in sorted(graph.get(module, ())):
            if state.get(target) == "open":
                cycles.append(" -> ".join([*path[path.index(target) :], target]))
            elif target not in state:
                visit(target)
        path.pop()
        state[module] = "done"

    for module in graph:
        if module not in state:
            visit(module)
    assert not cycles, "\n".join(cycles)


def test_the_root_package_imports_nothing_of_ours_eagerly():
    """Names are resolved on first use, so the import of the package stays light."""
    if "" not in TREES:
        pytest.fail("src/itsm_core/__init__.py does not exist")
    body = [node for node in TREES[""].body if isinstance(node, ast.Import | ast.ImportFrom)]
    eager = [name for node in body for name in _imported(node, "") if _own(name)]
    assert not eager, f"imported at the top of itsm_core/__init__.py: {eager}"


@pytest.mark.parametrize("module", FILES)
def test_third_parties_stay_in_their_place(module):
    """attrs anywhere; every other package only where the table allows it."""
    faults = []
    for line, name in _imports(module):
        top = name.split(".")[0]
        if top in {"itsm_core", "__future__", "attr"} or (
            top in sys.stdlib_module_names and top not in THIRD_PARTIES
        ):
            continue
        places = THIRD_PARTIES.get(top)
        if places is None:
            faults.append(f"{_where(module, line)} imports {top}, unknown to THIRD_PARTIES")
        elif not any(_lies_in(module, place) for place in places):
            faults.append(f"{_where(module, line)} imports {top}, allowed: {', '.join(places)}")
    assert not faults, "\n".join(faults)


def _lies_in(module, place):
    return not place or module == place or module.startswith(f"{place}.")


@pytest.mark.parametrize("module", [m for m in FILES if FLOOR.get(m.split(".")[0], 99) <= 9])
def test_floors_0_to_9_decide_and_do_nothing(module):
    """No I/O, no `now()`, no logging below the desk: values in, values out."""
    faults = [
        f"{_where(module, line)} imports {name}"
        for line, name in _imports(module)
        if name.split(".")[0] in DOERS
    ]
    for node in ast.walk(TREES[module]):
        if isinstance(node, ast.Call):
            called = getattr(node.func, "attr", getattr(node.func, "id", ""))
            if called in DOING_CALLS and not _is_method_of_ours(node.func):
                faults.append(f"{_where(module, node.lineno)} calls {called}()")
    assert not faults, "\n".join(faults)


def _is_method_of_ours(func):
    """A method `open` of a value is a word of the field; the built-in is not."""
    if not isinstance(func, ast.Attribute):
        return False
    return func.attr in {"open", "print", "input"}


# --- size and words --------------------------------------------------------------------------


def _functions(module):
    for node in ast.walk(TREES[module]):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            docstring = ast.get_docstring(node, clean=False)
            inside = docstring.count("\n") + 1 if docstring else 0
            yield node, node.end_lineno - node.lineno + 1 - inside


@pytest.mark.parametrize("module", FILES)
def test_modules_and_functions_stay_short(module):
    """At most 400 lines a module and 40 a function, its docstring not counted."""
    lines = len(FILES[module].read_text(encoding="utf-8").splitlines())
    faults = [f"{_where(module)}: {lines} lines (over 400): two concepts?"] if lines > 400 else []
    faults += [
        f"{_where(module, node.lineno)} {node.name}: {length} lines (over 40)"
        for node, length in _functions(module)
        if length > 40
    ]
    assert not faults, "\n".join(faults)


def test_the_median_function_is_small():
    """Half of all functions have at most 8 lines."""
    lengths = [length for module in FILES for _, length in _functions(module)]
    assert statistics.median(lengths) <= 8


@pytest.mark.parametrize("module", FILES)
def test_names_say_something(module):
    """No Manager, Handler, Helper, Util or Impl in a class or module name."""
    classes = [n.name for n in ast.walk(TREES[module]) if isinstance(n, ast.ClassDef)]
    words = {name: set(re.findall(r"[A-Z][a-z]+", name)) for name in classes}
    words |= {part: {part.strip("_").capitalize()} for part in module.split(".")}
    empty = [name for name, parts in words.items() if parts & NAMES_THAT_SAY_NOTHING]
    assert not empty, f"{_where(module)}: {empty}"
