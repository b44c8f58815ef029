"""A pane of code lines with a margin: the source on the left, the disassembly on the right.

A list view, because screen readers read its rows and its keys are the system's own. The pane follows the current line
until the person scrolls it out of sight, and again once it is back in sight.
"""

from __future__ import annotations

from PySide6.QtCore import QItemSelection, QPoint, Qt, Signal
from PySide6.QtGui import QGuiApplication, QKeyEvent, QKeySequence, QMouseEvent, QResizeEvent
from PySide6.QtWidgets import QAbstractItemView, QListView, QPushButton

from app.models.listing_model import ListingModel
from app.models.source_model import SourceModel
from app.theme import Theme
from app.theme.typography import Size
from app.views.code_delegate import CodeDelegate

EDGE_ROWS = 2  # while following, the current line is kept this far from the upper and lower edge


class CodePane(QListView):
    """A list of code lines.

    marginClicked  (row) the person clicked the margin
    rowChosen      (row) the person moved to another row, by mouse or key
    """

    marginClicked = Signal(int)
    rowChosen = Signal(int)

    def __init__(self, model: ListingModel | SourceModel, delegate: CodeDelegate) -> None:
        super().__init__()
        self._model = model
        self._delegate = delegate
        self._following = True
        self._moving = 0  # above 0 while we scroll, not the person
        self._kept: tuple[object, object] = (None, None)
        self.setItemDelegate(delegate)
        self.setModel(model)
        self.setUniformItemSizes(True)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerItem)
        self.setHorizontalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.setMouseTracking(True)
        self.setTextElideMode(Qt.TextElideMode.ElideNone)
        self.back = QPushButton("Back to the PC", self)
        self.back.setToolTip("Show the instruction at the program counter, and follow it again.")
        self.back.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.back.hide()
        self.back.clicked.connect(self.follow)
        self.verticalScrollBar().valueChanged.connect(self._scrolled)
        model.modelAboutToBeReset.connect(self._keep_place)
        model.modelReset.connect(self._restore_place)

    # -- following the program counter

    @property
    def following(self) -> bool:
        """Does the pane scroll along with the program counter?"""
        return self._following

    def follow(self) -> None:
        """Go back to the program counter and stay with it."""
        self._following = True
        self.keep_current_in_sight()

    def keep_current_in_sight(self) -> None:
        """While following: scroll as little as it takes to keep the current line off the edges."""
        row = self._model.current_row
        if row is not None and self._following:
            first, last = self.rows_in_sight()
            edge = EDGE_ROWS if last - first > 3 * EDGE_ROWS else 0
            if not first + edge <= row <= last - edge:
                self._scroll_to_upper_third(row)
        self._offer_way_back()

    def show_row(self, row: int) -> None:
        """Bring that row into sight; if the current line goes out of sight, the pane stops following it."""
        first, last = self.rows_in_sight()
        if not first <= row <= last:
            self._scroll_to_upper_third(row)
        self._scrolled()

    def rows_in_sight(self) -> tuple[int, int]:
        """First and last row that are wholly visible."""
        first = self.verticalScrollBar().value()
        return first, first + max(1, self.viewport().height() // self._delegate.row_height) - 1

    # -- the person

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if self._in_margin(event) and event.button() == Qt.MouseButton.LeftButton:
            index = self.indexAt(event.position().toPoint())
            if index.isValid():
                self.marginClicked.emit(index.row())
            return
        super().mousePressEvent(event)

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        if self._in_margin(event):
            self.mousePressEvent(event)  # two quick clicks set and clear
        else:
            super().mouseDoubleClickEvent(event)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        shape = Qt.CursorShape.PointingHandCursor if self._in_margin(event) else Qt.CursorShape.ArrowCursor
        self.viewport().setCursor(shape)
        super().mouseMoveEvent(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.matches(QKeySequence.StandardKey.Copy) and self.currentIndex().isValid():
            QGuiApplication.clipboard().setText(str(self.currentIndex().data()))
        else:
            super().keyPressEvent(event)

    def selectionChanged(self, selected: QItemSelection, deselected: QItemSelection) -> None:
        super().selectionChanged(selected, deselected)
        if not self._moving and not selected.isEmpty():
            self.rowChosen.emit(selected.first().top())

    def choose(self, row: int) -> None:
        """Select that row as if the person had, but without telling anyone."""
        self._moving += 1
        self.setCurrentIndex(self._model.index(row))
        self._moving -= 1

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._delegate.width = self.viewport().width()
        self._place_way_back()
        self.keep_current_in_sight()

    def apply_theme(self, theme: Theme) -> None:
        """Take colours and type from `theme`."""
        self._delegate.apply_theme(theme)
        self.back.setFont(theme.type.sans(Size.CAPTION))
        self._place_way_back()
        self.doItemsLayout()
        self.viewport().update()

    # -- inside

    def _in_margin(self, event: QMouseEvent) -> bool:
        return event.position().x() + self.horizontalScrollBar().value() < self._delegate.margin

    def _keep_place(self) -> None:
        self._moving += 1
        rows, top, chosen = self._model.rowCount(), self.verticalScrollBar().value(), self.currentIndex().row()
        self._kept = (
            self._model.key(top) if top < rows else None,
            self._model.key(chosen) if 0 <= chosen < rows else None,
        )

    def _restore_place(self) -> None:
        self.doItemsLayout()
        top, chosen = (None if key is None else self._model.find(key) for key in self._kept)
        if chosen is not None:
            self.setCurrentIndex(self._model.index(chosen))
        if top is not None:
            self.verticalScrollBar().setValue(top)
        self._moving -= 1
        if not self._model.rowCount():
            self._following = True

    def _scroll_to_upper_third(self, row: int) -> None:
        first, last = self.rows_in_sight()
        self._moving += 1
        self.verticalScrollBar().setValue(max(0, row - max(EDGE_ROWS, (last - first) // 3)))
        self._moving -= 1

    def _scrolled(self) -> None:
        row = self._model.current_row
        if not self._moving and row is not None:
            first, last = self.rows_in_sight()
            self._following = first <= row <= last
        self._offer_way_back()

    def _offer_way_back(self) -> None:
        row = self._model.current_row
        first, last = self.rows_in_sight()
        self.back.setVisible(not self._following and row is not None and not first <= row <= last)

    def _place_way_back(self) -> None:
        gap = self._delegate.theme.space(2)
        self.back.adjustSize()
        corner = self.viewport().geometry().bottomRight()
        self.back.move(corner - QPoint(self.back.width() + gap, self.back.height() + gap))
