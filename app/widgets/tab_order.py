"""Where the Tab key leads: through all that can be used and is in sight, in the order in which one reads the window.

Qt's own order is that in which widgets were made. It leads into views that lie behind others as tabs, where the focus
is not to be seen, and with docks that a person may move anywhere it has nothing to do with what they see.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

from PySide6.QtCore import QPoint, QRect, Qt
from PySide6.QtWidgets import QDockWidget, QMainWindow, QScrollArea, QTabBar, QToolBar, QWidget

BOTTOM = Qt.ToolBarArea.BottomToolBarArea
Widget = TypeVar("Widget", bound=QWidget)


def move_focus(window: QMainWindow, forward: bool) -> bool:
    """Give the focus to the next tab stop of `window`, or to the one before; False if there is none."""
    stops = tab_stops(window)
    if not stops:
        return False
    focus: QWidget | None = window.focusWidget()
    while focus is not None and focus not in stops:
        focus = focus.parentWidget()
    if focus is None:
        at = 0 if forward else -1
    else:
        at = (stops.index(focus) + (1 if forward else -1)) % len(stops)
    reason = Qt.FocusReason.TabFocusReason if forward else Qt.FocusReason.BacktabFocusReason
    stops[at].setFocus(reason)
    _bring_into_sight(stops[at])
    return True


def tab_stops(window: QMainWindow) -> list[QWidget]:
    """Everything in `window` that takes the focus by Tab, in order: bars above, docks with their tabs, bars below."""
    bars = [bar for bar in window.findChildren(QToolBar) if not bar.isHidden()]
    docks = [dock for dock in window.findChildren(QDockWidget) if _in_sight(dock)]
    tabs = {bar.tabText(bar.currentIndex()): bar for bar in _dock_tabs(window)}
    stops = [stop for bar in bars if window.toolBarArea(bar) is not BOTTOM for stop in _within(bar)]
    for dock in _as_read(docks, lambda dock: dock.geometry()):
        stops += _within(dock)
        if (bar := tabs.get(dock.windowTitle())) is not None:
            stops.append(bar)
    return stops + [stop for bar in bars if window.toolBarArea(bar) is BOTTOM for stop in _within(bar)]


def _in_sight(dock: QDockWidget) -> bool:
    """Is it in the window, and not behind another? Qt keeps those behind visible, but moves them out of the window."""
    window = dock.parentWidget()
    return not dock.isHidden() and not dock.isFloating() and window.rect().intersects(dock.geometry())


def _dock_tabs(window: QMainWindow) -> Iterator[QTabBar]:
    bars = window.findChildren(QTabBar, options=Qt.FindChildOption.FindDirectChildrenOnly)
    return (bar for bar in bars if bar.count() and not bar.isHidden())


def _within(group: QWidget) -> list[QWidget]:
    """The tab stops inside `group`, as they are read."""
    found = [widget for widget in group.findChildren(QWidget) if _takes_tab(widget)]
    return _as_read(found, lambda widget: QRect(widget.mapTo(group, QPoint()), widget.size()))


def _takes_tab(widget: QWidget) -> bool:
    takes = widget.focusPolicy().value & Qt.FocusPolicy.TabFocus.value
    if not takes or widget.focusProxy() is not None or not widget.isEnabled() or not widget.isVisible():
        return False
    return not isinstance(widget.parentWidget(), QTabBar)  # its arrows do what the arrow keys do


def _as_read(things: Iterable[Widget], place_of: Callable[[Widget], QRect]) -> list[Widget]:
    """Line by line, each from the left; of one line is what begins above the middle of the line's first."""
    order: list[Widget] = []
    line: list[Widget] = []
    for thing in sorted(things, key=lambda thing: (place_of(thing).top(), place_of(thing).left())):
        if line and place_of(thing).top() > place_of(line[0]).center().y():
            order += sorted(line, key=lambda thing: place_of(thing).left())
            line = []
        line.append(thing)
    return order + sorted(line, key=lambda thing: place_of(thing).left())


def _bring_into_sight(widget: QWidget) -> None:
    around = widget.parentWidget()
    while around is not None:
        if isinstance(around, QScrollArea):
            around.ensureWidgetVisible(widget)
        around = around.parentWidget()
