"""Where a person says which address they mean: typed, a symbol, or a register that is followed."""

from __future__ import annotations

from collections.abc import Mapping

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QLineEdit, QToolButton, QWidget

from app.models.address_text import parse_address, spell_address
from app.theme import Theme
from app.theme.typography import Size
from core.errors import RequestError
from core.looks import Follow

TIP = "Hexadecimal digits, a symbol of the guest such as main or main+1C, or EIP or ESP. Enter goes there."
FOLLOWED = {
    Follow.EIP: "Follow the program counter: the next instruction.",
    Follow.ESP: "Follow the stack pointer: what was pushed last.",
}


class AddressField(QWidget):
    """An input with a button for each register that can be followed.

    chosen  (int or Follow) the person said where to look
    refused (str) what they typed cannot be understood
    """

    chosen = Signal(object)
    refused = Signal(str)

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._symbols: Mapping[str, int] = {}
        self.where: int | Follow = Follow.EIP
        self.line = QLineEdit()
        self.line.setAccessibleName("Address")
        self.line.setPlaceholderText("address or symbol")
        self.line.setToolTip(TIP)
        self.line.returnPressed.connect(self._read)
        self.buttons: dict[Follow, QToolButton] = {}
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(theme.space(1))
        row.addWidget(self.line)
        for follow, tip in FOLLOWED.items():
            button = QToolButton()
            button.setText(follow.value)
            button.setToolTip(tip)
            button.setAccessibleName(f"Follow {follow.value}")
            button.setCheckable(True)
            button.clicked.connect(lambda _checked=False, follow=follow: self._choose(follow))
            self.buttons[follow] = button
            row.addWidget(button)
        self.apply_theme(theme)
        self.go(Follow.EIP)

    def set_symbols(self, symbols: Mapping[str, int]) -> None:
        """The names that can be typed."""
        self._symbols = symbols

    def address_of(self, symbol: str) -> int | None:
        """Where a symbol stands."""
        return self._symbols.get(symbol)

    def go(self, where: int | Follow) -> None:
        """Show that this is where one looks, without telling anyone."""
        self.where = where
        self.line.setText(spell_address(where) if not isinstance(where, Follow) else "")
        for follow, button in self.buttons.items():
            button.setChecked(follow is where)

    def show_address(self, address: int) -> None:
        """While a register is followed: what it holds, in grey."""
        self.line.setPlaceholderText(spell_address(address))

    def apply_theme(self, theme: Theme) -> None:
        """Take type from `theme`."""
        self.line.setFont(theme.type.mono())
        self.line.setFixedWidth(round(theme.type.pixels(Size.BODY) * 13))
        for button in self.buttons.values():
            button.setFont(theme.type.mono(Size.CAPTION))

    def _read(self) -> None:
        if not self.line.text().strip():
            self._choose(Follow.EIP)
            return
        try:
            self._choose(parse_address(self.line.text(), self._symbols))
        except RequestError as error:
            self.refused.emit(str(error))
            self.line.selectAll()

    def _choose(self, where: int | Follow) -> None:
        self.go(where)
        self.chosen.emit(where)
