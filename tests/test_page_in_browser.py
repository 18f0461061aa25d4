"""The demo's page in headless Chromium: it fits, it reads, and it loads nothing."""

import io

import pytest

from itsm_core.demo import run_demo

SIZES = [(1280, 900), (390, 844)]

LABELS = """
const rects = [], walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
for (let node = walker.nextNode(); node; node = walker.nextNode()) {
  if (!node.data.trim() || !node.parentElement.checkVisibility({visibilityProperty: true})) continue;
  if (node.parentElement.closest('thead') && getComputedStyle(node.parentElement.closest('thead'))
      .position === 'absolute') continue;  // read aloud, not shown
  const range = document.createRange(), size = parseFloat(getComputedStyle(node.parentElement).fontSize);
  range.selectNodeContents(node);
  for (const r of range.getClientRects())
    if (r.width > 0 && r.height > 0)
      rects.push([r.left, r.top + scrollY, r.right, r.bottom + scrollY, size, node.data.trim()]);
}
return rects;
"""


@pytest.fixture(scope="module")
def pages(tmp_path_factory):
    """The page of the demo in each language."""
    folder = tmp_path_factory.mktemp("page")
    made = {}
    for lang in ("en", "zh"):
        made[lang] = folder / f"{lang}.html"
        run_demo(database=folder / "demo.db", page=made[lang], lang=lang, out=io.StringIO())
    return made


@pytest.fixture
def shown(browser, pages):
    """`shown(lang, width)`: a browser that shows the page."""

    def show(lang, width):
        driver = browser(width)
        driver.get(pages[lang].as_uri())
        assert driver.execute_script("return window.innerWidth") == width
        return driver

    return show


def overlaps(rects):
    """The pairs of labels whose boxes share more than a pixel in both directions."""
    rects = sorted(rects, key=lambda r: r[1])
    found = []
    for i, (left, _, right, bottom, _, text) in enumerate(rects):
        for other in rects[i + 1 :]:
            if other[1] >= bottom - 1:
                break
            if min(right, other[2]) - max(left, other[0]) > 1:
                found.append((text, other[5]))
    return found


@pytest.mark.parametrize("lang", ["en", "zh"])
@pytest.mark.parametrize(("width", "height"), SIZES)
def test_the_page_fits_and_its_labels_read(shown, lang, width, height):
    """No sideways scroll, no text below 11 pixels, no label on another, opened explanations too."""
    driver = shown(lang, width)
    for _ in range(2):
        assert driver.execute_script("return document.documentElement.scrollWidth") <= width
        labels = driver.execute_script(LABELS)
        assert len(labels) > 55 * 8
        assert min(size for *_, size, _ in labels) >= 11
        assert all(left >= 0 and right <= width for left, _, right, *_ in labels)
        assert not overlaps(labels)
        driver.execute_script("document.querySelectorAll('details').forEach(d => d.open = true)")


def test_the_page_loads_nothing_and_complains_of_nothing(shown):
    """No request beside the file itself, and an empty console."""
    driver = shown("en", 1280)
    assert driver.execute_script("return performance.getEntriesByType('resource').length") == 0
    assert driver.get_log("browser") == []


@pytest.mark.parametrize(("width", "height"), SIZES)
def test_every_bar_lies_in_its_card(shown, width, height):
    """Stretches and marks stay within the frame of the bar, and running is visible."""
    driver = shown("en", width)
    stray = driver.execute_script("""
      return [...document.querySelectorAll('article .bar')].flatMap(bar => {
        const frame = bar.getBoundingClientRect();
        return [...bar.children].filter(part => {
          const box = part.getBoundingClientRect();
          return box.left < frame.left - 6 || box.right > frame.right + 6;
        }).map(part => bar.closest('article').id + ' ' + part.className);
      });
    """)
    assert stray == []
    narrow = driver.execute_script("""
      return [...document.querySelectorAll('.bar .run')].filter(
        part => part.getBoundingClientRect().width < 2).length;
    """)
    assert narrow == 0


def test_a_row_of_the_table_leads_to_its_card(shown):
    """The link of T-09 goes to the card of T-09."""
    driver = shown("en", 1280)
    driver.execute_script("document.querySelector('a[href=\"#T-09\"]').click()")
    assert driver.execute_script("return document.querySelector(':target').id") == "T-09"
