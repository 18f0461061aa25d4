"""The numbered promises of `itsm_core.ports.Store`, asked of every store that ships."""

import datetime as dt
import gc
import threading
import weakref

import attrs
import pytest

from itsm_core.errors import InvalidValue, RecordNotFound, VersionConflict
from itsm_core.events import Phase
from itsm_core.ports import FOLD, Committed, Criteria, Position, Query, Settlement

HOSTILE = [
    "'; DROP TABLE itsm_events; --",
    '" OR "1"="1',
    "null\0byte",
    "línea 二 🙂\r\n\t",
    "%s ? :name $1 {0}",
    "\ufeff\u202e\u2028\uffff",
    "\\u0000\\",
]


def everything(store, limit=1000):
    """All events, read page by page."""
    events, position = [], Position()
    while True:
        page, position = store.read(position, limit)
        if not page:
            return events
        events += page


def claim(store, write, minutes, kind="clock", *, limit=10, lease=5):
    """What a worker gets so many minutes after the beginning."""
    return store.claim(kind, write.at(minutes), limit, lease * write.MINUTE, "w")


def settle(store, write, minutes, claims, outcome="done", **more):
    """Ends claims so many minutes after the beginning."""
    store.settle([Settlement(token=c.token, outcome=outcome, **more) for c in claims], write.at(minutes))


def names(claims):
    """The ids or keys of what was claimed."""
    return [getattr(c.item, "id", None) or c.item.key for c in claims]


# --- 1: together or not at all ---


def test_a_commit_writes_events_snapshot_timers_and_messages(store, write):
    """Promise 1: after a commit all four are there."""
    done = write.changes(timers=[write.timer("t", 5)], messages=[write.message("m")])
    assert store.commit(done) == Committed(record="R1", version=1)
    assert store.load("R1") == (done.snapshot, ())
    assert store.load("R1", 0) == (done.snapshot, done.events)
    assert store.next_due("clock") == write.at(5)
    assert [c.item for c in claim(store, write, 0, "message")] == list(done.messages)


@pytest.mark.parametrize(
    "spoil",
    [
        {"expected": 3},
        {"events": "conflict"},
        {"record": "R2"},
        {"snapshot": "stale"},
        {"timers": "of messages"},
        {"events": "twice"},
    ],
    ids=str,
)
def test_a_change_set_that_contradicts_itself_writes_nothing(store, write, spoil):
    """Promise 1: what cannot be written as a whole is refused as a whole."""
    first = write.changes()
    store.commit(first)
    good = write.changes(
        history=first.events, new=2, timers=[write.timer("t", 5)], messages=[write.message("m")]
    )
    worse = {
        "conflict": (good.events[0], attrs.evolve(good.events[1], seq=4)),
        "stale": first.snapshot,
        "of messages": (write.timer("t", 5), write.timer("u", 5, kind="message")),
        "twice": (good.events[0], attrs.evolve(good.events[1], id=good.events[0].id)),
    }
    spoiled = {name: worse.get(value, value) for name, value in spoil.items()}
    with pytest.raises(InvalidValue):
        store.commit(attrs.evolve(good, **spoiled))
    assert everything(store) == list(first.events)
    assert store.load("R1") == (first.snapshot, ())
    assert store.next_due("clock") is None
    assert store.next_due("message") is None


def test_a_record_begins_with_an_event(store, write):
    """Promise 1: a change set without events cannot make a record."""
    nothing = attrs.evolve(write.changes(), events=())
    with pytest.raises(InvalidValue, match="begins with an `opened` event"):
        store.commit(attrs.evolve(nothing, snapshot=bare(nothing.snapshot)))
    with pytest.raises(RecordNotFound):
        store.load("R1")


def bare(snapshot):
    """The snapshot as of version 0."""
    return attrs.evolve(snapshot, record=attrs.evolve(snapshot.record, version=0))


def test_timers_and_messages_may_come_without_events(store, write):
    """Promise 1: a change set without events leaves the version where it is."""
    first = write.changes()
    store.commit(first)
    more = attrs.evolve(first, expected=1, events=(), timers=(write.timer("t", 5),))
    assert store.commit(more) == Committed(record="R1", version=1)
    assert store.next_due("clock") == write.at(5)
    with pytest.raises(VersionConflict):
        store.commit(attrs.evolve(more, expected=2, snapshot=write.changes(new=2).snapshot))


# --- 2: conflicts ---


def test_a_stale_decision_is_a_version_conflict(store, write):
    """Promise 2: the second of two decisions on one version is refused and writes nothing."""
    first = write.changes()
    store.commit(first)
    store.commit(write.changes(history=first.events, group="a"))
    late = write.changes(
        history=first.events,
        group="b",
        ids=["other"],
        timers=[write.timer("t", 1)],
        messages=[write.message("m")],
    )
    with pytest.raises(VersionConflict) as refused:
        store.commit(late)
    assert (refused.value.expected, refused.value.actual) == (1, 2)
    assert store.event("other") is None
    assert store.next_due("clock") is store.next_due("message") is None
    assert [r.group for r in store.find(write.ALL)] == ["a"]


def test_a_record_cannot_be_opened_twice_nor_skip_its_beginning(store, write):
    """Promise 2: version 0 means that the record does not exist."""
    store.commit(write.changes())
    with pytest.raises(VersionConflict):
        store.commit(write.changes(ids=["other"]))
    with pytest.raises(VersionConflict):
        store.commit(write.changes("R2", history=write.changes("R2").events))


def test_of_many_threads_one_wins_each_version(shelf, write):
    """Promise 2: threads that race for one record lose no event and double none."""
    first = write.changes()
    shelf.store.commit(first)
    wins, losses = [], []

    def race(worker, store):
        for turn in range(10):
            events = store.load("R1", 0)[1]
            try:
                store.commit(write.changes(history=events, ids=[f"{worker}.{turn}"]))
                wins.append(f"{worker}.{turn}")
            except VersionConflict:
                losses.append(worker)

    in_threads(race, [(n, shelf.another()) for n in range(4)])
    assert len(wins) + len(losses) == 40
    assert sorted(e.id for e in everything(shelf.store)) == sorted(["R1/1", *wins])


def in_threads(work, arguments):
    """Runs `work` once for each arguments, all at the same time; raises what any of them raised."""
    errors = []

    def guarded(*given):
        try:
            work(*given)
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=guarded, args=given) for given in arguments]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []


# --- 3: repeats ---


def test_the_same_events_twice_give_the_first_result(store, write):
    """Promise 3: a repeat says so, names the first version, and writes nothing."""
    first = write.changes(new=2, messages=[write.message("m")])
    store.commit(first)
    store.commit(write.changes(history=first.events))
    changed = attrs.evolve(first, messages=(write.message("n"),), timers=(write.timer("t", 1),))
    assert store.commit(changed) == Committed(record="R1", version=2, repeated=True)
    assert len(everything(store)) == 3
    assert names(claim(store, write, 0, "message")) == ["m"]
    assert store.next_due("clock") is None


def test_opening_again_under_another_id_names_the_first_record(store, write):
    """Promise 3: the same event id is the same event, whatever record the caller now thinks of."""
    store.commit(write.changes("R1", ids=["command-1"]))
    again = store.commit(write.changes("R2", ids=["command-1"]))
    assert again == Committed(record="R1", version=1, repeated=True)
    with pytest.raises(RecordNotFound):
        store.load("R2")


def test_an_id_that_is_taken_in_part_is_refused(store, write):
    """Promise 3: new events beside an old id are no repeat and are not written."""
    first = write.changes()
    store.commit(first)
    store.commit(write.changes("R2"))
    mixed = write.changes(history=first.events, new=2, ids=["new", "R2/1"])
    with pytest.raises(InvalidValue, match=r"some are taken \(#1 of R2\)"):
        store.commit(mixed)
    assert store.event("new") is None


# --- 4: messages and timers ---


@pytest.mark.parametrize("outcome", ["done", "failed"])
def test_a_key_is_taken_once_and_for_ever(store, write, outcome):
    """Promise 4: neither a waiting nor a settled message is taken again."""
    first = write.changes(messages=[write.message("m", body="one")])
    store.commit(first)
    second = write.changes(history=first.events, messages=[write.message("m", body="two")])
    store.commit(second)
    claims = claim(store, write, 0, "message")
    assert [c.item.body for c in claims] == ["one"]
    settle(store, write, 1, claims, outcome)
    store.commit(write.changes(history=first.events + second.events, messages=[write.message("m")]))
    assert claim(store, write, 99, "message") == ()
    assert store.next_due("message") is None


def test_a_timer_id_moves_and_cancels(store, write):
    """Promise 4: a timer has one due instant, and none once it is cancelled."""
    told = ()

    def commit(*timers):
        nonlocal told
        done = write.changes(history=told, timers=timers)
        store.commit(done)
        told += done.events

    commit(write.timer("t", 5))
    commit(write.timer("t", 9))
    assert claim(store, write, 5) == ()
    assert store.next_due("clock") == write.at(9)
    commit(write.timer("t", 9, kind="other"), write.timer("never set", None))
    assert store.next_due("clock") is None
    commit(write.timer("t", None))
    assert store.next_due("other") is None


# --- 5: load ---


def test_load_gives_the_snapshot_and_what_came_after(store, write):
    """Promise 5: by default the events after the snapshot, otherwise those asked for, by seq."""
    first = write.changes(new=3)
    store.commit(first)
    assert store.load("R1") == (first.snapshot, ())
    assert [e.seq for e in store.load("R1", 0)[1]] == [1, 2, 3]
    assert [e.seq for e in store.load("R1", 2)[1]] == [3]
    assert [e.seq for e in store.load("R1", -1)[1]] == [1, 2, 3]
    assert store.load("R1", 9)[1] == ()


@pytest.mark.parametrize("other", [FOLD - 1, FOLD + 1])
def test_a_snapshot_that_another_fold_made_is_dropped(store, write, other):
    """Promise 5: load gives all events in its place, find folds them, the next commit mends it."""
    first = write.changes(new=3, group="first", fold_version=other)
    miscounted = attrs.evolve(first.snapshot.record, reopened=7)
    mistaken = attrs.evolve(first, snapshot=attrs.evolve(first.snapshot, record=miscounted))
    assert store.commit(mistaken) == Committed(record="R1", version=3)
    assert store.load("R1") == store.load("R1", 0) == (None, first.events)
    assert store.load("R1", 2) == (None, first.events[2:])
    assert store.find(Query(group="first")) == (first.snapshot.record,)
    second = write.changes(history=first.events)
    store.commit(second)
    assert store.load("R1") == (second.snapshot, ())


def test_what_is_not_there_is_said(store):
    """Promise 5: an unknown record raises, an unknown event is None."""
    with pytest.raises(RecordNotFound, match="'R9'"):
        store.load("R9")
    assert store.event("nobody") is None


# --- 6: read ---


def test_read_gives_every_event_once_whatever_the_page(store, write):
    """Promise 6: pages of any size hold all events in one order, and then nothing."""
    for record in ("R1", "R2", "R3"):
        store.commit(write.changes(record, new=2))
    whole = everything(store)
    assert [e.id for e in whole] == ["R1/1", "R1/2", "R2/1", "R2/2", "R3/1", "R3/2"]
    assert everything(store, 1) == everything(store, 4) == whole
    end = store.read(Position(), 1000)[1]
    assert store.read(end, 10) == ((), end)
    assert store.read(Position(), 0) == ((), Position())
    assert store.read(Position(), -1) == ((), Position())


def test_a_reader_that_follows_misses_no_late_commit(shelf, write):
    """Promise 6: while four threads commit, a reader sees each event once."""
    seen, position, done = [], Position(), threading.Event()

    def commit(worker, store):
        for turn in range(15):
            store.commit(write.changes(f"R{worker}.{turn}"))

    def follow(store):
        nonlocal position
        while True:
            last = done.is_set()
            page, position = store.read(position, 7)
            seen.extend(e.id for e in page)
            if last and not page:
                return

    reader = threading.Thread(target=follow, args=(shelf.another(),))
    reader.start()
    in_threads(commit, [(n, shelf.another()) for n in range(4)])
    done.set()
    reader.join()
    assert sorted(seen) == sorted(f"R{n}.{t}/1" for n in range(4) for t in range(15))


@pytest.mark.parametrize("token", ["x", "-1", "²", "1; DROP TABLE itsm_events"])
def test_a_position_of_another_store_is_refused(store, token):
    """Promise 6: a position that this store never gave is no place in its log."""
    with pytest.raises(InvalidValue, match="was not given by this store"):
        store.read(Position(token=token), 1)


# --- 7: claim and settle ---


def test_a_claim_takes_what_is_due_earliest_first(store, write):
    """Promise 7: due items of the kind, in order, at most as many as asked for."""
    timers = [write.timer("c", 3), write.timer("a", 1), write.timer("b", 1), write.timer("d", 9)]
    store.commit(write.changes(timers=[*timers, write.timer("o", 0, kind="other")]))
    assert claim(store, write, 0) == ()
    assert claim(store, write, 5, limit=0) == claim(store, write, 5, limit=-1) == ()
    assert names(claim(store, write, 5, limit=2)) == ["a", "b"]
    assert names(claim(store, write, 5)) == ["c"]
    assert claim(store, write, 5) == ()
    assert names(claim(store, write, 5, "other")) == ["o"]


def test_messages_wait_for_their_time_and_keep_their_order(store, write):
    """Promise 7: `not_before` is respected; at one instant the first committed goes first."""
    sent = [write.message("z"), write.message("a"), write.message("later", not_before=write.at(7))]
    store.commit(write.changes(messages=sent))
    assert claim(store, write, 6, "message", limit=0) == ()
    assert names(claim(store, write, 6, "message")) == ["z", "a"]
    assert store.next_due("message") == write.at(7)
    assert names(claim(store, write, 7, "message", lease=1)) == ["later"]


def test_a_lease_that_ends_gives_the_item_to_the_next(store, write):
    """Promise 7: until its lease ends an item is held; once another took it the old token is void."""
    store.commit(write.changes(timers=[write.timer("t", 0)], messages=[write.message("m")]))
    old = [*claim(store, write, 0), *claim(store, write, 0, "message")]
    assert claim(store, write, 4) == claim(store, write, 4, "message") == ()
    assert store.next_due("clock") == store.next_due("message") == write.at(5)
    new = [*claim(store, write, 5), *claim(store, write, 5, "message")]
    assert names(new) == ["t", "m"]
    settle(store, write, 6, old, "failed")
    settle(store, write, 6, old, "retry", retry_at=write.at(6))
    assert store.next_due("clock") == store.next_due("message") == write.at(10)
    settle(store, write, 6, new)
    assert store.next_due("clock") is store.next_due("message") is None


def test_a_late_settlement_counts_while_nobody_else_took_the_item(store, write):
    """Promise 7: a slow worker that did its work is believed, so it is not done a second time."""
    store.commit(write.changes(timers=[write.timer("t", 0)], messages=[write.message("m")]))
    slow = [*claim(store, write, 0), *claim(store, write, 0, "message")]
    settle(store, write, 50, slow)
    assert store.next_due("clock") is store.next_due("message") is None
    assert claim(store, write, 60) == claim(store, write, 60, "message") == ()


def test_the_words_of_a_settled_message_are_let_go(shelf, write):
    """Promise 7: once it is done or failed nobody keeps them, while what waits keeps its own."""
    sent = [write.message(key, body=f"words of {key}", ready=n) for n, key in enumerate("abc")]
    shelf.store.commit(write.changes(messages=sent))
    seen = [weakref.ref(message) for message in sent]
    for outcome in ("done", "failed", "retry"):
        settle(shelf.store, write, 9, claim(shelf.store, write, 9, "message", limit=1), outcome)
    del sent
    gc.collect()
    assert [ref() for ref in seen] == [None] * 3
    assert [word in shelf.stored() for word in ("words of a", "words of b", "words of c")] == [
        False,
        False,
        True,
    ]
    assert [c.item.body for c in claim(shelf.store, write, 9, "message")] == ["words of c"]


@pytest.mark.parametrize("outcome", ["done", "failed"])
def test_what_is_done_or_failed_does_not_come_back(store, write, outcome):
    """Promise 7: a settled item is gone for good; what waits beside it is not."""
    timers = [write.timer("t", 0), write.timer("u", 50)]
    store.commit(write.changes(timers=timers, messages=[write.message("m"), write.message("n", ready=50)]))
    claims = [*claim(store, write, 0), *claim(store, write, 0, "message")]
    settle(store, write, 1, claims, outcome, detail="550 no such user")
    settle(store, write, 1, claims, "retry")
    assert names([*claim(store, write, 99), *claim(store, write, 99, "message")]) == ["u", "n"]


def test_a_retry_comes_back_when_asked_for(store, write):
    """Promise 7: at `retry_at`, or at once; a message counts its attempts, a timer keeps its due."""
    done = write.changes(timers=[write.timer("t", 0)], messages=[write.message("m")])
    store.commit(done)
    for kind, again in (("clock", done.timers[0]), ("message", attrs.evolve(done.messages[0], attempt=1))):
        used = claim(store, write, 0, kind)
        settle(store, write, 1, used, "retry", retry_at=write.at(8))
        settle(store, write, 2, used)  # the token ended with the retry
        assert claim(store, write, 7, kind) == ()
        claims = claim(store, write, 8, kind)
        assert [c.item for c in claims] == [again]
        settle(store, write, 9, claims, "retry")
        assert names(claim(store, write, 9, kind)) == names(claims)


def test_a_timer_that_moved_while_claimed_survives_a_late_settlement(store, write):
    """Promise 7: the claim ends when the timer moves; setting it unchanged does not end it."""
    first = write.changes(timers=[write.timer("same", 0), write.timer("moved", 0)])
    store.commit(first)
    claims = claim(store, write, 0)
    store.commit(
        write.changes(history=first.events, timers=[write.timer("same", 0), write.timer("moved", 2)])
    )
    assert claim(store, write, 1) == ()
    settle(store, write, 1, claims)
    assert store.next_due("clock") == write.at(2)
    assert names(claim(store, write, 99)) == ["moved"]


def test_a_timer_cancelled_while_claimed_stays_cancelled(store, write):
    """Promise 7: a retry cannot bring back what a commit took away."""
    first = write.changes(timers=[write.timer("t", 0)])
    store.commit(first)
    claims = claim(store, write, 0)
    store.commit(write.changes(history=first.events, timers=[write.timer("t", None)]))
    settle(store, write, 1, claims, "retry")
    assert store.next_due("clock") is None


def test_settlements_that_make_no_sense_are_refused_or_ignored(store, write):
    """Promise 7: an unknown outcome is named, an unknown token settles nothing."""
    store.commit(write.changes(timers=[write.timer("t", 0)]))
    claims = claim(store, write, 0)
    with pytest.raises(InvalidValue, match="done, failed, retry"):
        settle(store, write, 1, claims, "finished")
    for token in ("", "t", "t.x", "t.x.t", "m.x.t", "t.x.' OR 1=1 --"):
        store.settle([Settlement(token=token, outcome="done")], write.at(1))
    assert store.next_due("clock") == write.at(5)
    with pytest.raises(InvalidValue, match="lease"):
        claim(store, write, 0, lease=0)


def test_a_lease_may_outlast_the_calendar(store, write):
    """Promise 7: where no date can say when it ends, nobody else ever gets the item."""
    store.commit(write.changes(timers=[write.timer("t", 0)]))
    (held,) = store.claim("clock", write.NOW, 1, dt.timedelta.max, "w")
    assert claim(store, write, 10**9) == ()
    settle(store, write, 1, [held])
    assert store.next_due("clock") is None


def test_workers_in_threads_share_the_work_without_overlap(shelf, write):
    """Promise 7: of 200 timers and 200 messages each goes to exactly one of four threads."""
    timers = [write.timer(f"t{n}", 0) for n in range(200)]
    shelf.store.commit(write.changes(timers=timers, messages=[write.message(f"m{n}") for n in range(200)]))
    got = []

    def work(kind, store):
        while claims := claim(store, write, 1, kind, limit=7):
            got.extend(names(claims))
            settle(store, write, 2, claims)

    in_threads(work, [(kind, shelf.another()) for kind in ("clock", "message") * 2])
    assert sorted(got) == sorted([t.id for t in timers] + [f"m{n}" for n in range(200)])


def test_many_overtaken_timers_are_forgotten(store, write):
    """Promise 7: moving a timer a thousand times leaves one timer."""
    done = write.changes(timers=[write.timer("t", n) for n in range(1000)])
    store.commit(done)
    assert store.next_due("clock") == write.at(999)
    assert names(claim(store, write, 5000)) == ["t"]


# --- 8: find ---


def test_find_answers_by_every_name_of_the_query(store, write):
    """Promise 8: each condition alone, all together, and none at all."""
    store.commit(
        write.changes(
            "R1", assignee="ana", group="first", requester="u1", tenant="acme", number="INC-1",
            customer="globex", service="mail", external_refs=["snow:1", "jira:9", "snow:1"], due=5,
        )
    )  # fmt: skip
    store.commit(write.changes("R2", assignee="bo", external_refs="snow:2", customer="mail", due=9))
    found = {
        "process": "incident", "phase": Phase.NEW, "state": "new", "assignee": "ana", "group": "first",
        "requester": "u1", "tenant": "acme", "external_ref": "jira:9", "due_before": write.at(6),
        "number": "INC-1", "customer": "globex", "service": "mail",
    }  # fmt: skip
    assert {*found, "after", "limit"} == set(Criteria.__annotations__) == set(attrs.fields_dict(Query))
    both = {"process", "phase", "state"}
    for name, value in found.items():
        expected = ["R1", "R2"] if name in both else ["R1"]
        assert [r.id for r in store.find(Query(**{name: value}))] == expected, name
    assert [r.id for r in store.find(Query(**found))] == ["R1"]
    assert [r.id for r in store.find(Query(external_ref="snow:2"))] == ["R2"]
    assert store.find(Query(assignee="ana", external_ref="snow:2")) == ()
    assert store.find(Query(customer="INC-1")) == store.find(Query(number="mail")) == ()
    assert len(store.find(Query())) == 2


def test_find_follows_what_changes(store, write):
    """Promise 8: the index says what the newest commit said."""
    told = ()
    for fields in (
        {"group": "a", "external_refs": ["x"], "number": "1", "customer": "globex"}, {"group": "b"},
        {"external_refs": ["y", "z"], "number": "2"}, {"customer": None, "service": "mail"},
    ):  # fmt: skip
        done = write.changes(history=told, **fields)
        store.commit(done)
        told += done.events
    for past in ({"group": "a"}, {"external_ref": "x"}, {"number": "1"}, {"customer": "globex"}):
        assert store.find(Query(**past)) == (), past
    now = Query(group="b", external_ref="z", number="2", service="mail")
    assert store.find(now) == (done.snapshot.record,)


def test_find_is_ordered_by_id_and_paged(store, write):
    """Promise 8: `after` and `limit` walk through all records in the order of their ids."""
    ids = ["R10", "R2", "r1", "Ä", "é", "🙂", "\uffff", "R1"]
    for record in ids:
        store.commit(write.changes(record))
    pages, after = [], None
    while page := store.find(Query(after=after, limit=3)):
        pages.append([r.id for r in page])
        after = page[-1].id
    assert [len(page) for page in pages] == [3, 3, 2]
    assert [name for page in pages for name in page] == sorted(ids)
    assert store.find(Query(limit=0)) == ()


def test_find_by_due_follows_the_newest_snapshot(store, write):
    """Promise 8: the due instant moves, clears and comes back; `due_before` itself is not before."""
    told = ()
    for due, before_7 in ((7, False), (6, True), (20, False), (None, False), (5, True)):
        # The timers of a record have no say in it.
        done = write.changes(history=told, due=due, timers=[write.timer("t", 0)])
        store.commit(done)
        told += done.events
        for minutes, found in ((5, False), (7, before_7), (99, due is not None)):
            late = store.find(Query(due_before=write.at(minutes)))
            assert late == ((done.snapshot.record,) if found else ()), (due, minutes)


def test_due_moves_without_an_event(store, write):
    """Promise 8: a change set of no events may bring a new due instant too."""
    first = write.changes(due=5)
    store.commit(first)
    for due in (write.at(9), None):
        moved = attrs.evolve(first.snapshot, due=due)
        store.commit(attrs.evolve(first, expected=1, events=(), snapshot=moved))
        assert store.load("R1") == (moved, ())
        assert store.find(Query(due_before=write.at(9))) == ()
        assert len(store.find(Query(due_before=write.at(10)))) == (due is not None)


@pytest.mark.parametrize("odd", [7, ["a", "b"], {"id": "u1"}, True], ids=str)
def test_a_value_that_is_no_text_is_found_by_its_json(store, write, odd):
    """Promise 8: hosts may put any JSON where we expect an id."""
    done = write.changes(assignee=odd, external_refs=[odd], number=odd, customer=odd, service=odd)
    store.commit(done)
    said = {"[": '["a","b"]', "{": '{"id":"u1"}'}.get(str(odd)[0], str(odd).replace("True", "true"))
    asked = Query(assignee=said, external_ref=said, number=said, customer=said, service=said)
    assert store.find(asked) == (done.snapshot.record,)


# --- 9: text ---


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_text_comes_back_as_it_went_in(store, write, text):
    """Promise 9: in every place that holds text, whatever the text."""
    done = write.changes(
        text, ids=[f"id {text}"], assignee=text, group=text, requester=text, tenant=text, title=text,
        number=text, customer=text, service=text, external_refs=[text], **{f"name {text}": text},
        timers=[write.timer(text, 0, record=text, kind=text)],
        messages=[write.message(text, record=text, body=text, facts={text: text})],
    )  # fmt: skip
    store.commit(done)
    assert store.load(text, 0) == (done.snapshot, done.events)
    assert store.event(f"id {text}") == done.events[0]
    asked = Query(
        assignee=text, group=text, requester=text, tenant=text, external_ref=text,
        number=text, customer=text, service=text,
    )  # fmt: skip
    assert store.find(asked) == (done.snapshot.record,)
    assert store.find(Query(after=text)) == ()
    claims = [*claim(store, write, 0, text), *claim(store, write, 0, "message")]
    assert [c.item for c in claims] == [done.timers[0], done.messages[0]]
    settle(store, write, 1, claims, "failed", detail=text)
    assert claim(store, write, 99, text) == claim(store, write, 99, "message") == ()
    assert everything(store) == list(done.events)


def test_numbers_and_instants_come_back_exactly(store, write):
    """Promise 9: whole numbers up to 2^53-1 and instants to the microsecond."""
    exact = dt.datetime(2024, 2, 29, 23, 59, 59, 999999, tzinfo=dt.UTC)
    done = write.changes(
        count=2**53 - 1, less=-(2**53 - 1), digits="9" * 30, nothing=None, yes=True,
        timers=[attrs.evolve(write.timer("t", 0), due=exact)],
    )  # fmt: skip
    store.commit(done)
    assert store.load("R1", 0)[1] == done.events
    assert store.next_due("clock") == exact


def test_closing_twice_is_no_error(shelf):
    """A store lets go once, and does not mind being asked again."""
    store = shelf.another()
    store.close()
    store.close()
