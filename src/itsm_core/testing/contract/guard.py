"""That a check is neither overridden nor taken away in silence."""

from __future__ import annotations

from typing import Any

import pytest


class Guarded:
    """Checks on the subclass itself."""

    def test_suite_no_check_is_overridden_or_deleted(self) -> None:
        """A check that does not hold is marked `pytest.mark.xfail(reason=...)`; it is never dropped."""
        suite = next(c for c in type(self).__mro__ if c.__module__.startswith(__package__) and checks_of(c))
        wrong = [name for name in checks_of(suite) if not _stands(getattr(type(self), name), suite, name)]
        if wrong:
            said = f"{', '.join(wrong)}: overridden or deleted"
            pytest.fail(f"{said}; mark what cannot hold with pytest.mark.xfail(reason=...) instead")

    def test_suite_checks_can_fail(self) -> None:
        """Assertions are on: `python -O` without pytest's own would take every check away."""
        with pytest.raises(AssertionError):
            assert not checks_of(type(self))


def checks_of(suite: type) -> tuple[str, ...]:
    """The names of the checks of a suite, in the order of their promises."""
    return tuple(sorted((n for n in dir(suite) if n.startswith("test_")), key=promise_of))


def promise_of(check: str) -> tuple[int, str]:
    """The promise that a check proves by its name: 1 to 10, or 0 for what concerns all of them."""
    word = check.split("_")[1]
    return (int(word[1:]) if word[:1] == "p" and word[1:].isdigit() else 0), check


def _stands(found: Any, suite: type, name: str) -> bool:
    """Whether it is the suite's own check, or says why it is not expected to pass."""
    if found is getattr(suite, name):
        return True
    marks = getattr(found, "pytestmark", [])
    return callable(found) and any(m.name == "xfail" and m.kwargs.get("reason") for m in marks)
