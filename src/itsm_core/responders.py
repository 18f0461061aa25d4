"""What a policy calls those whom it tells: "user:ana", "on_call:network", "role:lead", "callback:siren".

A bare word ("grace") is a name of its own. "kind:word" asks who somebody is, but for the two kinds that name
somebody outright. Every layer reads the names by what stands here: the policy that is checked, the engine
that fires it, the road that asks a directory, and the notifiers.
"""

from __future__ import annotations

import re

USER = "user:"
"""A name that begins so is that of a person, by id."""

CALLBACK = "callback:"
"""A name that begins so is that of a notifier: no person, so nobody looks it up or waits for its word."""

SURELY = (USER, CALLBACK)
"""Names that begin so always answer; whoever else is named may be nobody when a step fires."""

ON_CALL = "on_call:"
"""A name that begins so asks who is on call in a schedule."""

MANAGER_OF = "manager_of:"
"""A name that begins so asks for the manager of the person in a field of the record."""

ASKED = (ON_CALL, "role:", "group:", MANAGER_OF)
"""The kinds that the library knows to ask for: a last resort, which nobody asks about, is none of them."""

MANAGEMENT = "role:management"
"""What a directory is asked for where words go to top management."""

_KIND = re.compile(r"[A-Za-z][A-Za-z0-9_-]*:")


def asks(name: str) -> bool:
    """Whether a name asks who somebody is, rather than naming them.

    >>> tuple(name for name in ("grace", "role:lead", "user:ana", "team:x") if asks(name))
    ('role:lead', 'team:x')
    """
    return _KIND.match(name) is not None and not name.startswith(SURELY)
