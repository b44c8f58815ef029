"""The call stack as a Qt model: one row a frame, innermost first, its call beside its place in the source."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QPersistentModelIndex, Qt

from app.models.numerals import address as address_text
from app.models.numerals import ring_name
from core.call_frame import CallFrame

Index = QModelIndex | QPersistentModelIndex
CALL, PLACE = 0, 1
HEADINGS = ("Function", "Next line")
MEANINGS = (
    "What has been entered and not yet left, innermost first, with the arguments whose place is known here.",
    "Where it will go on: for all but the innermost, the line that made the call.",
)


class CallStackModel(QAbstractTableModel):
    """Rows are frames."""

    def __init__(self) -> None:
        super().__init__()
        self.frames: tuple[CallFrame, ...] = ()

    def show(self, frames: tuple[CallFrame, ...]) -> None:
        """Show these; rows that stay keep the selection."""
        if len(frames) != len(self.frames):
            self.beginResetModel()
            self.frames = frames
            self.endResetModel()
        elif frames != self.frames:
            self.frames = frames
            self.dataChanged.emit(self.index(0, 0), self.index(len(frames) - 1, len(HEADINGS) - 1))

    def rowCount(self, parent: Index | None = None) -> int:
        """One a frame."""
        return 0 if parent is not None and parent.isValid() else len(self.frames)

    def columnCount(self, parent: Index | None = None) -> int:
        """The call and its place."""
        return 0 if parent is not None and parent.isValid() else len(HEADINGS)

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """Heading, and its meaning as a tooltip."""
        if orientation is not Qt.Orientation.Horizontal or not 0 <= section < len(HEADINGS):
            return None
        if role == Qt.ItemDataRole.DisplayRole:
            return HEADINGS[section]
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return int(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        return MEANINGS[section] if role == Qt.ItemDataRole.ToolTipRole else None

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """Text, tooltip, and the row in words."""
        if not index.isValid() or index.row() >= len(self.frames):
            return None
        frame = self.frames[index.row()]
        if role == Qt.ItemDataRole.DisplayRole:
            return call_text(frame) if index.column() == CALL else place_text(frame)
        if role == Qt.ItemDataRole.ToolTipRole:
            return explained(frame)
        if role == Qt.ItemDataRole.AccessibleTextRole:
            return f"{call_text(frame)}, {place_text(frame)}, ring {ring_name(frame.ring)}"
        return None


def call_text(frame: CallFrame) -> str:
    """``tree(depth=3)``, as it is written."""
    arguments = ", ".join(f"{argument.name}={argument.value}" for argument in frame.arguments)
    name = frame.function or address_text(frame.address)
    return f"{name}({arguments})" if frame.file.endswith(".c") or arguments else name


def place_text(frame: CallFrame) -> str:
    """File and line, without the folder; the address where the source is not known."""
    return f"{frame.file.rsplit('/', 1)[-1]}:{frame.line}" if frame.file else address_text(frame.address)


def explained(frame: CallFrame) -> str:
    """All that is known of a frame, in sentences."""
    whose = f"of the program {frame.program}" if frame.program else "of the guest itself"
    lines = [f"{call_text(frame)}, {whose}, in ring {ring_name(frame.ring)}."]
    if frame.file:
        lines.append(f"{frame.file}, line {frame.line}.")
    lines.append(f"It goes on at {address_text(frame.address)}.")
    if frame.inlined:
        lines.append("The compiler put its code into its caller's: it has no frame of its own.")
    elif frame.base:
        lines.append(f"Its frame begins under {address_text(frame.base)}.")
    if frame.interrupted:
        lines.append("It called nobody: an exception, an interrupt or a system call took it into the kernel here.")
    return "\n".join(lines)
