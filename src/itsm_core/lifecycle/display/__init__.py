"""A lifecycle shown to people: as a diagram, as tables, as a page; with a record on it, if one is given.

Order: words, trail, graph, diagrams, tables, lanes, page.

Everything is text made here, with no program and nothing loaded. Every label is escaped for the
language it stands in, and what only steers a terminal or turns text round is replaced.
"""
