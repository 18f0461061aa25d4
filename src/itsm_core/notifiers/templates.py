"""What messages say, from templates in English and Chinese (extra `templates`); a host may write its own.

A template is a text such as `breach.en.txt`: its first line is `Subject: ...`, then comes the text.
HTML is made of the rendered text by `layout.html`, or by a `breach.en.html` of the host. Templates see
the facts of the message by name (one that is missing is empty), and beside them record, number, to,
channel, audience, subject, body, lang, zone, link (`facts["url"]`, if it is http or https), late_minutes, and
in HTML paragraphs. Filters of ours: `instant` (in the zone of the templates), `listed`.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import logging
import re
import traceback
from collections.abc import Callable, Iterable, Mapping
from importlib.resources import files
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import attrs

from itsm_core.business_time.instants import parse_text, utc, zone_like
from itsm_core.errors import InvalidValue
from itsm_core.notifiers.words import Words, as_said, lines, one_line, printable
from itsm_core.ports import Message
from itsm_core.values import only

INSTALL = "Templates needs its extra: pip install 'itsm-core[templates]'"
KINDS = ("said", "informed", "acknowledge", "breach", "major_incident")
LAYOUT = "layout.html"
_NAME = re.compile(r"[a-z0-9_]+\.[A-Za-z-]+\.(txt|html)|layout\.html")
_PART = re.compile(r"[a-z0-9_]+\.[A-Za-z-]+\.(txt|html|subject)|layout\.html")
_SUBJECT = re.compile(r"Subject:[ \t]*(?P<subject>\S[^\n]*)\n(?P<text>.*)", re.DOTALL)
_GAP = re.compile("\n[ \t]*(?:\n[ \t]*)+\n")
_REMEDY = 'name templates such as "breach.en.txt" or "breach.en.html", or "layout.html"'
_MINUTE = 60_000_000
_LOG = logging.getLogger("itsm_core.templates")


def kind_of(message: Message) -> str:
    """Which template a message takes: that of its fact `template`, or one that its other facts suggest."""
    facts = message.facts
    if facts.get("template"):
        return str(facts["template"])
    if "acknowledge_by" in facts:
        return "acknowledge"
    return "informed" if "step" in facts else "said"


def _texts(value: Mapping[str, str] | Path | str) -> dict[str, str]:
    """The host's templates by file name: a mapping, or a folder of files."""
    if isinstance(value, Mapping):
        remedy = 'give texts by file name: {"breach.en.txt": "Subject: ..."}'
        return {
            only(str, name, "template", _REMEDY): only(str, text, name, remedy)
            for name, text in value.items()
        }
    if not isinstance(value, Path | str) or not Path(value).is_dir():
        raise InvalidValue("templates", str(value), "is no folder", "give a folder, or a mapping of texts")
    found = sorted(path for path in Path(value).iterdir() if path.suffix in (".txt", ".html"))
    return {path.name: _read(path) for path in found}


def _read(path: Path) -> str:
    """The text of a file, without the mark that some editors put before UTF-8."""
    try:
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise InvalidValue("template", str(path), "is no UTF-8", "save it in UTF-8") from None


def _shipped() -> dict[str, str]:
    folder = files("itsm_core.notifiers").joinpath("texts")
    return {entry.name: entry.read_text(encoding="utf-8") for entry in folder.iterdir()}


def _logged(message: Message, error: Exception) -> None:
    """Logs where a template failed; what the error says may quote a ticket and stays out."""
    frames = traceback.extract_tb(error.__traceback__)
    frame = next((one for one in reversed(frames) if _PART.fullmatch(one.filename)), frames[-1])
    about = map(printable, (message.key, type(error).__name__, frame.filename, str(frame.lineno)))
    _LOG.error("message %s goes out in plain words: %s in %s, line %s", *about)


@attrs.frozen
class Templates:
    """Says what messages say: `SmtpNotifier(..., wording=Templates())`.

    `texts` (a folder, or a mapping from file names) replaces shipped templates and adds others.
    `language` is that of all, or a function of the message; its fact `lang` wins, and what has no
    template in a language is said in English. `zone` is that of instants, and the fact `zone` wins.
    `kind` chooses the template. Ticket text is never a template, is escaped in HTML, and begins no
    header. A template that fails leaves the message's own subject and body: a page that looks plain is
    better than none. `failed` is told of it, by default the log "itsm_core.templates" as an error: where and
    of what kind, without the words of the ticket.
    """

    texts: Mapping[str, str] = attrs.field(factory=dict, converter=_texts, repr=False)
    language: str | Callable[[Message], str] = attrs.field(default="en", kw_only=True)
    zone: ZoneInfo = attrs.field(default=ZoneInfo("UTC"), converter=zone_like, kw_only=True)
    kind: Callable[[Message], str] = attrs.field(default=kind_of, kw_only=True)
    failed: Callable[[Message, Exception], None] = attrs.field(default=_logged, kw_only=True)
    _made: Mapping[str, Any] = attrs.field(init=False, repr=False, eq=False)

    @_made.default
    def _compiled(self) -> Mapping[str, Any]:
        environment = _environment()
        return {
            part: _template(environment, part, source)
            for name, text in {**_shipped(), **self.texts}.items()
            for part, source in _parts(name, text)
        }

    def __call__(self, message: Message) -> Words:
        """The words of a message."""
        try:
            return self._rendered(message)
        except Exception as error:  # whatever a template or a function of the host may raise
            self.failed(message, error)
            return as_said(message)

    def _rendered(self, message: Message) -> Words:
        name = self._name(self.kind(message), self._lang(message))
        known = {**_known(message), "lang": name.rpartition(".")[2], "zone": self._zone(message)}
        subject = one_line(self._made[f"{name}.subject"].render(known)).strip()
        text = _GAP.sub("\n\n", lines(self._made[f"{name}.txt"].render(known))).strip()
        html = self._made.get(f"{name}.html") or self._made[LAYOUT]
        paragraphs = [paragraph.split("\n") for paragraph in text.split("\n\n")]
        shown = html.render({**known, "subject": subject, "paragraphs": paragraphs})
        return Words(subject, text + "\n", html=lines(shown))

    def _lang(self, message: Message) -> str:
        given = message.facts.get("lang")
        return str(given or (self.language if isinstance(self.language, str) else self.language(message)))

    def _zone(self, message: Message) -> ZoneInfo:
        given = message.facts.get("zone")
        with contextlib.suppress(InvalidValue):
            return zone_like(given) if isinstance(given, str) else self.zone
        return self.zone

    def _name(self, kind: str, lang: str) -> str:
        """The template's name: of this language, of it without its region, or English; else "said"."""
        wanted = [f"{k}.{of}" for k in (kind, "said") for of in (lang, lang.partition("-")[0], "en")]
        return next(name for name in wanted if f"{name}.txt" in self._made)


def _parts(name: str, text: str) -> Iterable[tuple[str, str]]:
    """What is compiled of a file: its HTML, or its subject and its text."""
    if not _NAME.fullmatch(name):
        raise InvalidValue("template", name, "is no name of one", _REMEDY)
    if name.endswith(".html"):
        return [(name, text)]
    found = _SUBJECT.fullmatch(text.replace("\r\n", "\n"))
    if found is None:
        raise InvalidValue("template", name, "has no subject", 'begin it with a line "Subject: ..."')
    return [(name.removesuffix("txt") + "subject", found["subject"]), (name, found["text"])]


def _environment() -> Any:
    try:
        from jinja2 import pass_context, sandbox  # noqa: PLC0415 - an extra
    except ImportError:
        raise ImportError(INSTALL) from None
    environment = sandbox.ImmutableSandboxedEnvironment(
        autoescape=lambda name: bool(name and name.endswith(".html")), trim_blocks=True, lstrip_blocks=True
    )
    environment.filters["instant"] = pass_context(lambda known, value: _instant(value, known["zone"]))
    environment.filters["listed"] = lambda value: (
        value if isinstance(value, str) else ", ".join(map(str, value))
    )
    return environment


def _template(environment: Any, name: str, source: str) -> Any:
    import jinja2  # noqa: PLC0415 - an extra

    try:
        code = environment.compile(source, name, name)
    except jinja2.TemplateSyntaxError as error:
        raise InvalidValue(
            "template", name, f"line {error.lineno}: {error.message}", "see the syntax of jinja2"
        ) from None
    return environment.template_class.from_code(environment, code, environment.make_globals(None))


def _known(message: Message) -> dict[str, Any]:
    """What every template may name."""
    facts, link = message.facts, message.facts.get("url")
    # How late the step fired, and how long the message then waited to be sent.
    late = [us for us in (facts.get("lateness_us"), facts.get("delay_us")) if isinstance(us, int)]
    return {
        "number": message.record,
        **facts,
        **{
            name: getattr(message, name)
            for name in ("record", "to", "channel", "audience", "subject", "body")
        },
        "late_minutes": sum(late) // _MINUTE,
        "link": link if isinstance(link, str) and link.startswith(("https://", "http://")) else "",
    }


def _instant(value: object, zone: ZoneInfo) -> str:
    """An instant as people in the zone read it; what is none stays as it is."""
    try:
        at = value if isinstance(value, dt.datetime) else utc(parse_text(str(value)))
        return f"{at.astimezone(zone):%Y-%m-%d %H:%M %Z}"
    except (ValueError, OverflowError):
        return str(value)
