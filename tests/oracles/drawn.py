"""Strict readers of what displays write: Mermaid, DOT and HTML, each from the grammar of its language.

A reader knows only the statements that a diagram may hold and fails on anything else, so text that
broke out of a label cannot go unseen. Mermaid 11 and Graphviz 2.43 read the same samples by hand.
"""

import html
import re
from html.parser import HTMLParser
from typing import NamedTuple

# --- Mermaid, as its flow.jison has it -------------------------------------------------------

SHAPES = {
    ("([", "])"): "stadium", ("[", "]"): "box", ("{{", "}}"): "hexagon", ("(", ")"): "rounded",
    ("[[", "]]"): "double", (">", "]"): "flag", ("((", "))"): "circle",
}  # fmt: skip
_KEY = r"(?:s\d+|w\d+|begin)"
_COLOUR = r"#[0-9a-f]{6}"
_STYLE = rf"(?:fill:{_COLOUR}|stroke:{_COLOUR}|color:{_COLOUR}|stroke-width:\d+px|stroke-dasharray:\d+ \d+)"
_NODE = re.compile(rf'({_KEY})(\(\[|\[\[|\[|\{{\{{|\(\(|\(|>)"([^"]*)"(\]\)|\]\]|\]|\}}\}}|\)\)|\))')
_EDGE = re.compile(rf'({_KEY}) (-->|==>|-\.->)\|"([^"]*)"\| ({_KEY})')
_BARE = re.compile(rf"({_KEY}) (-\.-) ({_KEY})")
_BEGIN = re.compile(rf'begin\(\(" "\)\) --> ({_KEY})')
_CLASS_DEF = re.compile(rf"classDef \w+ {_STYLE}(?:,{_STYLE})*")
_CLASS = re.compile(rf"class ({_KEY}(?:,{_KEY})*) (\w+)")
# Inside quotes: no sign of ASCII but comma and space, "-" and "_" only inside a word, entities for the
# rest; and no word with which the lexer takes a whole line for a statement, wherever it stands.
_PLAIN = re.compile(
    r"(?:[A-Za-z0-9 ,]|(?<=[A-Za-z0-9])[-_](?=[A-Za-z0-9])|#\d+;|<br/>|[^\x00-\x7f\u2028\u2029])*"
)


class Flowchart(NamedTuple):
    """What a Mermaid flowchart says: nodes with shape and label, edges, notes, and classes of nodes."""

    direction: str
    title: str
    first: str
    nodes: dict
    edges: list
    bare: list
    classes: dict


def _shown(raw):
    assert _PLAIN.fullmatch(raw), raw
    assert "direction" not in raw
    return re.sub(r"#(\d+);", lambda found: chr(int(found[1])), raw)


def read_mermaid(text):
    """The flowchart that the text holds, every line of it being one statement."""
    head, *lines, last = text.split("\n")
    assert last == ""
    chart = Flowchart(re.fullmatch("flowchart (LR|TB|RL|BT)", head)[1], "", "", {}, [], [], {})
    assert lines[0].startswith("  accTitle: ")
    chart = chart._replace(title=_shown(lines[0].removeprefix("  accTitle: ")))
    for line in lines[1:]:
        assert line.startswith("  ")
        assert "\r" not in line
        chart = _statement(chart, line[2:])
    return chart


def _statement(chart, line):
    if found := _BEGIN.fullmatch(line):
        assert not chart.first
        return chart._replace(first=found[1])
    if found := _NODE.fullmatch(line):
        key, left, label, right = found.groups()
        assert key not in chart.nodes
        chart.nodes[key] = (SHAPES[left, right], _shown(label))
    elif found := _EDGE.fullmatch(line):
        source, arrow, label, dest = found.groups()
        chart.edges.append((source, arrow, tuple(map(_shown, label.split("<br/>"))), dest))
    elif found := _BARE.fullmatch(line):
        chart.bare.append((found[1], found[3]))
    elif found := _CLASS.fullmatch(line):
        for key in found[1].split(","):
            chart.classes.setdefault(key, []).append(found[2])
    else:
        assert _CLASS_DEF.fullmatch(line), line
    return chart


# --- DOT, as Graphviz documents its language --------------------------------------------------

_TOKEN = re.compile(
    r'\s*(?:("(?:[^"\\]|\\.)*")|([A-Za-z_][A-Za-z_0-9]*|-?\d+(?:\.\d+)?)|(->|[\[\]{}=;]))', re.DOTALL
)
_ENTITY = re.compile(r"&(?!amp;)")


class Digraph(NamedTuple):
    """What a DOT text says: attributes of all, nodes, edges, and sets of nodes on one rank."""

    attributes: dict
    nodes: dict
    edges: list
    ranks: list


def _string(token):
    """What a quoted string shows: only a quote and a backslash may be escaped, and lines broken."""
    raw = token[1:-1]
    assert not re.search(r'\\[^\\"n]', raw.replace("\\\\", "")), raw
    assert not _ENTITY.search(raw), raw
    assert "\n" not in raw
    signs = {"\\\\": "\\", '\\"': '"', "\\n": "\n"}
    return re.sub(r'\\[\\"n]', lambda found: signs[found[0]], raw).replace("&amp;", "&")


def _tokens(text):
    place = 0
    while text[place:].strip():
        found = _TOKEN.match(text, place)
        assert found, text[place : place + 60]
        yield found[1] or found[2] or found[3]
        place = found.end()


def read_dot(text):
    """The graph that the text holds."""
    tokens = list(_tokens(text))
    assert tokens[:3] == ["digraph", "lifecycle", "{"]
    graph, place = Digraph({}, {}, [], []), 3
    while tokens[place] != "}":
        place = _dot_statement(graph, tokens, place)
    assert place == len(tokens) - 1
    return graph


def _dot_statement(graph, tokens, place):
    if tokens[place] == "{":
        end = tokens.index("}", place)
        assert tokens[place + 1 : place + 5] == ["rank", "=", "same", ";"]
        graph.ranks.append([token for token in tokens[place + 5 : end] if token != ";"])
        return end + 1
    name = tokens[place]
    assert re.fullmatch(_KEY + "|graph|node|edge", name)
    if tokens[place + 1] == "->":
        attributes, end = _dot_attributes(tokens, place + 3)
        graph.edges.append((name, tokens[place + 2], attributes))
        return end
    attributes, end = _dot_attributes(tokens, place + 1)
    assert attributes
    (graph.attributes if name in ("graph", "node", "edge") else graph.nodes)[name] = attributes
    return end


def _dot_attributes(tokens, place):
    if tokens[place] != "[":
        return {}, place
    end, found = tokens.index("]", place), {}
    for at in range(place + 1, end, 3):
        name, equals, value = tokens[at : at + 3]
        assert equals == "="
        assert name not in found
        found[name] = _string(value) if value.startswith('"') else value
    return found, end + 1


# --- HTML ---------------------------------------------------------------------------------------

_VOID = {"br", "hr", "img", "input", "meta", "link"}
_DRAWING = {"svg", "title", "style", "rect", "text", "line", "circle", "path", "g"}
TAGS = _DRAWING | {
    "div", "p", "ul", "ol", "li", "table", "caption", "thead", "tbody", "tr", "th", "td", "code", "bdi",
}  # fmt: skip
ATTRIBUTES = {
    "class", "lang", "style", "role", "tabindex", "aria-label", "scope", "xmlns", "width", "height", "viewbox",
    "x", "y", "x1", "x2", "y1", "y2", "cx", "cy", "r", "rx", "d", "fill", "stroke", "stroke-width",
    "transform", "text-anchor",
}  # fmt: skip


class Reader(HTMLParser):
    """Reads a fragment, and fails on a tag or attribute that displays do not use, or one left open."""

    def __init__(self, markup):
        super().__init__(convert_charrefs=True)
        self.open, self.seen, self.text, self.cells, self.rows = [], [], "", [], []
        self.feed(markup)
        self.close()
        assert not self.open

    def handle_starttag(self, tag, attrs):
        assert tag in TAGS, tag
        assert {name for name, _ in attrs} <= ATTRIBUTES, attrs
        self.seen.append((tag, dict(attrs)))
        self.open.append(tag)
        if tag == "tr":
            self.rows.append([])
        if tag in ("td", "th"):
            self.rows[-1].append("")

    def handle_startendtag(self, tag, attrs):
        self.handle_starttag(tag, attrs)
        self.handle_endtag(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if "style" in self.open:
            return
        self.text += data
        if self.open and ("td" in self.open or "th" in self.open):
            self.rows[-1][-1] += data

    def handle_comment(self, data):
        raise AssertionError(data)

    handle_decl = handle_pi = unknown_decl = handle_comment


# --- Markdown -----------------------------------------------------------------------------------


def cells_of(markup):
    """The cells of all tables in a page, as a reader sees them."""
    rows = re.findall(r"<tr>(.*?)</tr>", markup, re.DOTALL)
    return [
        [_text(cell) for cell in re.findall(r"<t[dh][^>]*>(.*?)</t[dh]>", row, re.DOTALL)] for row in rows
    ]


def _text(markup):
    assert set(re.findall(r"<(/?\w+)", markup)) <= {"code", "/code", "strong", "/strong"}, markup
    return html.unescape(re.sub(r"<[^>]*>", "", markup))


# --- contrast, as WCAG 2 counts it ----------------------------------------------------------------


def contrast(one, other):
    """The ratio of the lightness of two colours, from 1 to 21."""
    light, dark = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def _luminance(colour):
    whole = "".join(letter * 2 for letter in colour[1:]) if len(colour) == 4 else colour[1:]
    parts = [int(whole[n : n + 2], 16) / 255 for n in (0, 2, 4)]
    red, green, blue = (
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


# --- what people may write ------------------------------------------------------------------------

HOSTILE = [
    '"', "'", "\\", 'a\\"b', "x\nend\ny", "-->", "]]", "%% hidden", '%%{init: {"theme":"dark"}}%%', "<b>bold</b>",
    "<script>alert(1)</script>", "</svg><script>alert(1)</script>", "&lt;i&gt; &amp; &#60;", "#quot; #35;", "🚀 go",
    "ערב טוב", "\u202eevil", "x" * 10_000, "end", "graph", "class s0 evil", "1. first", "- item", "1) one", "# head",
    "`code`", '"`**md**`"', "*a* _b_ __c__", "http://e.example www.e.example a@b.c", "fa:fa-car", "style x:#f;",
    ":::now", "|pipe|", "{{x}}", "((x))", "   ", "\u200b", ";", "s0 --> s1", 'click s0 "javascript:alert(1)"',
    "$$x^2$$", "N\\N \\G \\l", "~~~", "---", "???", "subgraph", "direction TB", "direction\ufeffLR", "\ud800", "a&b",
    "@{ shape: x }", "tab\there", "}}%%", "x<br/>y", "trailing\\", "\ufb02\u00b0\u00b060\u00b6\u00df", "待審批", "\x00\x1b[2J",
    "<!-- x -->", "]]>", "&", "{: onclick=x }", "!" + "[" + "x" + "](y)", "\u2028line", "=cmd|' /C calc'!A0",
]  # fmt: skip
"""Labels that break something somewhere."""
