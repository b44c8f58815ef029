"""Joins the two views of a translation cache, the code that is looked at elsewhere, and the engine."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject

from app.controllers.layout_controller import LayoutController
from app.views import translation_view
from app.views.cache_view import CacheView
from app.views.code_view import CodeView
from app.views.translation_view import TranslationView
from app.views.view import View

if TYPE_CHECKING:
    from app.engine.client import Engine


class TranslationController(QObject):
    """A block chosen in one view is chosen in the other; an address chosen in the Code view leads to its block."""

    def __init__(self, engine: Engine, layout: LayoutController, parent: QObject) -> None:
        super().__init__(parent)
        self._layout = layout
        views: Mapping[str, View] = layout.views
        self._blocks = [each for each in views.values() if isinstance(each, TranslationView)]
        self._caches = [each for each in views.values() if isinstance(each, CacheView)]
        for block in self._blocks:
            block.blockChosen.connect(self._mark)
            block.nextUnitWanted.connect(engine.run_to_new_code)
        for cache in self._caches:
            cache.blockChosen.connect(self._show)
            cache.switched.connect(engine.set_translation)
        for view in views.values():
            if isinstance(view, CodeView):
                view.cursorMoved.connect(self._follow)

    def _mark(self, ordinal: int | None) -> None:
        for cache in self._caches:
            cache.show_block(ordinal)

    def _show(self, ordinal: int) -> None:
        for block in self._blocks:
            self._layout.show_view(translation_view.VIEW.id)
            block.show_block(ordinal)

    def _follow(self, address: int | None) -> None:
        for block in self._blocks:
            if address is not None:
                block.show_address(address)
