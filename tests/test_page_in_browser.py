"""The demo's page in headless Chromium: it fits, it reads, and it loads nothing."""

import io

import pytest

from itsm_core.demo import run_demo
from page_labels import LABELS, overlaps

SIZES = [(1280, 900), (390, 844)]


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


@pytest.mark.parametrize(("kind", "article"), [
    ("run", "T-09"), ("over", "T-09"), ("pause", "T-03"), ("closed", "T-20"), ("stop", "T-20"),
])  # fmt: skip
def test_each_kind_of_segment_can_be_seen(shown, kind, article):
    """At least four pixels of it lie on top, and no two kinds are painted alike."""
    driver = shown("en", 1280)
    seen = driver.execute_script(
        """
      return [...document.querySelectorAll(`#${arguments[1]} .bar .${arguments[0]}`)].some(part => {
        part.scrollIntoView({block: 'center'});
        const box = part.getBoundingClientRect(), y = (box.top + box.bottom) / 2;
        let pixels = 0;
        for (let x = box.left + .5; x < box.right; x++) pixels += document.elementFromPoint(x, y) === part;
        return pixels >= 4;
      });
    """,
        kind,
        article,
    )
    assert seen
    paints = driver.execute_script("""
      return ['run', 'over', 'pause', 'closed', 'stop'].map(kind => {
        const part = document.querySelector(`article .bar .${kind}`);
        const style = getComputedStyle(part), after = getComputedStyle(part, '::after');
        return style.backgroundColor + style.backgroundImage + after.backgroundColor;
      });
    """)
    assert len(set(paints)) == 5
