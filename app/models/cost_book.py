"""The cost models a person can choose from: the shipped figures, and their own beside them, never over them.

An edit is kept by generation and class of work; what was shipped stays as it is and can be had again, one or all.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import replace

from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QUndoCommand, QUndoStack

from core.costs import CostModel, Known, Price, Work

MOST = 10**9
OWN = "Your own figure."
Edits = dict[tuple[str, Work], int]


class CostBook(QObject):
    """Every generation, priced with the person's edits; `chosen` is the one that counts now.

    changed  prices, or the choice, are not what they were
    """

    changed = Signal()

    def __init__(self, shipped: Iterable[CostModel]) -> None:
        super().__init__()
        self._shipped = {model.name: model for model in shipped}
        self._edits: Edits = {}
        self._chosen = next(iter(self._shipped))
        self.undo_stack = QUndoStack(self)

    @property
    def generations(self) -> tuple[CostModel, ...]:
        """As shipped, in their order."""
        return tuple(self._shipped.values())

    @property
    def chosen(self) -> CostModel:
        """The generation that counts, with the person's edits in it."""
        shipped = self._shipped[self._chosen]
        prices = {work: self.price(work) for work in shipped.prices}
        title = f"{shipped.title} (edited)" if self.is_edited() else shipped.title
        return replace(shipped, prices=prices, title=title)

    def choose(self, name: str) -> None:
        """Let the generation of that name count."""
        if name in self._shipped and name != self._chosen:
            self._chosen = name
            self.changed.emit()

    def price(self, work: Work) -> Price:
        """What `work` costs in the chosen generation now."""
        shipped = self.shipped(work)
        own = self._edits.get((self._chosen, work))
        return shipped if own is None else replace(shipped, cycles=own, known=Known.OWN, source=OWN)

    def shipped(self, work: Work) -> Price:
        """What it costs as shipped."""
        return self._shipped[self._chosen].prices[work]

    def is_edited(self, work: Work | None = None) -> bool:
        """Is that price the person's own? Without `work`: is any of the chosen generation?"""
        return any(name == self._chosen and work in (None, each) for name, each in self._edits)

    def edit(self, work: Work, cycles: int) -> None:
        """The person's own price; the shipped figure itself takes their edit away."""
        if not 0 <= cycles <= MOST or cycles == self.price(work).cycles:
            return
        after = dict(self._edits)
        if cycles == self.shipped(work).cycles:
            after.pop((self._chosen, work), None)
        else:
            after[self._chosen, work] = cycles
        self._do(after, f"the price of {work.value}")

    def reset(self) -> None:
        """All prices of the chosen generation as shipped; this, too, can be undone."""
        after = {key: cycles for key, cycles in self._edits.items() if key[0] != self._chosen}
        if after != self._edits:
            self._do(after, "going back to the shipped figures")

    def _do(self, after: Edits, words: str) -> None:
        self.undo_stack.push(_Edit(self, after, words))

    def replace_edits(self, edits: Edits) -> Edits:
        """Have these edits; gives those before."""
        before, self._edits = self._edits, edits
        self.changed.emit()
        return before

    # -- kept from one time to the next

    def to_text(self) -> str:
        """The choice and the edits, for settings."""
        edits = [[name, work.value, cycles] for (name, work), cycles in self._edits.items()]
        return json.dumps({"chosen": self._chosen, "edits": edits})

    def restore(self, text: str) -> None:
        """Take what `to_text` gave; what cannot be understood any more is left out."""
        try:
            kept = json.loads(text)
            rows = [(str(name), str(work), int(cycles)) for name, work, cycles in kept["edits"]]
            chosen = str(kept["chosen"])
        except (ValueError, KeyError, TypeError):
            return
        known = {work.value: work for work in Work}
        self._edits = {
            (name, known[work]): cycles
            for name, work, cycles in rows
            if name in self._shipped and work in known and 0 <= cycles <= MOST
        }
        self._chosen = chosen if chosen in self._shipped else self._chosen
        self.changed.emit()


class _Edit(QUndoCommand):
    def __init__(self, book: CostBook, after: Edits, words: str) -> None:
        super().__init__(words)
        self._book, self._other = book, after

    def redo(self) -> None:
        self._other = self._book.replace_edits(self._other)

    def undo(self) -> None:
        self._other = self._book.replace_edits(self._other)
