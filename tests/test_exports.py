"""What the package offers: one literal table of names, each reachable, typed and documented."""

import ast
import importlib
import importlib.util
import inspect
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "src" / "itsm_core"
API = ROOT / "docs" / "reference" / "api"


def _script(name):
    spec = importlib.util.spec_from_file_location(name, ROOT / "scripts" / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


reference = _script("reference_pages")
NAMES = reference.exported()


@pytest.fixture(scope="module")
def package():
    """The package, whose table the source holds literally."""
    assert NAMES, "src/itsm_core/__init__.py has no literal table `_NAMES: dict[str, str] = {...}`"
    return importlib.import_module("itsm_core")


# --- the table -------------------------------------------------------------------------------


def test_the_table_is_what_all_and_dir_say(package):
    """`__all__`, `dir()` and the literal table name the same."""
    assert sorted(package.__all__) == sorted(package._NAMES) == sorted(NAMES)
    assert set(NAMES) <= set(dir(package))
    assert len(set(package.__all__)) == len(package.__all__)


@pytest.mark.parametrize("name", NAMES)
def test_every_name_resolves_to_its_module(package, name):
    """Attribute access and from-import give the object of the module that the table names."""
    module = NAMES[name]
    full = module if module.startswith("itsm_core") else f"itsm_core.{module.lstrip('.')}"
    assert getattr(package, name) is getattr(importlib.import_module(full), name)


def test_no_name_is_also_a_module():
    """Importing a submodule sets it on the package and would silently replace the name."""
    assert not set(NAMES) & {*reference.tops(), *reference.ORDER}


@pytest.mark.parametrize("name", NAMES)
def test_every_name_explains_itself(package, name):
    """`help(name)` begins with a sentence of its own, not with one inherited from a base."""
    thing = getattr(package, name)
    if inspect.isclass(thing) or inspect.isroutine(thing):
        assert vars(thing).get("__doc__") if inspect.isclass(thing) else thing.__doc__


def test_an_unknown_name_is_an_attribute_error(package):
    """A misspelt name fails as anywhere else, so hasattr() and star imports work."""
    with pytest.raises(AttributeError, match="NoSuchName"):
        package.NoSuchName  # noqa: B018


# --- the reference ---------------------------------------------------------------------------


def test_the_reference_pages_are_in_step_with_the_source():
    """docs/reference/api/ and its navigation are what the script writes."""
    assert not reference.out_of_step(), "run: python scripts/reference_pages.py"


def test_the_script_and_the_architecture_know_the_same_road():
    """The order of the reference pages is the order of the floors."""
    source = ast.parse((ROOT / "tests" / "test_architecture.py").read_text(encoding="utf-8"))
    road = next(
        ast.literal_eval(node.value)
        for node in source.body
        if isinstance(node, ast.Assign) and node.targets[0].id == "ROAD"
    )
    row = {name: number for number, (_, names) in enumerate(road) for name in names}
    assert sorted(row) == sorted(reference.ORDER)
    assert [row[name] for name in reference.ORDER] == sorted(row.values())


@pytest.mark.parametrize("name", NAMES)
def test_every_name_is_documented(name):
    """The page of names links it, and its module has an API page."""
    module = f"itsm_core.{NAMES[name].removeprefix('itsm_core').lstrip('.')}"
    assert f"][{module}.{name}]" in (API / "names.md").read_text(encoding="utf-8")
    directives = {m for page in API.glob("*.md") for m in _directives(page)}
    assert module in directives


def _directives(page):
    return re.findall(r"^::: (\S+)$", page.read_text(encoding="utf-8"), re.MULTILINE)


def test_the_package_says_that_it_is_typed():
    """PEP 561: type checkers of users read our annotations."""
    assert (PACKAGE / "py.typed").is_file()


# --- every public name of every module -------------------------------------------------------

FUNCTIONS = ast.FunctionDef | ast.AsyncFunctionDef


def _public(nodes):
    """Public classes, functions and methods below `nodes`, with their dotted names."""
    for node in nodes:
        if not isinstance(node, FUNCTIONS | ast.ClassDef) or node.name.startswith("_"):
            continue
        yield node.name, node
        if isinstance(node, ast.ClassDef):
            yield from ((f"{node.name}.{name}", inner) for name, inner in _public(node.body))


def _decorators(node):
    return {getattr(d, "attr", getattr(d, "id", "")) for d in node.decorator_list}


def _needs_no_docstring(node):
    return bool(_decorators(node) & {"overload", "override", "setter", "deleter"})


def _bare_parameters(node, is_method):
    """Parameters and the result of a function that carry no annotation."""
    arguments = node.args
    named = [*arguments.posonlyargs, *arguments.args]
    if is_method and "staticmethod" not in _decorators(node):
        named = named[1:]
    named += [*arguments.kwonlyargs, *filter(None, (arguments.vararg, arguments.kwarg))]
    bare = [argument.arg for argument in named if argument.annotation is None]
    return bare if node.returns is not None else [*bare, "the result"]


MODULES = [path for path in sorted(PACKAGE.rglob("*.py")) if not reference._is_private(path)]


@pytest.mark.parametrize("path", MODULES, ids=reference.dotted)
def test_every_public_name_has_a_docstring(path):
    """Each public module, class, function and method says what you get."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    assert ast.get_docstring(tree), f"{path.name} has no module docstring"
    silent = [
        f"{path.relative_to(ROOT).as_posix()}:{node.lineno} {name}"
        for name, node in _public(tree.body)
        if not ast.get_docstring(node) and not _needs_no_docstring(node)
    ]
    assert not silent, "no docstring:\n" + "\n".join(silent)


@pytest.mark.parametrize("path", MODULES, ids=reference.dotted)
def test_every_public_name_is_fully_annotated(path):
    """Each parameter and result of a public function or method has a type."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    bare = [
        f"{path.relative_to(ROOT).as_posix()}:{node.lineno} {name}: {', '.join(missing)}"
        for name, node in _public(tree.body)
        if isinstance(node, FUNCTIONS) and (missing := _bare_parameters(node, "." in name))
    ]
    assert not bare, "not annotated:\n" + "\n".join(bare)
