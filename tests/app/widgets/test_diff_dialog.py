"""The dialogue that shows what was changed to port Pebble: the real diff, file by file."""

from __future__ import annotations

from pytestqt.qtbot import QtBot

from app.theme import make_theme
from app.widgets.diff_dialog import DiffDialog
from core.guests.builds import difference, differences
from core.guests.catalog import shipped_guests

BEFORE, AFTER = (shipped_guests()[name] for name in ("pebble", "pebble-pv"))


def test_every_file_that_differs_is_offered_and_shown(qtbot: QtBot) -> None:
    files = tuple(differences(BEFORE, AFTER))
    dialog = DiffDialog(BEFORE.name, AFTER.name, files, make_theme("dark"), None)
    qtbot.addWidget(dialog)
    assert dialog.files.count() == len(files)
    shown = []
    for row, each in enumerate(files):
        dialog.files.setCurrentRow(row)
        text = dialog.text.toPlainText()
        shown.append(text)
        lines = text.splitlines()[2:]
        assert sum(line.startswith("+") for line in lines) == each.added
        assert sum(line.startswith("-") for line in lines) == each.removed
    assert "\n".join(shown) == difference(BEFORE, AFTER)


def test_it_opens_on_a_file_that_both_builds_have(qtbot: QtBot) -> None:
    dialog = DiffDialog(BEFORE.name, AFTER.name, tuple(differences(BEFORE, AFTER)), make_theme("light"), None)
    qtbot.addWidget(dialog)
    assert "nothing" not in dialog.text.toPlainText().splitlines()[0]
