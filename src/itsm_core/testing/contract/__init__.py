"""The contract suite: what every store and every notifier owes, as classes to subclass with pytest.

Order: samples, subject, guard, commits, reads, claims, finds, together, model, store, awaited, notifier,
report.

A check is named after the numbered promise of `itsm_core.ports.Store` that it proves. `CONTRACT` of
`itsm_core.testing` is the version of the suite: a check that is new or stricter is a new version.
"""

import pytest

pytest.register_assert_rewrite(
    *(
        f"{__name__}.{module}"
        for module in (
            "subject", "guard", "commits", "reads", "claims", "finds", "together", "model", "store",
            "notifier",
        )
    )
)  # fmt: skip
