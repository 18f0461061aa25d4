"""Where the words of a page stand in a browser, and which of them stand on each other."""

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
