"""Plain values read with their place: every refusal names the file, the key and the remedy.

Texts and dicts are bounded before anything looks into them: a hostile one costs neither minutes nor
memory, and what is shown of it is short.
"""

from __future__ import annotations

import datetime as dt
import re
import tomllib
from collections.abc import Callable, Collection, Iterable, Mapping
from enum import StrEnum
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import attrs

from itsm_core.business_time.given import ISO_DATE
from itsm_core.business_time.windows import printable
from itsm_core.errors import BeyondHorizon, InvalidInput, InvalidValue, NeverOpens
from itsm_core.lifecycle.rewriting import near
from itsm_core.values import frozen_json

T = TypeVar("T")
E = TypeVar("E", bound=StrEnum)

MOST_BYTES, MOST_PARTS, MOST_TEXT = 1_000_000, 100_000, 20_000
"""The longest file, the most values in one, the longest text among them."""

_MOST_DOTS, _DEEPEST, _NAME = 100, 50, 60
_BIGGEST = 2**53 - 1  # RFC 8785 3.2.2.3: larger integers lose digits in other languages


@attrs.frozen
class Place:
    """Where a value stands: the file, if it is of one, and the path of its key; `whole` is what holds it."""

    file: str
    key: str = ""
    whole: str = "agreement"

    def at(self, name: str) -> Place:
        """The place of a key in the table that stands here."""
        short = printable(name[:_NAME])
        return Place(self.file, f"{self.key}.{short}" if self.key else short, self.whole)

    def row(self, number: int, name: Any = None) -> Place:
        """The place of an item in the list that stands here, with its id if it has one."""
        told = f" ({printable(name[:_NAME])})" if isinstance(name, str) else ""
        return Place(self.file, f"{self.key}[{number}]{told}", self.whole)

    def refusal(self, value: Any, reason: str, remedy: str, line: int | None = None) -> InvalidInput:
        """The error for a value that does not do."""
        return InvalidInput(self.key or self.whole, value, reason, remedy, file=self.file, line=line)

    # -- tables ------------------------------------------------------------------------------------

    def table(self, value: Any, remedy: str = "") -> Mapping[str, Any]:
        """The table itself."""
        if not isinstance(value, Mapping):
            raise self.refusal(value, "is no table", remedy or f"write [{self.key}]")
        return value

    def only(self, table: Mapping[str, Any], known: Iterable[str], where: str = "") -> None:
        """Refuses an unknown key, with the one that comes close."""
        names = sorted(known)
        for name in table:
            if name not in names:
                key = f"key of {self.key}" if self.key else "key"
                raise Place(self.file, f"{key}{where}").refusal(name, "is unknown", near(name, names))

    def need(self, table: Mapping[str, Any], names: Iterable[str]) -> None:
        """Refuses a table that lacks a key."""
        lacking = [name for name in names if name not in table]
        if lacking:
            raise self.refusal(sorted(table), "lacks keys", f"add {', '.join(lacking)}")

    def at_most(self, most: int, held: Collection[Any], what: str) -> None:
        """Refuses more items than that."""
        if len(held) > most:
            raise self.refusal(len(held), f"are more than {most}", f"write several {what}")

    # -- single values -----------------------------------------------------------------------------

    def text(self, value: Any) -> str:
        """The text itself."""
        if not isinstance(value, str):
            raise self.refusal(value, "is no text", 'write it in quotes: "..."')
        return value

    def items(self, value: Any, remedy: str = 'write ["one", "two"]') -> list[Any]:
        """The items of a list."""
        if not isinstance(value, list):
            raise self.refusal(value, "is no list", remedy)
        return value

    def texts(self, value: Any) -> list[str]:
        """The texts of a list."""
        return [self.text(one) for one in self.items(value)]

    def flag(self, value: Any) -> bool:
        """The truth value itself."""
        if not isinstance(value, bool):
            raise self.refusal(value, "is neither true nor false", "write true or false, without quotes")
        return value

    def version(self, value: Any) -> int:
        """The version itself: a whole number from 1 on."""
        if type(value) is not int or not 1 <= value <= _BIGGEST:
            raise self.refusal(value, "is no version", "count versions 1, 2, 3")
        return value

    def amount(self, value: Any) -> int:
        """The number itself: a whole one from 1 on."""
        if type(value) is not int or not 1 <= value <= _BIGGEST:
            raise self.refusal(value, "is no number of records", "write a whole number from 1 on")
        return value

    def count(self, value: Any) -> int:
        """The number itself, of whatever it counts: a whole one from 1 on."""
        if type(value) is not int or not 1 <= value <= _BIGGEST:
            raise self.refusal(value, "is no number from 1 on", "write a whole number, without quotes")
        return value

    def date(self, value: Any) -> dt.date:
        """The date that stands here as such, or as text where there are no dates."""
        if isinstance(value, dt.date) and not isinstance(value, dt.datetime):
            return value
        try:
            if isinstance(value, str) and ISO_DATE.fullmatch(value):
                return dt.date.fromisoformat(value)
        except ValueError:
            pass
        raise self.refusal(value, "is no date", f"write {self.key.rpartition('.')[2]} = 2024-01-01")

    def one_of(self, value: Any, choices: Iterable[str]) -> str:
        """The word itself, if it is one of the choices; else refused with the one that comes close."""
        names = [str(choice) for choice in choices]
        if self.text(value) not in names:
            raise self.refusal(value, "is unknown", near(value, names))
        return str(value)

    def some_of(self, value: Any, kind: type[E]) -> frozenset[E]:
        """The words of a list, each one of a kind."""
        return frozenset(kind(self.one_of(one, kind)) for one in self.texts(value))

    # -- what is made of them ----------------------------------------------------------------------

    def made(self, make: Callable[[], T]) -> T:
        """What `make` makes; its refusal is told with file and key."""
        key = self.key or self.whole
        try:
            return make()
        except InvalidInput:
            raise
        except InvalidValue as wrong:
            what = key if key.endswith(wrong.what) else f"{key}: {wrong.what}"
            raise Place(self.file, what).refusal(wrong.value, wrong.reason, wrong.remedy) from None
        except NeverOpens as wrong:
            remedy = "give it hours that are not taken away again"
            raise self.refusal(str(wrong), "never opens", remedy) from None
        except BeyondHorizon as wrong:
            told, _, remedy = str(wrong).partition("; ")
            raise self.refusal(told, "is too far away", remedy) from None


Spoken = tuple[tuple[re.Pattern[str], str], ...]
"""How remedies speak Python, and how a file says the same."""


def spoken(*pairs: tuple[str, str]) -> Spoken:
    """Patterns of what remedies say in Python, each with what the file says in its place."""
    return tuple((re.compile(python), toml) for python, toml in pairs)


def in_words_of_the_file(read: Callable[[], T], words: Spoken) -> T:
    """What `read` reads; what the values themselves refuse is told in the words of the file."""
    try:
        return read()
    except InvalidInput as wrong:
        what, value, reason, remedy = wrong.what, wrong.value, wrong.reason, wrong.remedy
        for python, toml in words:
            remedy = python.sub(toml, remedy)
        raise InvalidInput(what, value, reason, remedy, file=wrong.file, line=wrong.line) from None


class Form(NamedTuple):
    """How a kind of value is read with its place, and written."""

    read: Callable[[Place, Any], Any]
    write: Callable[[Any], Any]


TEXT, FLAG, VERSION = Form(Place.text, str), Form(Place.flag, bool), Form(Place.version, int)
TEXTS = Form(Place.texts, sorted)
NAMES = Form(lambda place, value: (value,) if isinstance(value, str) else tuple(place.texts(value)), list)
"""One word, or a list of them in an order that counts."""

AMOUNT, COUNT = Form(Place.amount, int), Form(Place.count, int)
DATE = Form(Place.date, dt.date.isoformat)


def one_of(choices: Iterable[str]) -> Form:
    """The form of a word that is one of the choices."""
    known = tuple(choices)
    return Form(lambda place, value: place.one_of(value, known), str)


def some_of(kind: type[StrEnum]) -> Form:
    """The form of a list of words, each one of a kind."""
    return Form(lambda place, value: place.some_of(value, kind), lambda held: sorted(map(str, held)))


@attrs.frozen
class Rows:
    """A class of values and the forms of its fields: how a table is read to one, and written of one."""

    kind: type[Any]
    forms: Mapping[str, Form]
    needed: tuple[str, ...] = attrs.field(init=False)

    @needed.default
    def _without_default(self) -> tuple[str, ...]:
        fields = attrs.fields(self.kind)
        return tuple(one.name for one in fields if one.default is attrs.NOTHING and one.name in self.forms)

    def given(self, place: Place, table: Mapping[str, Any]) -> dict[str, Any]:
        """The arguments that a table gives to the class; keys that stand for others are passed over."""
        return {
            name: self.forms[name].read(place.at(name), value)
            for name, value in table.items()
            if name in self.forms
        }

    def read(self, place: Place, value: Any) -> Any:
        """The value that a table says."""
        table = place.table(value, f"write {{ {next(iter(self.forms))} = ... }}")
        place.only(table, self.forms)
        place.need(table, self.needed)
        given = self.given(place, table)
        return place.made(lambda: self.kind(**given))

    def write(self, value: Any) -> dict[str, Any]:
        """The table of a value, without what is at its default."""
        return {
            field.name: self.forms[field.name].write(held)
            for field in attrs.fields(self.kind)
            if field.name in self.forms and not _usual(held := getattr(value, field.name), field.default)
        }


def _usual(value: Any, default: Any) -> bool:
    """Whether a field is at its default; one that a factory makes is empty."""
    return not value if isinstance(default, attrs.Factory) else value == default  # type: ignore[arg-type]


# --- texts and files --------------------------------------------------------------------------


def read_file(path: str | Path, whole: str = "agreement") -> tuple[Place, dict[str, Any]]:
    """The values of a TOML file, and the place of all of them."""
    file = Path(path)
    with file.open("rb") as opened:
        written = opened.read(MOST_BYTES + 1)
    place = Place(str(file), whole=whole)
    return place, read_toml(place, written)


def read_toml(place: Place, written: str | bytes) -> dict[str, Any]:
    """The values of a TOML text; one that is too long, too deep or no TOML is refused."""
    if len(written) > MOST_BYTES:
        raise place.refusal("a text", f"is longer than {MOST_BYTES} bytes", "no agreement needs so many")
    try:
        text = written.decode("utf-8-sig") if isinstance(written, bytes) else written.removeprefix("\ufeff")
        _no_long_names(place, text)
        return bounded(place, tomllib.loads(text))
    except RecursionError:
        remedy = "write tables and lists a few levels deep, as in the example of the documentation"
        raise place.refusal("a text", "is nested too deep", remedy) from None
    except InvalidValue:
        raise
    except ValueError as wrong:  # no TOML, no UTF-8, or a number of thousands of digits
        line = re.search(r"line (\d+)", str(wrong))
        remedy = 'write keys as name = "value", in UTF-8'
        raise place.refusal(str(wrong), "is no TOML", remedy, int(line[1]) if line else 1) from None


_BESIDE_NAMES = re.compile(r""""(?:[^"\\\n]|\\.)*+(?:"|\\?$)|'[^'\n]*+(?:'|$)|#.*+""", re.MULTILINE)


def _no_long_names(place: Place, text: str) -> None:
    """Refuses a name of thousands of dotted parts, which takes the parser hours; texts may have as many."""
    over_lines = '"""' in text or "'''" in text  # then a line does not tell where its texts begin
    bare = text if over_lines else _BESIDE_NAMES.sub("", text)
    for number, line in enumerate(bare.split("\n"), start=1):
        if line.count(".") > _MOST_DOTS:
            remedy = "write plain keys, and long lists over several lines"
            raise place.refusal("a line", f"has over {_MOST_DOTS} dots", remedy, number)


def bounded(place: Place, plain: Any) -> dict[str, Any]:
    """The values as plain dicts and lists; refused if too many, too deep, too long or no table of texts."""
    left = [MOST_PARTS]
    found: dict[str, Any] = _plain(place, dict(place.table(plain, "give a dict")), left, 0)
    return found


def _plain(place: Place, value: Any, left: list[int], deep: int) -> Any:
    if isinstance(value, str):
        if len(value) > MOST_TEXT:
            raise place.refusal(f"{len(value)} characters", "is too long", f"write at most {MOST_TEXT}")
        return place.made(lambda: frozen_json(value, "text"))
    if not isinstance(value, Mapping | list | tuple):
        return value
    left[0] -= len(value)
    if left[0] < 0 or deep > _DEEPEST:
        reason = f"holds over {MOST_PARTS} values" if left[0] < 0 else "is nested too deep"
        raise place.refusal("a table or list", reason, "no agreement needs that")
    if isinstance(value, Mapping):
        names = [place.made(lambda name=name: _name(place, name)) for name in value]  # type: ignore[misc]
        values = zip(names, value.values(), strict=True)
        return {name: _plain(place.at(name), item, left, deep + 1) for name, item in values}
    return [_plain(place, item, left, deep + 1) for item in value]


def _name(place: Place, name: Any) -> str:
    if not isinstance(name, str):
        raise place.refusal(name, "is no text, and stands as a key", "write it in quotes")
    return str(frozen_json(name, "key"))
