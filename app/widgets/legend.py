"""A legend of colours: a swatch, a name and a count each; a pressed one puts the map's light on its cells alone."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QColor, QIcon, QPainter, QPixmap
from PySide6.QtWidgets import QToolButton, QWidget

from app.models.memory_map import LegendLine
from app.models.numerals import grouped
from app.theme import Theme
from app.theme.typography import Size
from app.widgets.flow_layout import FlowLayout

MONITOR = "monitor of "


class Legend(QWidget):
    """Flows in as many lines as it needs.

    spotlit  (code or None) the person wants to see that colour alone
    """

    spotlit = Signal(object)

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self._buttons: dict[int, QToolButton] = {}
        self._names: tuple[tuple[int, str], ...] = ()
        self._colors: tuple[QColor, ...] = ()
        self._flow = FlowLayout(self, gap=0)
        self.setAccessibleName("Legend")

    def show_lines(self, lines: Sequence[LegendLine], colors: Sequence[QColor]) -> None:
        """Show these lines; buttons are made anew only when their names change."""
        names = tuple((line.code, line.name) for line in lines)
        if names != self._names:
            self._names = names
            self._make(lines)
        if tuple(colors) != self._colors:
            self._colors = tuple(colors)
            for line in lines:
                self._buttons[line.code].setIcon(self._swatch(self._colors[line.code]))
        for line in lines:
            name = line.name.removeprefix(MONITOR)  # the letter says whose; the tooltip all of it
            self._buttons[line.code].setText(f"{name} {grouped(line.count)}")

    def apply_theme(self, theme: Theme) -> None:
        """Take colours and type from `theme`; the swatches come with the next lines."""
        self._theme = theme
        self._names = ()

    def _make(self, lines: Sequence[LegendLine]) -> None:
        lit = next((code for code, button in self._buttons.items() if button.isChecked()), None)
        for button in self._buttons.values():
            self._flow.removeWidget(button)
            button.hide()
            button.deleteLater()
        self._buttons = {}
        self._colors = ()
        for line in lines:
            button = QToolButton()
            button.setCheckable(True)
            button.setChecked(line.code == lit)
            button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
            button.setFont(self._theme.type.sans(Size.CAPTION))
            button.setToolTip(f"{line.name}: {line.meaning} Press to see these alone.")
            side = self._theme.type.pixels(9)
            button.setIconSize(QSize(side, side))
            button.clicked.connect(lambda checked, code=line.code: self._light(code, checked))
            self._buttons[line.code] = button
            self._flow.addWidget(button)
        if lit is not None and lit not in self._buttons:
            self.spotlit.emit(None)

    def _light(self, code: int, lit: bool) -> None:
        for other, button in self._buttons.items():
            button.setChecked(lit and other == code)
        self.spotlit.emit(code if lit else None)

    def _swatch(self, color: QColor) -> QIcon:
        picture = QPixmap(18, 18)
        picture.fill(color)
        painter = QPainter(picture)
        painter.setPen(self._theme.palette.outline)
        painter.drawRect(0, 0, 17, 17)
        painter.end()
        return QIcon(picture)
