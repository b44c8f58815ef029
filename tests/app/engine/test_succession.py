"""What the next engine is told when one has died."""

from __future__ import annotations

from app.engine.protocol import Input, Loaded, PutSnapshots, Resume, Run, SetBreakpoints, SetSpeed, Updated
from app.engine.succession import TRIES, Succession
from core.lab.lab import Lab
from tests.app.engine.fake_session import FakeSession, program


def at(session: FakeSession, acts: int) -> Updated:
    return Updated(session.snapshot(), acts, None, session.lab.stand)


def powered_on() -> tuple[FakeSession, Succession]:
    session, succession = FakeSession(), Succession()
    session.load(program(), "bare")
    succession.begin()
    succession.powered_on(Loaded(program(), "bare", 1, begun=session.lab.begun), again=False)
    return session, succession


def lab_in(succession: Succession) -> Lab:
    (lab,) = (each.lab for each in succession.bequest() if isinstance(each, Resume))
    return lab


def test_without_a_guest_it_is_told_what_the_person_set() -> None:
    succession = Succession()
    assert succession.set(SetSpeed(100))
    assert not succession.set(SetSpeed(100))
    told = succession.bequest()
    assert SetSpeed(100) in told
    assert SetSpeed(None) not in told
    assert not any(isinstance(each, (Resume, PutSnapshots)) for each in told)


def test_what_was_done_is_told_again_behind_the_lab_until_it_was_obeyed() -> None:
    session, succession = powered_on()
    for command in (Input(b"a"), Run(), Input(b"b"), Input(b"c")):
        succession.sent(command)
    succession.seen(at(session, acts=2))
    assert [type(each) for each in succession.bequest()[-2:]] == [Resume, Input]
    assert succession.bequest()[-1] == Input(b"c")


def test_the_lab_is_had_where_it_was_seen_last() -> None:
    session, succession = powered_on()
    assert lab_in(succession) == session.lab.begun
    session.run(700)
    succession.seen(at(session, acts=0))
    assert lab_in(succession).now.executed == 700
    succession.powered_on(Loaded(program(), "bare", 2, begun=session.lab.begun), again=True)
    assert lab_in(succession).now.executed == 700
    succession.powered_on(Loaded(program(), "bare", 3, begun=session.lab.begun), again=False)
    assert lab_in(succession).now.executed == 0


def test_a_successor_that_was_told_counts_from_the_start() -> None:
    session, succession = powered_on()
    succession.sent(Input(b"a"))
    told = succession.bequest()
    succession.begin()
    for command in told:
        succession.sent(command)
    settings = sum(isinstance(each, SetBreakpoints) for each in told)
    succession.seen(at(session, acts=settings))
    assert succession.bequest()[-1] == Input(b"a")
    succession.seen(at(session, acts=settings + 1))
    assert isinstance(succession.bequest()[-1], Resume)


def test_it_is_in_vain_when_too_many_have_died_with_something_left_to_do() -> None:
    session, succession = powered_on()
    succession.sent(Input(b"a"))
    for _ in range(TRIES):
        succession.died()
    assert not succession.in_vain
    succession.died()
    assert succession.in_vain
    succession.seen(at(session, acts=1))
    assert not succession.in_vain
