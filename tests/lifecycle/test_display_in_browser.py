"""The page of a lifecycle in headless Chromium: it fits, it reads in light and dark, and it runs nothing."""

import pytest

from drawn import HOSTILE, contrast
from itsm_core.processes import PROCESSES
from shown import CHANGE, HISTORY, labelled

TEXTS = """
const found = [], walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
const solid = colour => !colour.endsWith(', 0)') && colour !== 'none';
for (let node = walker.nextNode(); node; node = walker.nextNode()) {
  const parent = node.parentElement;
  if (!node.data.trim() || parent.closest('style, title')) continue;
  const style = getComputedStyle(parent), svg = parent.closest('svg');
  let behind = svg ? getComputedStyle(svg.querySelector('.card')).fill : '';
  for (let up = parent; up && !behind; up = up.parentElement)
    if (solid(getComputedStyle(up).backgroundColor)) behind = getComputedStyle(up).backgroundColor;
  const box = parent.getBoundingClientRect(), frame = (svg || document.body).getBoundingClientRect();
  const inside = !svg || (box.left >= frame.left - 1 && box.right <= frame.right + 1
    && box.top >= frame.top - 1 && box.bottom <= frame.bottom + 1);
  found.push([node.data.trim(), parseFloat(style.fontSize), svg ? style.fill : style.color, behind, inside]);
}
return found;
"""


def colour(told):
    """The colour that a browser calls rgb(1, 2, 3)."""
    return "#" + "".join(
        f"{int(part):02x}" for part in told.removeprefix("rgb(").removesuffix(")").split(",")
    )


def pages(tmp_path):
    """The pages that are looked at, by name."""
    hostile = labelled(HOSTILE)
    made = {
        "path": CHANGE.html(history=HISTORY),
        "chinese": CHANGE.html("zh", history=HISTORY),
        "hostile": hostile.html(
            record=hostile.record('"><img src=x onerror=alert(1)>', hostile.states[2].id)
        ),
        **{name: lifecycle.html() for name, lifecycle in PROCESSES.items()},
    }
    for name, page in made.items():
        head = '<!doctype html><meta charset="utf-8"><title>t</title><script>window.alert = () => {window.ran = 1}</script>'
        (tmp_path / f"{name}.html").write_text(f"{head}\n{page}", encoding="utf-8")
        yield name, (tmp_path / f"{name}.html").as_uri()


@pytest.mark.parametrize("width", [1280, 390])
def test_the_page_fits_reads_and_runs_nothing(browser, tmp_path, width):
    """No sideways scroll of the page, no text outside the picture, contrast of 4.5 in both schemes, no script."""
    driver = browser(width)
    for name, address in pages(tmp_path):
        driver.get(address)
        for scheme in ("light", "dark"):
            media = {"features": [{"name": "prefers-color-scheme", "value": scheme}]}
            driver.execute_cdp_cmd("Emulation.setEmulatedMedia", media)
            texts = driver.execute_script(TEXTS)
            assert len(texts) > 60
            assert min(size for _, size, *_ in texts) >= 12
            assert [text for text, *_, inside in texts if not inside] == [], name
            pairs = {(colour(front), colour(behind)) for _, _, front, behind, _ in texts}
            assert {pair for pair in pairs if contrast(*pair) < 4.5} == set()
        assert driver.execute_script("return document.documentElement.scrollWidth") <= width, name
        assert (
            driver.execute_script("return window.ran || performance.getEntriesByType('resource').length") == 0
        )
        assert (
            driver.execute_script("return document.querySelectorAll('div script, img, a, iframe').length")
            == 0
        )
        assert driver.get_log("browser") == []
