"""One stylesheet for the whole application, written from a theme; and the same look for pyqtgraph.

Neutral throughout: colour is kept for rings and errors, which widgets paint themselves. What the keyboard will act on
wears an outline of the text's own colour. The sheet sets no font on ordinary widgets, so `setFont` works as everywhere
in Qt. A widget asks for a variant with a dynamic property:

    setProperty("role", "value")    code face (labels, inputs)
    setProperty("role", "quiet")    secondary words
    setProperty("role", "heading")  a heading inside a view
    setProperty("role", "error")    words of an error, or a panel holding one
    setProperty("role", "primary")  the one button a dialogue or lesson step leads to
    setProperty("role", "panel")    a frame that sets its content apart
"""

from __future__ import annotations

from string import Template

import pyqtgraph
from PySide6.QtGui import QColor, QPalette
from PySide6.QtWidgets import QApplication

from app.theme.icons import ICON_FOLDER
from app.theme.palette import blend
from app.theme.theme import Theme
from app.theme.typography import MONO_FAMILY, Size, load_fonts

_SHEET = Template(
    """
* { outline: 0; }
QMainWindow, QDialog, QMessageBox, QMenu, QWizard { background: $background; }
QMainWindow::separator { background: $between_docks; width: ${gap}px; height: ${gap}px; }
QMainWindow::separator:hover { background: $outline; }

/* words */
QLabel:disabled { color: $disabled; }
QLabel#emptyState { color: $muted; }
*[role="value"] { font-family: "$mono"; }
*[role="quiet"] { color: $muted; }
*[role="heading"] { font-size: ${heading}px; font-weight: 600; }
QLabel[role="error"] { color: $error; }
.QFrame[role="panel"] { background: $raised; border: 1px solid $line; border-radius: ${radius}px; }
.QFrame[role="error"] { background: $errorGround; border: 1px solid $error; border-radius: ${radius}px; }
QToolTip { background: $raised; color: $text; border: 1px solid $outline; padding: ${gap}px ${pad}px; }

/* menus */
QMenuBar { background: $background; padding: 0 ${gap}px; }
QMenuBar::item { padding: ${gap}px ${pad}px; border-radius: ${radius}px; }
QMenuBar::item:selected, QMenuBar::item:pressed { background: $hover; }
QMenu { border: 1px solid $edge; padding: ${gap}px; }
QMenu::item { padding: ${gap}px ${wide}px ${gap}px ${pad}px; border-radius: ${radius}px; }
QMenu::item:selected { background: $hover; }
QMenu::item:disabled { color: $disabled; }
QMenu::separator { height: 1px; background: $line; margin: ${gap}px ${pad}px; }
QMenu::icon { padding-left: ${pad}px; }

/* toolbar */
QToolBar { background: $background; border: 0; border-bottom: 1px solid $line; padding: ${gap}px ${pad}px;
    spacing: ${gap}px; }
QToolBar::separator { background: transparent; border-left: 1px solid $line; width: 1px; margin: ${gap}px; }
QToolBar::handle { width: 0; }
QToolButton { border: ${rim}px solid transparent; border-radius: ${radius}px; padding: ${gap}px;
    background: transparent; }
QToolButton:hover { background: $hover; }
QToolButton:pressed, QToolButton:checked { background: $selected; }
QToolButton:focus { border-color: $focus; }
QToolButton:disabled { color: $disabled; }
QToolButton::menu-indicator { image: none; }

/* docks: a quiet title that asks its question in its tooltip */
QDockWidget { color: $muted; font-size: ${small}px; font-weight: 600; titlebar-close-icon: url("$close");
    titlebar-normal-icon: url("$float"); }
QDockWidget::title { background: $background; padding: ${gap}px ${pad}px; text-align: left; }
QDockWidget > QWidget { background: $surface; }
QDockWidget::close-button, QDockWidget::float-button { border: 0; background: transparent; padding: 0; }
QDockWidget::close-button:hover, QDockWidget::float-button:hover { background: $hover; }

/* tabs */
QTabWidget::pane { border: 0; border-top: 1px solid $line; background: $surface; }
QTabBar { background: $background; qproperty-drawBase: 0; }
QTabBar::tab { color: $muted; padding: ${gap}px ${tab}px; border: 0; border-bottom: 2px solid transparent;
    background: $background; }
QTabBar::tab:hover { color: $text; background: $hover; }
QTabBar::tab:selected { color: $text; border-bottom-color: $text; }
QTabBar::tab:focus { background: $hover; border-bottom-color: $focus; }

/* tables, trees, lists, text */
QAbstractScrollArea { background: $surface; border: 0; }
QAbstractItemView, QPlainTextEdit, QTextEdit { border: ${rim}px solid $surface; }
QAbstractItemView { alternate-background-color: $surface; gridline-color: $line; }
QAbstractItemView::item { padding: 0 ${gap}px; border: 0; }  /* and Qt's own 3: the heading's 7 */
QAbstractItemView::item:hover { background: $hover; }
QAbstractItemView::item:selected { background: $selected; color: $text; }
QAbstractItemView:focus, QPlainTextEdit:focus, QTextEdit:focus { border-color: $outline; }
QHeaderView { background: $surface; border: 0; }
QHeaderView::section { background: $surface; color: $muted; font-size: ${caption}px; font-weight: 600; border: 0;
    border-bottom: 1px solid $edge; padding: ${gap}px 7px; text-align: left; }
QHeaderView::section:hover { color: $text; }
QTableCornerButton::section { background: $surface; border: 0; border-bottom: 1px solid $edge; }

/* scrolling and splitting */
QScrollBar { background: transparent; border: 0; margin: 0; }
QScrollBar:vertical { width: ${bar}px; }
QScrollBar:horizontal { height: ${bar}px; }
QScrollBar::handle { background: $thumb; border-radius: ${thumbRadius}px; margin: 2px; }
QScrollBar::handle:vertical { min-height: ${grip}px; }
QScrollBar::handle:horizontal { min-width: ${grip}px; }
QScrollBar::handle:hover, QScrollBar::handle:pressed { background: $outline; }
QScrollBar::add-line, QScrollBar::sub-line { width: 0; height: 0; border: 0; }
QScrollBar::add-page, QScrollBar::sub-page { background: transparent; }
QSplitter::handle { background: $line; }
QSplitter::handle:horizontal { width: 1px; }
QSplitter::handle:vertical { height: 1px; }
QSplitter::handle:hover { background: $outline; }
QAbstractScrollArea::corner { background: $surface; border: 0; }

/* inputs */
QLineEdit, QSpinBox, QDoubleSpinBox, QComboBox { background: $raised; border: ${rim}px solid $outline;
    border-radius: ${radius}px; padding: ${gap}px ${pad}px; min-height: ${input}px; }
QLineEdit:focus, QSpinBox:focus, QDoubleSpinBox:focus, QComboBox:focus, QComboBox:on { border-color: $focus; }
QLineEdit:disabled, QSpinBox:disabled, QDoubleSpinBox:disabled, QComboBox:disabled { color: $disabled;
    border-color: $line; }
QDialog QPlainTextEdit[role="value"] { background: $raised; border: ${rim}px solid $outline;
    border-radius: ${radius}px; padding: 0 ${gap}px; }
QLineEdit[role="error"] { border-color: $error; }
QLineEdit[role="cell"], QTableView QLineEdit { border: 1px solid $focus; border-radius: 0; padding: 0; min-height: 0; }
QSpinBox::up-button, QSpinBox::down-button, QDoubleSpinBox::up-button, QDoubleSpinBox::down-button { width: 0;
    border: 0; }
QComboBox:hover { background: $hover; }
QComboBox::drop-down { border: 0; width: ${wide}px; }
QComboBox::down-arrow { image: url("$arrow"); width: ${small}px; height: ${small}px; }
QComboBox QAbstractItemView { background: $background; border: 1px solid $edge; padding: ${gap}px; }
QSlider::groove:horizontal { height: 4px; background: $edge; border-radius: 2px; }
QSlider::sub-page:horizontal { background: $muted; border-radius: 2px; }
QSlider::handle:horizontal { width: 12px; height: 12px; margin: -6px 0; border-radius: 8px; background: $text;
    border: 2px solid $background; }
QSlider::handle:horizontal:focus { border-color: $focus; background: $background; }
QSlider:focus { border: ${rim}px solid $focus; border-radius: ${radius}px; }
QCheckBox, QRadioButton { spacing: ${pad}px; padding: 2px ${gap}px; border: ${rim}px solid transparent;
    border-radius: ${radius}px; }
QCheckBox:focus, QRadioButton:focus { border-color: $focus; }
QCheckBox::indicator, QRadioButton::indicator { width: ${box}px; height: ${box}px; border: 1px solid $outline;
    background: $raised; }
QTableView::indicator { width: ${small}px; height: ${small}px; border: 1px solid $outline; background: $raised;
    border-radius: 3px; }
QTableView::indicator:checked { background: $text; image: url("$check"); }
QTableView::indicator:disabled { border-color: $edge; background: transparent; }
QCheckBox::indicator { border-radius: 3px; }
QRadioButton::indicator { border-radius: ${dot}px; }
QCheckBox::indicator:checked { background: $text; image: url("$check"); }
QRadioButton::indicator:checked { background: qradialgradient(cx: 0.5, cy: 0.5, radius: 0.5, fx: 0.5, fy: 0.5,
    stop: 0 $text, stop: 0.5 $text, stop: 0.6 $raised, stop: 1 $raised); }

/* buttons */
QPushButton { background: $raised; border: ${rim}px solid $edge; border-radius: ${radius}px;
    padding: ${gap}px ${between}px; min-height: ${input}px; }
QPushButton:hover { background: $hover; }
QPushButton:pressed, QPushButton:checked { background: $selected; }
QPushButton:focus { border-color: $focus; }
QPushButton:disabled { color: $disabled; border-color: $line; }
QPushButton[role="primary"] { background: $text; color: $background; border-color: $text; font-weight: 600; }
QPushButton[role="primary"]:hover { background: $muted; border-color: $muted; }
QPushButton[role="primary"]:focus { border-color: $background; }
QPushButton[role="primary"]:disabled { background: $raised; color: $disabled; border-color: $line; }

/* the rest */
QStatusBar { background: $background; border-top: 1px solid $line; }
QStatusBar::item { border: 0; }
QProgressBar { background: $raised; border: 0; border-radius: 2px; min-height: 4px; max-height: 4px; }
QProgressBar::chunk { background: $muted; border-radius: 2px; }
QGroupBox { border: 0; border-top: 1px solid $line; margin-top: ${wide}px; padding: ${pad}px 0 0 0; }
QGroupBox::title { subcontrol-origin: margin; color: $muted; padding: 0 ${pad}px 0 0; }
"""
)


def stylesheet(theme: Theme) -> str:
    """The application's one stylesheet (QSS)."""
    palette, pixels = theme.palette, theme.type.pixels
    icons = "dark" if palette.is_dark else "light"
    edge = palette.outline if theme.is_projector else blend(palette.line, palette.outline, 0.4)
    return _SHEET.substitute(
        mono=MONO_FAMILY,
        caption=pixels(Size.CAPTION),
        small=pixels(12),
        box=pixels(14),
        dot=pixels(14) // 2 + 1,
        heading=pixels(Size.HEADING),
        gap=theme.space(1),
        pad=theme.space(2),
        between=theme.space(3),
        tab=theme.space(2 if theme.is_projector else 3),
        wide=theme.space(6),
        grip=theme.space(8),
        bar=theme.space(3),
        input=pixels(18),
        radius=0 if theme.is_projector else theme.space(1),
        thumbRadius=theme.space(1),
        rim=2 if theme.is_projector else 1,
        background=_css(palette.background),
        surface=_css(palette.surface),
        raised=_css(palette.raised),
        hover=_css(palette.hover),
        selected=_css(palette.selection),
        between_docks=_css(palette.line if theme.is_projector else palette.background),
        line=_css(palette.line),
        edge=_css(edge),
        thumb=_css(edge),
        outline=_css(palette.outline),
        text=_css(palette.text),
        muted=_css(palette.muted),
        disabled=_css(palette.disabled),
        focus=_css(palette.focus),
        error=_css(palette.error),
        errorGround=_css(palette.error_ground),
        arrow=_icon_url(f"arrow-{icons}"),
        check=_icon_url(f"check-{icons}"),
        close=_icon_url(f"close-{icons}"),
        float=_icon_url(f"float-{icons}"),
    )


def apply(application: QApplication, theme: Theme) -> None:
    """Dress the whole application: fonts, stylesheet, and the Qt palette for what a stylesheet does not reach."""
    load_fonts()
    application.setStyle("Fusion")  # the one style that draws alike on every system
    application.setFont(theme.type.sans())
    application.setPalette(qt_palette(theme))
    application.setStyleSheet(stylesheet(theme))
    configure_plots(theme)


def qt_palette(theme: Theme) -> QPalette:
    """The theme as a `QPalette`, which item views, rich text and native parts read."""
    ours, qt, role = theme.palette, QPalette(), QPalette.ColorRole
    for name, color in {
        role.Window: ours.background,
        role.WindowText: ours.text,
        role.Base: ours.surface,
        role.AlternateBase: ours.surface,
        role.Text: ours.text,
        role.Button: ours.raised,
        role.ButtonText: ours.text,
        role.BrightText: ours.error,
        role.Highlight: ours.selection,
        role.HighlightedText: ours.text,
        role.ToolTipBase: ours.raised,
        role.ToolTipText: ours.text,
        role.PlaceholderText: ours.muted,
        role.Link: ours.text,
        role.LinkVisited: ours.muted,
        role.Mid: ours.line,
        role.Dark: ours.line,
        role.Light: ours.raised,
    }.items():
        qt.setColor(name, color)
    for name in (role.WindowText, role.Text, role.ButtonText):
        qt.setColor(QPalette.ColorGroup.Disabled, name, ours.disabled)
    return qt


def configure_plots(theme: Theme) -> None:
    """Defaults of every pyqtgraph plot made from now on; a plot that exists already takes `dress_plot`."""
    pyqtgraph.setConfigOptions(
        antialias=True, background=QColor(theme.palette.surface), foreground=QColor(theme.palette.muted)
    )


def dress_plot(plot: pyqtgraph.PlotItem, theme: Theme) -> None:
    """Axes, grid and ticks of one plot in the theme's colours and type."""
    palette = theme.palette
    for side in ("left", "bottom", "right", "top"):
        axis = plot.getAxis(side)
        axis.setPen(QColor(palette.line))
        axis.setTextPen(QColor(palette.muted))
        axis.setTickFont(theme.type.mono(Size.CAPTION))
        axis.setStyle(tickLength=-theme.space(1), tickTextOffset=theme.space(1))
    plot.showGrid(x=True, y=False, alpha=0.25)
    view = plot.getViewWidget()
    if view is not None:
        view.setBackground(QColor(palette.surface))


def _css(color: QColor) -> str:
    return color.name()


def _icon_url(name: str) -> str:
    return (ICON_FOLDER / f"{name}.svg").as_posix()
