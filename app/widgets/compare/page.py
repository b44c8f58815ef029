"""What every page of the Compare view is: it shows a comparison, and can be saved."""

from __future__ import annotations

from PySide6.QtCore import QSize
from PySide6.QtWidgets import QWidget

from app.models.comparison import Comparison
from app.theme import Theme
from app.widgets.compare.export import Form, Paint, Table


class Page(QWidget):
    """Base of the pages; `name` is how lessons and settings call it, `title` and `question` are for people."""

    name = ""
    title = ""
    question = ""
    forms: tuple[Form, ...] = (Form.CSV,)

    def show_comparison(self, comparison: Comparison) -> None:
        """Show it; it may be empty."""

    def apply_theme(self, theme: Theme) -> None:
        """Take colours and type from `theme`."""

    def picture(self) -> tuple[Paint | None, QSize]:
        """What paints the page, and at which size; None where it is a table."""
        return None, QSize()

    def table(self) -> Table:
        """Its figures, headings first."""
        return []
