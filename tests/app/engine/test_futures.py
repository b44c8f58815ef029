"""What the window knows of a machine's futures is what they are, though each input is told once."""

from __future__ import annotations

import pickle

from hypothesis import given
from hypothesis import strategies as st

from app.engine.futures import FuturesListener, FuturesTeller
from core.lab.lab import LabFuture
from core.timeline.actions import SerialInput
from core.timeline.journal import Input, Moment

START = Moment(0, False, 0)


def future(number: int, journal: tuple[Input, ...]) -> LabFuture:
    return LabFuture(number, None, START, START, journal)


def test_an_input_is_told_once() -> None:
    teller = FuturesTeller()
    first, second = (Input(START, SerialInput("A", letter)) for letter in (b"a", b"b"))
    told = [teller.news((future(0, journal),)) for journal in ((), (first,), (first,), (first, second))]
    assert [news.inputs if news is not None else None for news in told] == [(), (first,), None, (second,)]


# each step: begin a machine anew, or a future from so much of another, or do something in one
STEPS = st.lists(st.tuples(st.sampled_from(["anew", "fork", "act", "undo"]), st.integers(0, 5), st.integers(0, 5)))


@given(STEPS)
def test_it_knows_all_journals_whatever_becomes_of_them(steps: list[tuple[str, int, int]]) -> None:
    teller, listener = FuturesTeller(), FuturesListener()
    journals: list[tuple[Input, ...]] = [()]
    for number, (do, which, length) in enumerate(steps):
        which %= len(journals)
        match do:
            case "anew":
                journals = [()]
            case "fork":
                journals.append(journals[which][:length])
            case "act":
                journals[which] += (Input(Moment(number, False, number), SerialInput("A", b"x")),)
            case "undo":
                journals[which] = journals[which][:-1]
        futures = tuple(future(n, journal) for n, journal in enumerate(journals))
        news = teller.news(futures)
        if news is not None:
            listener.hear(pickle.loads(pickle.dumps(news)))
        assert listener.futures == futures
