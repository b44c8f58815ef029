"""One chip a cause that has occurred: its mark, its name, how often; pressed ones filter."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QToolButton, QWidget

from app.models.numerals import grouped
from app.theme import Theme
from app.theme.marks import mark_icon
from app.theme.typography import Size
from app.widgets.flow_layout import FlowLayout
from core.events import Cause

ORDER = {cause: at for at, cause in enumerate(Cause)}
COMPACT = 900  # pixels of width under which the chips have no words


class CauseChips(QWidget):
    """A flowing row of chips, between a widget `before` them and one `after` them.

    chosen  (frozenset of Cause) the pressed ones; none means all pass
    """

    chosen = Signal(object)

    def __init__(self, theme: Theme, before: QWidget, after: QWidget) -> None:
        super().__init__()
        self._theme = theme
        self._chips: dict[Cause, QToolButton] = {}
        self._counts: dict[Cause, int] = {}
        self._compact = False
        self._flow = FlowLayout(self, gap=theme.space(1))
        self._flow.addWidget(before)
        self._flow.addWidget(after)
        self._before, self._after = before, after
        self.setAccessibleName("Causes")

    def show_counts(self, causes: tuple[tuple[Cause, int], ...]) -> None:
        """How often each cause has occurred; a chip appears with the first time."""
        for cause, count in causes:
            if cause not in self._chips:
                self._chips[cause] = self._make(cause)
            if self._counts.get(cause) != count:
                self._counts[cause] = count
                self._label(cause)

    def chip(self, cause: Cause) -> QToolButton:
        """The chip of a cause that has occurred."""
        return self._chips[cause]

    def clear(self) -> None:
        """Forget the counts, keep the choice."""
        for cause, chip in list(self._chips.items()):
            self._counts.pop(cause, None)
            if not chip.isChecked():
                self._flow.removeWidget(chip)
                chip.deleteLater()
                del self._chips[cause]
            else:
                self._label(cause)

    def apply_theme(self, theme: Theme) -> None:
        """Take colours and type from `theme`."""
        self._theme = theme
        for cause, chip in self._chips.items():
            self._dress(cause, chip)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        compact = self.width() < COMPACT * self._theme.type.scale
        if compact != self._compact:
            self._compact = compact
            for cause in self._chips:
                self._label(cause)

    def _make(self, cause: Cause) -> QToolButton:
        chip = QToolButton()
        chip.setCheckable(True)
        chip.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        chip.setToolTip(f"{cause.phrase}: {cause.meaning} Press to see only these.")
        chip.toggled.connect(self._tell)
        self._dress(cause, chip)
        later = sorted((one for one in self._chips if ORDER[one] > ORDER[cause]), key=ORDER.__getitem__)
        behind = [*(self._chips[one] for one in later), self._after]
        for widget in behind:
            self._flow.removeWidget(widget)
        for widget in (chip, *behind):
            self._flow.addWidget(widget)
        before = [one for one in self._chips if ORDER[one] < ORDER[cause]]
        self.setTabOrder(self._chips[max(before, key=ORDER.__getitem__)] if before else self._before, chip)
        return chip

    def _dress(self, cause: Cause, chip: QToolButton) -> None:
        chip.setIcon(mark_icon(cause, self._theme.palette.muted))
        side = self._theme.type.pixels(Size.BODY)
        chip.setIconSize(QSize(side, side))
        chip.setFont(self._theme.type.sans(Size.CAPTION))

    def _label(self, cause: Cause) -> None:
        count = grouped(self._counts.get(cause, 0))
        chip = self._chips[cause]
        chip.setText(count if self._compact else f"{cause.phrase}  {count}")
        chip.setAccessibleName(f"{cause.phrase}, {count}")

    def _tell(self) -> None:
        self.chosen.emit(frozenset(cause for cause, chip in self._chips.items() if chip.isChecked()))
