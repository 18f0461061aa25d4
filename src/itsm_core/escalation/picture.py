"""A preview as a picture: who is told when, down a line of time, as SVG.

Like the pictures of clocks it loads nothing, runs nothing, escapes every text and follows the reader's
light or dark setting. What fires is a full sign, what is skipped an empty one.
"""

from __future__ import annotations

from collections.abc import Iterator

from itsm_core.business_time.picture import Drawing, escaped, shortened
from itsm_core.escalation.preview import Preview, Row
from itsm_core.escalation.steps import StepKind
from itsm_core.escalation.words import PICTURE

_STYLE = """\
.itsm-chain{color:#1b2430;font:12px system-ui,"Segoe UI",Roboto,Arial,"PingFang SC","Microsoft YaHei",\
"Noto Sans CJK SC",sans-serif;font-variant-numeric:tabular-nums;display:block;--card:#fff;--soft:#55606e;\
--line:#8b95a3;--tell:#3b78c4;--act:#a06a00}
.itsm-chain text{fill:currentColor}.itsm-chain .name,.itsm-chain .who{font-weight:600}
.itsm-chain .card{fill:var(--card)}.itsm-chain .soft{fill:var(--soft)}.itsm-chain .time{text-anchor:end}
.itsm-chain .line{stroke:var(--line);stroke-width:2}
.itsm-chain .tell{fill:var(--tell)}.itsm-chain .act{fill:var(--act)}
.itsm-chain .not{fill:var(--card);stroke:var(--line);stroke-width:2}
@media(prefers-color-scheme:dark){.itsm-chain{color:#e6eaf0;--card:#1b212a;--soft:#a5b0be;--line:#6b7685;\
--tell:#4f8fdd;--act:#d9a441}}
"""
_TOP, _ROW, _LINE, _NOTE = 52, 40, 118, 18


def draw(preview: Preview, lang: str = "en") -> Drawing:
    """The picture of a preview, in English ("en") or Chinese ("zh")."""
    table = preview.table(lang)
    title = table.caption
    told = [f"{offset} {step}: {who}, {why}" for (offset, _, step, who, _, why) in table.rows]
    notes = preview.said(lang)
    desc = "; ".join([title, *(told or [PICTURE[lang, "nothing"]]), *notes])
    below = _TOP + _ROW * max(len(preview.rows), 1) + 8
    height = below + _NOTE * len(notes)
    rows = "".join(_rows(preview, lang)) or _text(_LINE - 98, _TOP + 4, "soft", PICTURE[lang, "nothing"])
    rows += "".join(
        _text(20, below + _NOTE * n, "soft", shortened(note, 110)) for n, note in enumerate(notes)
    )
    last = _TOP + _ROW * (len(preview.rows) - 1)
    line = (
        f'<line class="line" x1="{_LINE}" x2="{_LINE}" y1="{_TOP}" y2="{last}"/>'
        if len(preview.rows) > 1
        else ""
    )
    return Drawing(
        f'<svg xmlns="http://www.w3.org/2000/svg" class="itsm-chain" role="img" width="100%" '
        f'height="{height}" aria-label="{escaped(desc)}">\n<title>{escaped(title)}</title>\n'
        f"<desc>{escaped(desc)}</desc>\n<style>\n{_STYLE}</style>\n"
        f'<rect class="card" width="100%" height="100%" rx="6"/>\n'
        f"{_text(20, 22, 'name', shortened(title, 70))}\n{line}\n{rows}</svg>\n"
    )


def _rows(preview: Preview, lang: str) -> Iterator[str]:
    cells = preview.table(lang).rows
    for n, (row, (offset, at, step, who, channel, why)) in enumerate(zip(preview.rows, cells, strict=True)):
        y = _TOP + _ROW * n
        how = "" if channel == "-" else f" ({channel})"
        yield (
            f"{_text(_LINE - 16, y - 1, 'time name', offset)}{_text(_LINE - 16, y + 13, 'time soft', at[5:])}"
            f"{_sign(row, y)}"
            f"{_text(_LINE + 16, y - 1, 'who', shortened(f'{who}{how}', 60))}"
            f"{_text(_LINE + 16, y + 13, 'soft', shortened(f'{step}: {why}', 90))}\n"
        )


def _sign(row: Row, y: int) -> str:
    if row.skipped is not None:
        return f'<circle class="not" cx="{_LINE}" cy="{y}" r="5"/>'
    if row.kind is StepKind.HIERARCHIC:
        return f'<circle class="tell" cx="{_LINE}" cy="{y}" r="6"/>'
    return f'<rect class="act" x="{_LINE - 5}" y="{y - 5}" width="10" height="10"/>'


def _text(x: int, y: int, kind: str, text: str) -> str:
    return f'<text class="{kind}" x="{x}" y="{y}">{escaped(text)}</text>'
