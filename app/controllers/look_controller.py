"""What of memory is looked at: the views in sight say it, the engine is told, and hidden views cost nothing.

From wherever an address stands one gets to its page walk and to its bytes.
"""

from __future__ import annotations

from functools import reduce
from operator import or_
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject

from app.controllers.layout_controller import LayoutController
from app.views import bytes_view, walk_view
from app.views.abilities import LooksAtMemory
from app.views.bytes_view import BytesView
from app.views.code_view import CodeView
from app.views.walk_view import WalkView
from core.looks import Look, Space

if TYPE_CHECKING:
    from app.engine.client import Engine


WALK, BYTES = walk_view.VIEW.id, bytes_view.VIEW.id


class LookController(QObject):
    """Joins the looks of the views in sight into the one that the engine answers."""

    def __init__(self, engine: Engine, layout: LayoutController, parent: QObject) -> None:
        super().__init__(parent)
        self._engine, self._layout = engine, layout
        layout.sightChanged.connect(self.look)
        for view in layout.views.values():
            if isinstance(view, LooksAtMemory):
                view.lookChanged.connect(self.look)
            if isinstance(view, CodeView):
                view.cursorMoved.connect(self.pick)

    def pick(self, address: int | None) -> None:
        """The person has an address in hand: a page walk that is in sight shows its walk."""
        walk = self._layout.views.get(WALK)
        if address is not None and isinstance(walk, WalkView) and walk in self._layout.in_sight():
            walk.walk_to(address)

    def show_walk(self, address: int) -> None:
        """Bring the page walk into sight, of that linear address."""
        walk = self._layout.views.get(WALK)
        if isinstance(walk, WalkView):
            self._layout.show_view(WALK)
            walk.walk_to(address)

    def show_bytes(self, space: Space, address: int) -> None:
        """Bring the bytes at that address into sight."""
        found = self._layout.views.get(BYTES)
        if isinstance(found, BytesView):
            self._layout.show_view(BYTES)
            found.show_bytes(space, address)

    def look(self) -> None:
        """Tell the engine what is in sight now."""
        looks = [view.look for view in self._layout.in_sight() if isinstance(view, LooksAtMemory)]
        self._engine.look_at(reduce(or_, looks, Look()))
