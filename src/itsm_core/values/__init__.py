"""Values that can be stored: plain dicts and text of them by one table, canonical JSON and its digest.

`to_dict` and `from_dict` know every attrs class by its field types alone: no class writes its own.
`canonical` is RFC 8785 for values without floats. What callers hand to constructors goes through
`member`, `only`, `flag`, `each`, `word`, `texts`, `named`, `pairs`, `called` and `counted`.

Order: fields, doors, canonical, making, tables.
"""

from itsm_core.values.canonical import (
    as_object,
    canonical,
    digest,
    digest_of,
    encoder,
    quoted,
    sha256,
    written,
)
from itsm_core.values.doors import (
    called,
    counted,
    each,
    flag,
    is_awaited,
    member,
    named,
    only,
    pairs,
    texts,
    word,
)
from itsm_core.values.fields import DEEPEST, NO_FIELDS, Fields, Json, as_fields, frozen_json, joined
from itsm_core.values.making import evolver, trusted
from itsm_core.values.tables import from_dict, spelt, to_dict

__all__ = [
    "DEEPEST",
    "NO_FIELDS",
    "Fields",
    "Json",
    "as_fields",
    "as_object",
    "called",
    "canonical",
    "counted",
    "digest",
    "digest_of",
    "each",
    "encoder",
    "evolver",
    "flag",
    "from_dict",
    "frozen_json",
    "is_awaited",
    "joined",
    "member",
    "named",
    "only",
    "pairs",
    "quoted",
    "sha256",
    "spelt",
    "texts",
    "to_dict",
    "trusted",
    "word",
    "written",
]
