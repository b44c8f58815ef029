"""Markdown as a label: the window's faces, code set apart, every ring named in its own colour."""

from __future__ import annotations

import re

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QFont, QTextBlock, QTextBlockFormat, QTextCharFormat, QTextCursor, QTextDocument, QTextFormat
from PySide6.QtWidgets import QLabel, QSizePolicy, QWidget

from app.theme import Theme
from app.theme.typography import MONO_FAMILY, Size
from core.events import Ring

LEADING = 5  # pixels between lines: lesson text is read, not scanned
LIST_INDENT = 20  # pixels; a label knows only its own forty
_RING = re.compile(r"\b[Rr]ing[\u00a0 ](−1|[0-3])\b")
_RING_SPACE = re.compile(r"(?<=\b[Rr]ing) (?=(?:−1|[0-3])\b)")
_VIEW_LINK = "view:"


class Prose(QLabel):
    """Rich text that grows with its words and can be selected. Links like ``view:registers/IF`` point at views."""

    pointed = Signal(str, object)
    """Emitted with a view's id and an anchor (or None) when the person follows a link to it."""

    def __init__(self, theme: Theme, size: Size = Size.SENTENCE, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._size = size
        self._markdown = ""
        self.setWordWrap(True)
        self.setTextFormat(Qt.TextFormat.RichText)
        self.setAlignment(Qt.AlignmentFlag.AlignTop | Qt.AlignmentFlag.AlignLeft)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Minimum)
        self.setTextInteractionFlags(
            Qt.TextInteractionFlag.TextSelectableByMouse
            | Qt.TextInteractionFlag.LinksAccessibleByMouse
            | Qt.TextInteractionFlag.LinksAccessibleByKeyboard
        )
        self.linkActivated.connect(self._follow)
        self._render()

    @property
    def markdown(self) -> str:
        """What is shown, as it was written."""
        return self._markdown

    def set_markdown(self, text: str) -> None:
        """Show `text`."""
        if text != self._markdown:
            self._markdown = text
            self._render()

    def apply_theme(self, theme: Theme) -> None:
        """Take colours and type from `theme`."""
        self._theme = theme
        self._render()

    def _render(self) -> None:
        self.setFont(self._theme.type.sans(self._size))
        self.setText(styled_html(self._markdown, self._theme, self._size))
        self.updateGeometry()

    def _follow(self, link: str) -> None:
        if link.startswith(_VIEW_LINK):
            view, _, anchor = link.removeprefix(_VIEW_LINK).partition("/")
            self.pointed.emit(view, anchor or None)


def rings_whole(text: str) -> str:
    """`text`, in which no line ends between “ring” and its number."""
    return _RING_SPACE.sub("\u00a0", text)


def styled_html(markdown: str, theme: Theme, size: Size) -> str:
    """`markdown` as HTML that a label shows in the theme's type and colours."""
    document = QTextDocument()
    document.setDefaultFont(theme.type.sans(size))
    document.setMarkdown(rings_whole(markdown.strip()), QTextDocument.MarkdownFeature.MarkdownDialectGitHub)
    document.setDocumentMargin(0)
    block = document.begin()
    while block.isValid():
        _style_block(block, theme, size, first=block == document.begin(), last=not block.next().isValid())
        block = block.next()
    return document.toHtml()


def _style_block(block: QTextBlock, theme: Theme, size: Size, *, first: bool, last: bool) -> None:
    cursor = QTextCursor(block)
    shape = QTextBlockFormat(block.blockFormat())
    is_code = shape.hasProperty(QTextFormat.Property.BlockCodeFence) or shape.hasProperty(
        QTextFormat.Property.BlockCodeLanguage
    )
    heading = shape.headingLevel()
    distance = QTextBlockFormat.LineHeightTypes.LineDistanceHeight.value
    shape.setLineHeight(round(LEADING * theme.type.scale) if not is_code else 2, distance)
    in_list = block.textList() is not None
    if in_list:
        shape.setLeftMargin(LIST_INDENT - 40)
    shape.setTopMargin(0 if first else theme.space(4) if heading else theme.space(1) if in_list else theme.space(2))
    shape.setBottomMargin(0 if last else theme.space(1))
    if is_code:
        shape.setTopMargin(0)
        shape.setBottomMargin(0)
        shape.setLeftMargin(theme.space(3))
    cursor.setBlockFormat(shape)

    fragments = []
    walk = block.begin()
    while not walk.atEnd():
        fragments.append(walk.fragment())
        walk += 1
    for fragment in fragments:
        old = fragment.charFormat()
        _merge(block, fragment.position(), fragment.length(), _char_format(old, theme, size, is_code, heading))
    for found in _RING.finditer(block.text()):
        ring = Ring(int(found[1].replace("−", "-")))
        ink = QTextCharFormat()
        ink.setForeground(theme.palette.ring_text(ring))
        ink.setFontWeight(QFont.Weight.DemiBold)
        _merge(block, block.position() + found.start(), len(found[0]), ink)


def _char_format(old: QTextCharFormat, theme: Theme, size: Size, is_code: bool, heading: int) -> QTextCharFormat:
    new = QTextCharFormat()
    if is_code or old.fontFixedPitch():
        new.setFontFamilies([MONO_FAMILY])
        new.setProperty(QTextFormat.Property.FontPixelSize, theme.type.pixels(12 if is_code else size - 1))
        if not is_code:
            new.setBackground(theme.palette.raised)
    elif heading:
        new.setProperty(QTextFormat.Property.FontPixelSize, theme.type.pixels(Size.HEADING if heading < 3 else size))
        new.setProperty(QTextFormat.Property.FontSizeAdjustment, 0)
        new.setFontWeight(QFont.Weight.DemiBold)
    elif old.fontWeight() > QFont.Weight.Normal:
        new.setFontWeight(QFont.Weight.DemiBold)
    if old.isAnchor():
        new.setForeground(theme.palette.text)
        new.setFontUnderline(True)
    return new


def _merge(block: QTextBlock, position: int, length: int, shape: QTextCharFormat) -> None:
    cursor = QTextCursor(block)
    cursor.setPosition(position)
    cursor.setPosition(position + length, QTextCursor.MoveMode.KeepAnchor)
    cursor.mergeCharFormat(shape)
