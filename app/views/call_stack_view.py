"""How did the CPU get here? The functions that were entered and not yet left, read from the guest's stack."""

from __future__ import annotations

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QRect, Qt, Signal
from PySide6.QtGui import QPainter, QPen, QResizeEvent
from PySide6.QtWidgets import QAbstractItemView, QHeaderView, QStyledItemDelegate, QStyleOptionViewItem

from app.models.call_stack_model import CALL, HEADINGS, PLACE, CallStackModel, place_text
from app.theme import Theme
from app.views.painting import LEFT, paint_ground, paint_text
from app.views.view import Area, Loaded, View, ViewSpec
from app.widgets.fact_table import FactTable
from core.snapshot import Snapshot

NARROW = 60  # letters of width under which the place stands under the call
BAR = 3  # pixels of ring colour at a row's left


class CallStackView(View):
    """A table of frames; a line between two of them is where an interrupt or a system call crossed the rings.

    gotoRequested  (address) the person chose a frame: show where it goes on
    """

    gotoRequested = Signal(object)

    empty_text = (
        "The functions that the CPU is in will stand here, the innermost first, with their arguments. "
        "Choose a guest and step into it."
    )

    def __init__(self, theme: Theme, parent: object | None = None) -> None:
        super().__init__(theme)
        self.model = CallStackModel()
        self._delegate = FrameDelegate(self.model, theme)
        self.table = FactTable(self.model, "Call stack, innermost first")
        self.table.setItemDelegate(self._delegate)
        self.table.setMouseTracking(True)
        self.table.setHorizontalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        header = self.table.horizontalHeader()
        header.setStretchLastSection(False)
        header.setSectionResizeMode(CALL, QHeaderView.ResizeMode.Stretch)
        header.setSectionResizeMode(PLACE, QHeaderView.ResizeMode.Fixed)
        self.table.clicked.connect(self._choose)
        self.table.activated.connect(self._choose)
        self.setFocusProxy(self.table)
        self.set_content(self.table)
        self.apply_theme(theme)

    def show_program(self, loaded: Loaded) -> None:
        """A fresh machine: nothing was called yet."""
        self.model.show(())
        self.set_empty(True)

    def show_snapshot(self, snapshot: Snapshot) -> None:
        """Show the stack as it is now."""
        self.model.show(snapshot.call_stack)
        self._fit()
        self.set_empty(not snapshot.call_stack)

    def apply_theme(self, theme: Theme) -> None:
        """Take colours and type from `theme`."""
        super().apply_theme(theme)
        self._delegate.theme = theme
        self._fit()
        self.table.viewport().update()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit()

    def _choose(self, index: QModelIndex) -> None:
        self.gotoRequested.emit(self.model.frames[index.row()].address)

    def _fit(self) -> None:
        """Where it is wide, the place beside the call, as wide as it needs; where it is narrow, under it."""
        letter = self._delegate.letter
        narrow = self.width() < NARROW * letter
        self._delegate.narrow = narrow
        places = max((len(place_text(frame)) for frame in self.model.frames), default=0)
        self.table.setColumnWidth(PLACE, round((max(places, len(HEADINGS[PLACE])) + 3) * letter))
        self.table.setColumnHidden(PLACE, narrow)
        row = self.theme.type.row_height() - self.theme.space(1)
        self.table.set_row_height(2 * row if narrow else row)


class FrameDelegate(QStyledItemDelegate):
    """A bar in the ring's colour, the call, its place stepping back; a line over a frame that was interrupted."""

    def __init__(self, model: CallStackModel, theme: Theme) -> None:
        super().__init__()
        self._model = model
        self.theme = theme
        self.narrow = False

    @property
    def letter(self) -> float:
        """Width of a letter of code."""
        font = self.theme.type.mono()
        return max(1.0, font.pixelSize() * 0.6)

    def paint(
        self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> None:
        frame, palette = self._model.frames[index.row()], self.theme.palette
        paint_ground(painter, option, self.theme, palette.ring_tint(frame.ring) if index.row() == 0 else None)
        rect = QRect(option.rect)
        if frame.interrupted:
            painter.setPen(QPen(palette.outline, 1, Qt.PenStyle.DashLine))
            painter.drawLine(rect.topLeft(), rect.topRight())
        if index.column() == CALL:
            painter.fillRect(QRect(rect.left(), rect.top(), BAR, rect.height()), palette.ring_color(frame.ring))
        text = str(index.data())
        ink = palette.text if index.column() == CALL and not frame.inlined else palette.muted
        inner = rect.adjusted(self.theme.space(2) + (BAR if index.column() == CALL else 0), 0, -self.theme.space(1), 0)
        if self.narrow:
            upper, lower = QRect(inner), QRect(inner)
            upper.setHeight(inner.height() // 2)
            lower.setTop(upper.bottom() + 1)
            where = f"{frame.program}, {place_text(frame)}" if frame.program else place_text(frame)
            paint_text(painter, lower, where, self.theme.type.mono(), palette.muted, LEFT)
            inner = upper
        paint_text(painter, inner, text, self.theme.type.mono(), ink, LEFT)


VIEW = ViewSpec(
    id="call-stack",
    title="Call stack",
    question="How did the CPU get here, and who waits for whom?",
    area=Area.RIGHT,
    order=20,
    make=CallStackView,
    behind="lesson",
)
