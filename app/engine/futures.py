"""The futures of a machine on their way to the window: each input once, however often the futures change.

A journal may hold whole guests and grows with every key. So what has been told is referred to by its number.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from core.lab.lab import LabFuture
    from core.timeline.journal import Input


@dataclass(frozen=True, slots=True)
class FuturesNews:
    """`inputs` come behind the first `known` of those told before, in place of any others. `futures` have no journals:
    `journals` has them in the same order, as numbers of inputs."""

    known: int
    inputs: tuple[Input, ...]
    futures: tuple[LabFuture, ...]
    journals: tuple[tuple[int, ...], ...]


class FuturesTeller:
    """Knows which futures, and which inputs, the window has been told of."""

    def __init__(self) -> None:
        self._futures: tuple[LabFuture, ...] = ()
        self._inputs: list[Input] = []
        self._numbers: dict[int, int] = {}  # by the identity of an input, which `_inputs` keeps alive

    def news(self, futures: tuple[LabFuture, ...]) -> FuturesNews | None:
        """What the window is to be told, if it is to know these; None: it does."""
        if futures == self._futures:
            return None
        self._futures = futures
        if not any(id(one) in self._numbers for each in futures for one in each.journal[:1]):
            self._inputs.clear()
            self._numbers.clear()
        known = len(self._inputs)
        journals = tuple(tuple(map(self._number_of, each.journal)) for each in futures)
        return FuturesNews(
            known, tuple(self._inputs[known:]), tuple(replace(each, journal=()) for each in futures), journals
        )

    def _number_of(self, given: Input) -> int:
        number = self._numbers.setdefault(id(given), len(self._inputs))
        if number == len(self._inputs):
            self._inputs.append(given)
        return number


class FuturesListener:
    """The window's side: `futures` as they were told last."""

    def __init__(self) -> None:
        self.futures: tuple[LabFuture, ...] = ()
        self._inputs: list[Input] = []

    def hear(self, news: FuturesNews) -> None:
        """Take them in."""
        self._inputs[news.known :] = news.inputs
        self.futures = tuple(
            replace(each, journal=tuple(self._inputs[number] for number in journal))
            for each, journal in zip(news.futures, news.journals, strict=True)
        )
