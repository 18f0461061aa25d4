"""The package says where to look."""

import re

import itsm_core.sla


def test_the_map_names_every_file_once():
    """As the order does; a file that comes or goes has its place in both."""
    order, drawn = re.search(
        r"Order: (.*?)\.\n.*explain\(\)\n\n(.*)", itsm_core.sla.__doc__, re.DOTALL
    ).groups()
    places = [line.strip().partition("  ")[2] for line in drawn.strip().splitlines()]
    found = [
        word for place in places for word in re.findall(r"\w+", re.sub(r"\b(by|or|with|and)\b", "", place))
    ]
    assert sorted(found) == sorted(re.findall(r"\w+", order))
