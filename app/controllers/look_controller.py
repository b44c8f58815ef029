"""What of memory is looked at: the views in sight say it, the engine is told, and hidden views cost nothing."""

from __future__ import annotations

from functools import reduce
from operator import or_
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject

from app.controllers.layout_controller import LayoutController
from app.views.abilities import LooksAtMemory
from core.looks import Look

if TYPE_CHECKING:
    from app.engine.client import Engine


class LookController(QObject):
    """Joins the looks of the views in sight into the one that the engine answers."""

    def __init__(self, engine: Engine, layout: LayoutController, parent: QObject) -> None:
        super().__init__(parent)
        self._engine, self._layout = engine, layout
        layout.sightChanged.connect(self.look)
        for view in layout.views.values():
            if isinstance(view, LooksAtMemory):
                view.lookChanged.connect(self.look)

    def look(self) -> None:
        """Tell the engine what is in sight now."""
        looks = [view.look for view in self._layout.in_sight() if isinstance(view, LooksAtMemory)]
        self._engine.look_at(reduce(or_, looks, Look()))
