"""`StoreContract`: subclass it, give it one fixture, and every promise of a store is checked."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, ClassVar

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from itsm_core.ports import Store
from itsm_core.testing.contract.claims import ClaimChecks
from itsm_core.testing.contract.commits import CommitChecks
from itsm_core.testing.contract.finds import FindChecks
from itsm_core.testing.contract.guard import Guarded
from itsm_core.testing.contract.model import StoreMachine
from itsm_core.testing.contract.reads import ReadChecks
from itsm_core.testing.contract.subject import Subject
from itsm_core.testing.contract.together import TogetherChecks, Transaction


class StoreContract(CommitChecks, ReadChecks, ClaimChecks, FindChecks, TogetherChecks, Guarded):
    """The numbered promises of `ports.Store`, as checks that pytest runs.

        class TestMyStore(StoreContract):
            @pytest.fixture
            def store(self, tmp_path):
                return MyStore(tmp_path)

    The fixture `store` gives an empty store, a new one for each check. Two more are optional; without them
    the checks that need them are left out, with that reason:

    - `another`: a function that opens a further store on the same records, as another process would, and
      is called any number of times. The suite closes what it opened.
    - `transaction`: a function whose result is a context manager: a transaction of the host, with a store in
      it. Leaving it commits, an exception rolls back.

    `durable`: the records outlive the store object. `concurrent`: several stores, in several threads, may
    work at once. `chained`: `links` gives a chain. `runs` and `steps` are how much Hypothesis
    tries, `shrinks` whether it looks for the shortest sequence of calls that fails.
    """

    durable: ClassVar[bool] = True
    concurrent: ClassVar[bool] = True
    chained: ClassVar[bool] = False
    runs: ClassVar[int] = 40
    steps: ClassVar[int] = 30
    shrinks: ClassVar[bool] = True

    @pytest.fixture
    def subject(self, request: pytest.FixtureRequest, store: Any) -> Iterator[Subject]:
        """The store of one check, and the way to further ones."""
        opener = fixture_or_none(request, "another")
        subject = self.subject_of(store, opener)
        yield subject
        subject.close()

    def subject_of(self, store: Any, opener: Callable[[], Any] | None) -> Subject:
        """The store as the checks use it."""
        return Subject(store, opener)

    @pytest.fixture
    def transaction_of_host(self, request: pytest.FixtureRequest) -> Transaction:
        """The fixture `transaction`; where there is none, the check is left out."""
        given: Transaction | None = fixture_or_none(request, "transaction")
        if given is None:
            pytest.skip("no fixture `transaction`: a function that begins a transaction of the host")
        return given

    def test_all_promises_hold_in_any_order_of_calls(self, subject: Subject) -> None:
        """Commits, repeats, conflicts, crashes, pages, claims and settlements, beside a few dicts."""
        machine = type("Machine", (StoreMachine,), {"subject": subject, "durable": self.durable})
        phases = [Phase.generate, Phase.shrink] if self.shrinks else [Phase.generate]
        few = settings(
            max_examples=self.runs, stateful_step_count=self.steps, deadline=None, database=None,
            suppress_health_check=list(HealthCheck), phases=phases,
        )  # fmt: skip
        run_state_machine_as_test(machine, settings=few)

    def test_all_stores_may_be_closed_twice(self, subject: Subject) -> None:
        """A store lets go once, and does not mind being asked again."""
        store: Store = subject.store
        store.close()
        store.close()


def fixture_or_none(request: pytest.FixtureRequest, name: str) -> Any:
    """What the fixture gives; None where nobody defined it."""
    try:
        return request.getfixturevalue(name)
    except pytest.FixtureLookupError as lacking:
        if lacking.argname != name:
            raise
        return None
