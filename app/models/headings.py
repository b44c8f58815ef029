"""The headings of a table, as Qt asks for them: the word, what it means as a tooltip, on which side it stands."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt


def heading_data(
    headings: Sequence[tuple[str, str]],
    section: int,
    orientation: Qt.Orientation,
    role: int,
    *,
    numbers: frozenset[int] = frozenset(),
) -> object:
    """What `headerData` answers for these (word, meaning); the sections that are `numbers` stand right."""
    if orientation is not Qt.Orientation.Horizontal or not 0 <= section < len(headings):
        return None
    word, meaning = headings[section]
    if role == Qt.ItemDataRole.DisplayRole:
        return word
    if role == Qt.ItemDataRole.ToolTipRole:
        return meaning or None
    if role == Qt.ItemDataRole.TextAlignmentRole:
        side = Qt.AlignmentFlag.AlignRight if section in numbers else Qt.AlignmentFlag.AlignLeft
        return side | Qt.AlignmentFlag.AlignVCenter
    return None
