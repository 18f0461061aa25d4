"""The mutants of a Python file: each a copy of it with one small change.

Comparisons take in their bound, leave it out or turn round; numbers grow by one; operators, `and` and
`or`, `min` and `max`, `any` and `all`, the two bisections and some methods of texts are swapped or
dropped; conditions are negated, filters of comprehensions dropped; texts become empty; a `return`
gives None; calls, raises and assignments to attributes and items are left out; keyword arguments,
bounds of slices, cases and exceptions are dropped.

Left as they are: annotations, docstrings, assertions, `__all__`, `__slots__`, and the words of errors.
"""

import ast
import copy
from collections import Counter
from collections.abc import Callable, Iterator
from typing import NamedTuple

_COMPARE = {
    ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt, ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq, ast.Is: ast.IsNot, ast.IsNot: ast.Is, ast.In: ast.NotIn, ast.NotIn: ast.In,
}  # fmt: skip
_ARITHMETIC = {
    ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.FloorDiv, ast.Div: ast.Mult,
    ast.FloorDiv: ast.Mult, ast.Mod: ast.FloorDiv, ast.Pow: ast.Mult,
}  # fmt: skip
_SWAPS = (
    ("min", "max"), ("any", "all"), ("bisect_left", "bisect_right"), ("removeprefix", "removesuffix"),
    ("partition", "rpartition"), ("startswith", "endswith"), ("search", "fullmatch"),
)  # fmt: skip
_SWAPPED = {a: b for pair in _SWAPS for a, b in (pair, pair[::-1])}
_DROPPED = {"strip", "lstrip", "rstrip", "lower", "upper", "ljust", "rjust", "sorted", "replace"}
_SILENT = {"__all__", "__slots__"}
_NAMED = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
_COMPOUND = (ast.If, ast.While, ast.For, ast.Try, ast.With, *_NAMED)
_WHOLE = (ast.expr, ast.Assign, ast.AnnAssign, ast.AugAssign, ast.Return, ast.Raise, ast.Expr)
_SHORT = 80  # characters of what is shown around a change


class Mutant(NamedTuple):
    """One change: where it is, what stood there, and what stands there now."""

    where: str  # the function or class, "" for the module itself
    before: str
    after: str
    lines: tuple[int, int]  # of the statement, or of the head of a compound one
    number: int  # of the node, in the order of `ast.walk`
    replace: Callable[[ast.AST], ast.AST]
    again: int = 1  # the how-manieth of those that read the same

    @property
    def label(self) -> str:
        """The mutant in one line."""
        words = f"{_code(self.where or 'module')}: {_code(self.before)} → {_code(self.after)}"
        return words if self.again == 1 else f"{words} ({self.again})"

    def tree(self, source: str) -> ast.Module:
        """The file with the change made."""
        found = _Replace(self.number, self.replace).visit(_numbered(source))
        return ast.fix_missing_locations(found)


def mutants(source: str) -> Iterator[Mutant]:
    """All mutants of a file, in the order of the file."""
    tree = _numbered(source)
    imported = (node for node in tree.body if isinstance(node, ast.ImportFrom))
    errors = {name.name for node in imported if node.module == "itsm_core.errors" for name in node.names}
    made = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]
    errors |= {node.name for node in made if isinstance(node.returns, ast.Name) and node.returns.id in errors}
    seen: Counter[str] = Counter()
    for mutant in _Search(errors).mutants(tree, _Place("", (1, 1), None), worded=False):
        seen[mutant.label] += 1
        yield mutant._replace(again=seen[mutant.label])


def _code(text: str) -> str:
    return f"`` {text} ``" if "`" in text else f"`{text}`"


def _numbered(source: str) -> ast.Module:
    tree = ast.parse(source)
    for number, node in enumerate(ast.walk(tree)):
        node.number = number  # type: ignore[attr-defined]
    return tree


class _Replace(ast.NodeTransformer):
    """Puts the changed node in the place of the one with its number."""

    def __init__(self, number: int, replace: Callable[[ast.AST], ast.AST]) -> None:
        self.number, self.replace = number, replace

    def visit(self, node: ast.AST) -> ast.AST:
        if getattr(node, "number", None) == self.number:
            return ast.copy_location(self.replace(node), node)
        return self.generic_visit(node)


class _Search:
    """Walks a tree; `errors` are the names of error classes and of the functions that make them."""

    def __init__(self, errors: set[str]) -> None:
        self.errors = errors

    def mutants(self, node: ast.AST, place: "_Place", *, worded: bool) -> Iterator[Mutant]:
        """The mutants of a node and of what it holds; `worded` where texts are those of an error."""
        place = place.at(node)
        worded = worded or isinstance(node, ast.Raise) or self._makes_an_error(node)
        if not (worded and _is_text(node)):
            for replace in _replacements(node):
                yield _mutant(node, place, replace)
        for child in _children(node):
            yield from self.mutants(child, place, worded=worded)

    def _makes_an_error(self, node: ast.AST) -> bool:
        called = node.func if isinstance(node, ast.Call) else None
        names = (getattr(called, "id", None), getattr(node, "name", None))
        return any(name in self.errors for name in names)


class _Place(NamedTuple):
    """Where the walk is: the function, the lines of the statement, what is short enough to be shown."""

    where: str
    lines: tuple[int, int]
    shown: ast.AST | None

    def at(self, node: ast.AST) -> "_Place":
        """The place of a node inside this one."""
        where, lines, shown = self
        if isinstance(node, _NAMED):
            where = f"{where}.{node.name}".lstrip(".")
        if isinstance(node, ast.stmt | ast.match_case | ast.excepthandler):
            lines, shown = _head(node), None
        if shown is None and isinstance(node, _WHOLE) and len(ast.unparse(node)) <= _SHORT:
            shown = node
        return _Place(where, lines, shown)


def _mutant(node: ast.AST, place: _Place, replace: Callable[[ast.AST], ast.AST]) -> Mutant:
    number = node.number  # type: ignore[attr-defined]
    context = place.shown or node
    after = _Replace(number, replace).visit(copy.deepcopy(context))
    return Mutant(place.where, _text(context), _text(after), place.lines, number, replace)


def _head(node: ast.AST) -> tuple[int, int]:
    if isinstance(node, ast.match_case):
        return node.pattern.lineno, node.body[0].lineno
    body = getattr(node, "body", None)
    if isinstance(node, ast.Match) or not body:
        last = node.subject.end_lineno if isinstance(node, ast.Match) else node.end_lineno
        return node.lineno, last
    return node.lineno, max(node.lineno, body[0].lineno - 1)


def _text(node: ast.AST) -> str:
    if isinstance(node, ast.Match):
        return f"match {ast.unparse(node.subject)}: " + "; ".join(map(_text, node.cases))
    if isinstance(node, ast.match_case):
        return f"case {ast.unparse(node.pattern)}"
    if isinstance(node, ast.ExceptHandler):
        return f"except {ast.unparse(node.type)}"
    lines = ast.unparse(node).split("\n")
    return lines[0] if isinstance(node, _COMPOUND) else " ".join(" ".join(lines).split())


# -- what is looked at -----------------------------------------------------------------------------


def _children(node: ast.AST) -> Iterator[ast.AST]:
    """The parts of a node in which changes are made."""
    if isinstance(node, ast.Assert) or _is_silent(node) or _is_flag(node):
        return
    for field, value in ast.iter_fields(node):
        if field in {"annotation", "returns"}:
            continue
        children = value if isinstance(value, list) else [value]
        for child in children:
            if isinstance(child, ast.AST) and not _is_docstring(child):
                yield child


def _is_silent(node: ast.AST) -> bool:
    targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
    alias = isinstance(node, ast.AnnAssign) and ast.unparse(node.annotation).endswith("TypeAlias")
    return alias or any(isinstance(t, ast.Name) and t.id in _SILENT for t in targets)


def _is_flag(node: ast.AST) -> bool:
    """Whether a node is `name=True` in a call: to drop it is to turn it round."""
    value = node.value if isinstance(node, ast.keyword) else None
    return isinstance(value, ast.Constant) and isinstance(value.value, bool)


def _is_docstring(node: ast.AST) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def _is_text(node: ast.AST) -> bool:
    return isinstance(node, ast.JoinedStr) or (isinstance(node, ast.Constant) and isinstance(node.value, str))


# -- what is changed -------------------------------------------------------------------------------


def _replacements(node: ast.AST) -> Iterator[Callable[[ast.AST], ast.AST]]:
    for kind, make in _OPERATORS:
        if isinstance(node, kind):
            yield from make(node)


def _set(path: str, value: object) -> Callable[[ast.AST], ast.AST]:
    """Gives a node another value of one field; "ops.0" is an item of a list."""

    def replace(node: ast.AST) -> ast.AST:
        field, _, index = path.partition(".")
        if index:
            getattr(node, field)[int(index)] = value
        else:
            setattr(node, field, value)
        return node

    return replace


def _drop(field: str, index: int) -> Callable[[ast.AST], ast.AST]:
    def replace(node: ast.AST) -> ast.AST:
        del getattr(node, field)[index]
        return node

    return replace


def _part(get: Callable[[ast.AST], ast.AST]) -> Callable[[ast.AST], ast.AST]:
    return get


def _compare(node: ast.Compare) -> Iterator:
    for i, op in enumerate(node.ops):
        yield _set(f"ops.{i}", _COMPARE[type(op)]())


def _binary(node: ast.BinOp) -> Iterator:
    if isinstance(node.op, ast.BitOr | ast.BitAnd):
        yield _part(lambda n: n.left)
        yield _part(lambda n: n.right)
    elif type(node.op) in _ARITHMETIC and not (_is_text(node.left) or _is_text(node.right)):
        yield _set("op", _ARITHMETIC[type(node.op)]())


def _augmented(node: ast.AugAssign) -> Iterator:
    if type(node.op) in _ARITHMETIC:
        yield _set("op", _ARITHMETIC[type(node.op)]())
    yield _part(lambda _: ast.Pass())


def _logical(node: ast.BoolOp) -> Iterator:
    yield _set("op", ast.Or() if isinstance(node.op, ast.And) else ast.And())


def _constant(node: ast.Constant) -> Iterator:
    value = node.value
    if isinstance(value, bool):
        yield _set("value", not value)
    elif isinstance(value, int):
        yield _set("value", value + 1)
    elif isinstance(value, str):
        yield _set("value", "" if value else "XX")


def _unary(node: ast.UnaryOp) -> Iterator:
    if isinstance(node.op, ast.Not | ast.USub):
        yield _part(lambda n: n.operand)


def _condition(node: ast.AST) -> Iterator:
    """A plain condition is negated; a comparison and a `not` are changed as what they are."""
    if not isinstance(node.test, ast.Compare | ast.UnaryOp):
        yield _set("test", ast.UnaryOp(ast.Not(), node.test))


def _filter(node: ast.comprehension) -> Iterator:
    for i in range(len(node.ifs)):
        yield _drop("ifs", i)


def _result(node: ast.Return) -> Iterator:
    if node.value is not None and not (isinstance(node.value, ast.Constant) and node.value.value is None):
        yield _set("value", ast.Constant(None))


def _statement(node: ast.stmt) -> Iterator:
    """A call, a raise, or an assignment to an attribute or an item, is left out."""
    call = isinstance(node, ast.Expr) and not isinstance(node.value, ast.Constant)
    kept = isinstance(node, ast.Assign) and all(isinstance(t, ast.Name | ast.Tuple) for t in node.targets)
    if call or isinstance(node, ast.Raise) or (isinstance(node, ast.Assign) and not kept):
        yield _part(lambda _: ast.Pass())
    if isinstance(node, ast.Continue | ast.Break):
        yield _part(lambda n: ast.Break() if isinstance(n, ast.Continue) else ast.Continue())


def _call(node: ast.Call) -> Iterator:
    for i, keyword in enumerate(node.keywords):
        if keyword.arg:
            yield _drop("keywords", i)
    field = "id" if isinstance(node.func, ast.Name) else "attr"
    name = getattr(node.func, field, None)
    if name in _SWAPPED:
        yield _set("func", _named(node.func, field, _SWAPPED[name]))
    if name in _DROPPED:
        receiver = (lambda n: n.args[0]) if field == "id" else (lambda n: n.func.value)
        yield _part(receiver)


def _named(func: ast.AST, field: str, name: str) -> ast.AST:
    func = copy.deepcopy(func)
    setattr(func, field, name)
    return func


def _slice(node: ast.Slice) -> Iterator:
    for field in ("lower", "upper", "step"):
        if getattr(node, field) is not None:
            yield _set(field, None)


def _match(node: ast.Match) -> Iterator:
    for i in range(len(node.cases)) if len(node.cases) > 1 else ():
        yield _drop("cases", i)


def _handler(node: ast.ExceptHandler) -> Iterator:
    for i in range(len(node.type.elts)) if isinstance(node.type, ast.Tuple) else ():
        yield lambda n, i=i: _set("type", _drop("elts", i)(n.type))(n)


_OPERATORS: tuple[tuple[type | tuple, Callable], ...] = (
    (ast.Compare, _compare),
    (ast.BinOp, _binary),
    (ast.AugAssign, _augmented),
    (ast.BoolOp, _logical),
    (ast.Constant, _constant),
    (ast.UnaryOp, _unary),
    ((ast.If, ast.While, ast.IfExp), _condition),
    (ast.comprehension, _filter),
    (ast.Return, _result),
    (ast.stmt, _statement),
    (ast.Call, _call),
    (ast.Slice, _slice),
    (ast.Match, _match),
    (ast.ExceptHandler, _handler),
)
