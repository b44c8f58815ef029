"""Bytes in hexadecimal and as characters, row by row over all of an address space; only what is in sight is painted.

The next instruction's bytes and the top of the stack wear the colour of the ring, and so do bytes that have changed.
"""

from __future__ import annotations

from PySide6.QtCore import QEvent, QPoint, QRect, QRectF, Qt, Signal
from PySide6.QtGui import (
    QContextMenuEvent,
    QFocusEvent,
    QFontMetricsF,
    QHelpEvent,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QResizeEvent,
)
from PySide6.QtWidgets import QAbstractScrollArea, QToolTip

from app.models.byte_window import WORD, ByteWindow
from app.models.numerals import hexadecimal
from app.theme import Theme
from app.theme.typography import Size
from app.widgets.focus_frame import paint_focus_frame
from core.events import Ring
from core.looks import Ground

WIDE, NARROW = 16, 8  # bytes in a row
GROUP = 4
ADDRESS_LETTERS = 11
SPACE_END = 1 << 32
NOT_THERE = "··"
HEX_DIGITS = "0123456789abcdefABCDEF"


class BytePane(QAbstractScrollArea):
    """The rows.

    scrolled   () other addresses are in sight because the person moved
    chosen     (address) the person chose a byte
    menuWanted (address, QPoint) the person asked what can be done with a byte
    typed      (address, byte) the person typed two hexadecimal digits over a byte
    """

    scrolled = Signal()
    chosen = Signal(object)
    menuWanted = Signal(object, QPoint)
    typed = Signal(object, int)

    def __init__(self, window: ByteWindow, theme: Theme) -> None:
        super().__init__()
        self._window = window
        self._moving = False
        self._per_row = WIDE
        self.ring = Ring.KERNEL
        self.cursor_address: int | None = None
        self._high: int | None = None  # the first of two digits that are typed over the chosen byte
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setAccessibleName("Bytes of memory")
        self.verticalScrollBar().valueChanged.connect(self._tell_scrolled)
        self.apply_theme(theme)

    # -- what is in sight

    @property
    def top(self) -> int:
        """The address of the first byte in sight."""
        return self.verticalScrollBar().value() * self._per_row

    @property
    def rows(self) -> int:
        """Rows in sight, the last one perhaps in part."""
        return max(1, -(-self.viewport().height() // self._row))

    @property
    def size_in_sight(self) -> int:
        """Bytes in sight."""
        return self.rows * self._per_row

    def show_from(self, address: int) -> None:
        """Scroll so that the row of `address` is the first, without telling anyone."""
        self._moving = True
        self.verticalScrollBar().setValue(address // self._per_row)
        self._moving = False
        self.viewport().update()

    def put_cursor(self, address: int | None) -> None:
        """Mark that byte as the chosen one, without telling anyone."""
        self.cursor_address = address
        self.viewport().update()

    def apply_theme(self, theme: Theme) -> None:
        """Take colours and type from `theme`."""
        self._theme = theme
        self._row = theme.type.row_height() - theme.space(1)
        self._left = theme.space(2)
        self._fit()
        self.viewport().update()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit()

    def _fit(self) -> None:
        """Sixteen bytes a row where they fit, if need be in smaller letters, else eight; what was first stays first."""
        top = self.top
        for self._per_row, size in ((WIDE, Size.BODY), (WIDE, Size.CAPTION), (NARROW, Size.BODY)):
            self._mono, self._bold = self._theme.type.mono(size), self._theme.type.mono(size, bold=True)
            metrics = QFontMetricsF(self._mono)
            self._letter, self._ascent = metrics.horizontalAdvance("0"), metrics.ascent()
            if self._left + self._width(self._per_row) <= self.viewport().width():
                break
        bar = self.verticalScrollBar()
        self._moving = True
        whole = max(1, self.viewport().height() // self._row)
        bar.setRange(0, SPACE_END // self._per_row - whole)
        bar.setPageStep(max(1, whole - 1))
        bar.setSingleStep(1)
        bar.setValue(top // self._per_row)
        self._moving = False

    def _width(self, per_row: int) -> float:
        return self._letter * (ADDRESS_LETTERS + per_row * 3 + per_row // GROUP + 1 + per_row)

    # -- where bytes are

    def _hex_at(self, column: int) -> float:
        return self._left + self._letter * (ADDRESS_LETTERS + 3 * column + column // GROUP)

    def _text_at(self, column: int) -> float:
        return self._hex_at(self._per_row) + self._letter * (column + 0.5)

    def rect_of(self, address: int) -> QRect:
        """Where a byte's two digits are painted; empty if it is not in sight."""
        row, column = divmod(address - self.top, self._per_row)
        if not 0 <= row < self.rows:
            return QRect()
        return QRect(round(self._hex_at(column)), row * self._row, round(2 * self._letter), self._row)

    def address_at(self, at: QPoint) -> int | None:
        """The byte at a place in the viewport, by its digits or its character."""
        row = at.y() // self._row
        for column in range(self._per_row):
            hexadecimals = self._hex_at(column) - self._letter / 2, self._hex_at(column) + 2.5 * self._letter
            text = self._text_at(column), self._text_at(column + 1)
            if hexadecimals[0] <= at.x() < hexadecimals[1] or text[0] <= at.x() < text[1]:
                return (self.top + row * self._per_row + column) % SPACE_END
        return None

    # -- painting

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self.viewport())
        painter.setFont(self._mono)
        for row in range(self.rows):
            address = self.top + row * self._per_row
            if address < SPACE_END:
                self._paint_row(painter, address, row * self._row)
        self._paint_marks(painter)
        if self.hasFocus():
            paint_focus_frame(painter, self.viewport(), self._theme)

    def focusInEvent(self, event: QFocusEvent) -> None:
        super().focusInEvent(event)
        self.viewport().update()

    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        self.viewport().update()

    def _paint_row(self, painter: QPainter, address: int, y: int) -> None:
        palette = self._theme.palette
        baseline = y + self._ascent + (self._row - QFontMetricsF(self._mono).height()) / 2
        painter.setPen(palette.muted)
        painter.drawText(
            QRectF(self._left, y, self._letter * ADDRESS_LETTERS, self._row),
            Qt.AlignmentFlag.AlignVCenter,
            hexadecimal(address),
        )
        ground = self._window.ground(address)
        if ground is not Ground.RAM:
            painter.setPen(palette.disabled if ground is None else palette.muted)
            words = NOT_THERE if ground is None else ground.value
            painter.drawText(
                QRectF(self._hex_at(0), y, self.viewport().width(), self._row), Qt.AlignmentFlag.AlignVCenter, words
            )
            return
        for column in range(self._per_row):
            byte = self._window.byte(address + column)
            if byte is None:
                continue
            changed = self._window.changed(address + column)
            in_code = self._is_next(address + column)
            if in_code:
                painter.fillRect(
                    QRectF(self._hex_at(column) - self._letter / 2, y, 3 * self._letter, self._row),
                    palette.ring_tint(self.ring, 0.3),
                )
            painter.setFont(self._bold if changed else self._mono)
            painter.setPen(
                palette.ring_text(self.ring) if changed else palette.text if byte or in_code else palette.muted
            )
            digits = f"{byte:02X}"
            if self._high is not None and address + column == self.cursor_address:
                digits = f"{self._high:X}_"
            painter.drawText(QPoint(round(self._hex_at(column)), round(baseline)), digits)
            if 0x20 <= byte < 0x7F:
                painter.drawText(QPoint(round(self._text_at(column)), round(baseline)), chr(byte))
            else:
                painter.setPen(palette.disabled)
                painter.drawText(QPoint(round(self._text_at(column)), round(baseline)), "·")
        painter.setFont(self._mono)

    def _is_next(self, address: int) -> bool:
        seen = self._window.seen
        return seen is not None and seen.pc is not None and 0 <= address - seen.pc < seen.pc_size

    def _paint_marks(self, painter: QPainter) -> None:
        """A frame around the word on top of the stack, and one around the chosen byte."""
        seen, palette = self._window.seen, self._theme.palette
        if seen is not None and seen.stack is not None:
            painter.setPen(QPen(palette.ring_color(self.ring), self._theme.line_width))
            for n in range(WORD):
                rect = self.rect_of(seen.stack + n)
                if not rect.isNull():
                    left, right = rect.left() - 3, rect.right() + 4
                    painter.drawLine(left, rect.bottom(), right, rect.bottom())
                    painter.drawLine(left, rect.top() + 1, right, rect.top() + 1)
                    if n in (0, WORD - 1):
                        x = left if n == 0 else right
                        painter.drawLine(x, rect.top() + 1, x, rect.bottom())
        if self.cursor_address is not None and self._window.byte(self.cursor_address) is not None:
            rect = self.rect_of(self.cursor_address)
            painter.setPen(QPen(palette.focus if self.hasFocus() else palette.outline, 1))
            painter.drawRect(rect.adjusted(-3, 0, 3, -1))

    # -- the person

    def event(self, event: QEvent) -> bool:
        if isinstance(event, QHelpEvent) and event.type() == QEvent.Type.ToolTip:
            at = self.viewport().mapFromGlobal(event.globalPos())
            address = self.address_at(at)
            QToolTip.showText(event.globalPos(), self.describe(address) if address is not None else "", self)
            return True
        return super().event(event)

    def describe(self, address: int) -> str:
        """A byte in words."""
        byte, word, physical = self._window.byte(address), self._window.word(address), self._window.physical(address)
        if byte is None:
            ground = self._window.ground(address)
            return f"{hexadecimal(address)}: {ground.value}." if ground is not None else ""
        parts = [f"{hexadecimal(address)}: {byte:02X} ({byte}{f', “{chr(byte)}”' if 0x20 <= byte < 0x7F else ''})"]
        if word is not None:
            parts.append(f"as a word {hexadecimal(word)}")
        if physical is not None and physical != address:
            parts.append(f"guest-physical {hexadecimal(physical)}")
        return ", ".join(parts) + "."

    def mousePressEvent(self, event: QMouseEvent) -> None:
        address = self.address_at(event.position().toPoint())
        if address is not None:
            self._take(address)

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        by_key = event.reason() == QContextMenuEvent.Reason.Keyboard
        address = self.cursor_address if by_key else self.address_at(event.pos())
        if address is not None:
            at = self.viewport().mapToGlobal(self.rect_of(address).bottomLeft()) if by_key else event.globalPos()
            self.menuWanted.emit(address, at)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        steps = {
            Qt.Key.Key_Left: -1, Qt.Key.Key_Right: 1, Qt.Key.Key_Up: -self._per_row, Qt.Key.Key_Down: self._per_row,
        }  # fmt: skip
        key = Qt.Key(event.key())
        if key in steps:
            start = self.cursor_address if self.cursor_address is not None else self.top
            self._take((start + steps[key]) % SPACE_END if self.cursor_address is not None else start)
        elif key in (Qt.Key.Key_PageUp, Qt.Key.Key_PageDown):
            bar = self.verticalScrollBar()
            bar.setValue(bar.value() + bar.pageStep() * (1 if key == Qt.Key.Key_PageDown else -1))
        elif event.text() and event.text() in HEX_DIGITS and self._is_byte(self.cursor_address):
            self._type(int(event.text(), 16))
        elif key == Qt.Key.Key_Escape and self._high is not None:
            self._forget_digit()
        else:
            super().keyPressEvent(event)

    def _is_byte(self, address: int | None) -> bool:
        return address is not None and self._window.byte(address) is not None

    def _type(self, digit: int) -> None:
        """One of two digits over the chosen byte; after the second the next byte is chosen."""
        if self._high is None:
            self._high = digit
            self.viewport().update()
            return
        address, byte = self.cursor_address or 0, self._high << 4 | digit
        self._high = None
        self.typed.emit(address, byte)
        self._take((address + 1) % SPACE_END)

    def _forget_digit(self) -> None:
        self._high = None
        self.viewport().update()

    def _take(self, address: int) -> None:
        self._high = None
        self.cursor_address = address
        bar, row = self.verticalScrollBar(), address // self._per_row
        whole = max(1, self.viewport().height() // self._row)
        if not bar.value() <= row < bar.value() + whole:
            bar.setValue(row if row < bar.value() else row - whole + 1)
        self.viewport().update()
        self.setAccessibleDescription(self.describe(address))
        self.chosen.emit(address)

    def _tell_scrolled(self) -> None:
        self.viewport().update()
        if not self._moving:
            self.scrolled.emit()
