"""Where the views stand: docks, placed by their area at first, and then wherever the person puts them."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise
from zlib import crc32

from PySide6.QtCore import QByteArray, QEvent, QObject, QSettings, Qt, Signal
from PySide6.QtWidgets import QAbstractButton, QApplication, QDockWidget, QMainWindow, QMenu, QStyle, QTabBar

from app.controllers.actions import Act, Actions
from app.theme import Theme
from app.views import Area, View, ViewSpec

GEOMETRY_KEY, STATE_KEY = "layout/geometry", "layout/state"
RIGHT_SHARE = 0.26  # of the window's width, for the right column
LEFT_SHARE = 0.335  # of the rest, for the first of the upper row (the rings)
FIRST_BOTTOM_SHARE = 0.62  # of the rest, for the first of the bottom row (the traps)
FIRST_RIGHT_SHARE = 0.5  # of its height, for the first of the right column (the lessons)
LESSON_SHARE = 0.66  # the same, while a lesson goes on
FRAME = 160  # pixels of height that menus, toolbar and foot take, about
BOTTOM_SHARE = 0.41  # of the height of the rest, for the bottom row
DOCK_BUTTONS = {  # by the names that Qt gives them
    "qt_dockwidget_floatbutton": "Take this view out into a window of its own, or put it back.",
    "qt_dockwidget_closebutton": "Close this view. The menu View, Views opens it again.",
}
SMALLEST = (120, 64)  # pixels of a view
SIDE_BY_SIDE = 2  # views of one row or column that stand beside one another; more go behind as tabs


def view_keys(number: int) -> str:
    """The keys that lead to the view of that number, from 1: Alt and a digit, then with Shift; then none."""
    return "" if number > 20 else f"Alt+{'Shift+' * (number > 10)}{number % 10}"


class LayoutController(QObject):
    """Makes a dock for each view and knows which views are in sight.

    cameIntoSight  (View) it was hidden, or behind a tab, and must be shown the present
    sightChanged   a view came into sight or went out of it
    """

    cameIntoSight = Signal(object)
    sightChanged = Signal()

    def __init__(
        self, window: QMainWindow, specs: Iterable[ViewSpec], theme: Theme, actions: Actions, settings: QSettings
    ) -> None:
        super().__init__(window)
        self._window, self._settings = window, settings
        self.specs: tuple[ViewSpec, ...] = tuple(specs)
        # a layout that was saved with other views is not restored
        self._version = crc32(" ".join(spec.id for spec in self.specs).encode()) & 0x7FFF_FFFF
        self.views: dict[str, View] = {}
        self.docks: dict[str, QDockWidget] = {}
        self._in_sight: set[str] = set()
        self._before_enlarging: QByteArray | None = None
        self._height_before: tuple[int, int] | None = None  # of the first of the right column, and the one it was given
        self._enlarge = actions[Act.ENLARGE]
        self._enlarge.triggered.connect(self._toggle_enlarged)
        self._untouched = False  # the first layout stands, and the window has not been shown with it yet
        self.views_menu = QMenu("&Views", window)
        for number, spec in enumerate(self.specs, 1):
            self._add(number, spec, theme)
        window.setDockOptions(
            QMainWindow.DockOption.AnimatedDocks
            | QMainWindow.DockOption.AllowNestedDocks
            | QMainWindow.DockOption.AllowTabbedDocks
        )
        window.setTabPosition(
            Qt.DockWidgetArea.AllDockWidgetAreas, window.tabPosition(Qt.DockWidgetArea.TopDockWidgetArea)
        )
        actions[Act.RESET_LAYOUT].triggered.connect(self.reset)
        self.sightChanged.connect(self.name_tabs)

    # -- what is in sight

    def in_sight(self) -> list[View]:
        """The views that the person can see now."""
        return [view for name, view in self.views.items() if name in self._in_sight]

    def show_view(self, name: str) -> None:
        """Bring a view into sight: open its dock, or its tab."""
        dock = self.docks[name]
        if not dock.isVisible():
            self.shrink()
        dock.show()
        dock.raise_()

    def keys(self) -> list[tuple[str, str]]:
        """The key that leads to each view, and what it does."""
        numbered = enumerate(self.specs, 1)
        return [(keys, f"Go to {spec.title}.") for number, spec in numbered if (keys := view_keys(number))]

    def name_tabs(self) -> None:
        """Let a screen reader say what the bars of tabs lead to. Qt makes them as views are put behind one another."""
        for bar in self._window.findChildren(QTabBar, options=Qt.FindChildOption.FindDirectChildrenOnly):
            titles = ", ".join(bar.tabText(at) for at in range(bar.count()))
            bar.setAccessibleName(f"Views here: {titles}")
            bar.setElideMode(Qt.TextElideMode.ElideNone)  # whole words; where there is no room, arrows lead to more
            bar.setUsesScrollButtons(True)

    def open_views(self) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """The views that are open, tabs that lie behind others included; and those of them in front."""
        opened = tuple(name for name, dock in self.docks.items() if not dock.isHidden())
        return opened, tuple(name for name in self.docks if name in self._in_sight)

    def arrange(self, opened: Iterable[str], front: Iterable[str]) -> None:
        """Open just these views, and bring those to the front; where each stands is the person's own affair."""
        wanted = self.docks.keys() & set(opened)
        if wanted:
            self.shrink()
            for name, dock in self.docks.items():
                dock.setVisible(name in wanted)
            for name in front:
                if name in wanted:
                    self.docks[name].raise_()

    def _seen(self, name: str, seen: bool) -> None:
        if not seen:
            self._in_sight.discard(name)
            self.sightChanged.emit()
        elif name not in self._in_sight:
            self._in_sight.add(name)
            self.cameIntoSight.emit(self.views[name])
            self.sightChanged.emit()

    # -- one view in the whole window

    def enlarge(self, name: str) -> None:
        """Give one view the whole window, until `shrink`."""
        self.shrink()
        self._before_enlarging = self._window.saveState(self._version)
        self._enlarge.setChecked(True)
        self.docks[name].setFloating(False)
        for other, dock in self.docks.items():
            dock.setVisible(other == name)

    def shrink(self) -> None:
        """Put the views back as they were before one was enlarged."""
        before, self._before_enlarging = self._before_enlarging, None
        self._enlarge.setChecked(False)
        if before is not None:
            self._window.restoreState(before, self._version)

    def toggle_enlarged(self, name: str) -> None:
        """Give this view the whole window, or, if one has it, put all back."""
        if self._before_enlarging is not None:
            self.shrink()
        else:
            self.enlarge(name)

    def _toggle_enlarged(self) -> None:
        if self._before_enlarging is not None:
            self.shrink()
            return
        focus = QApplication.focusWidget()
        held = (name for name, dock in self.docks.items() if focus is not None and dock.isAncestorOf(focus))
        self.enlarge(next(held, self.specs[0].id))

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """A double click on a dock's title enlarges it, in place of letting it float."""
        if event.type() is not QEvent.Type.MouseButtonDblClick or not isinstance(watched, QDockWidget):
            return False
        if watched.isFloating():
            return False
        if self._before_enlarging is not None:
            self.shrink()
        else:
            self.enlarge(watched.objectName().removeprefix("dock-"))
        return True

    # -- more room for a while

    def give_lessons_room(self, wanted: bool) -> None:
        """Let the first view of the right column take more of it, or what it had before; where the person has set the
        border since, it stays."""
        before, self._height_before = self._height_before, None
        column = self._stack(Area.RIGHT)[:SIDE_BY_SIDE]
        heights = self._heights(column)
        if heights is None:
            return
        first, whole = heights[0], sum(heights)
        if wanted:
            self._height_before = before
            if before is None and first < (room := round(whole * LESSON_SHARE)):
                self._set_height(column, room, whole)
                self._height_before = first, room
        elif before is not None and before[1] == first:
            self._set_height(column, before[0], whole)

    def _heights(self, column: list[QDockWidget]) -> tuple[int, int] | None:
        """Of two docks with their tab bars; None if one does not stand over the other, with its border in common."""
        if len(column) < SIDE_BY_SIDE or any(dock.isHidden() or dock.isFloating() for dock in column):
            return None
        upper, lower = (dock.geometry() for dock in column)
        border = self._window.style().pixelMetric(QStyle.PixelMetric.PM_DockWidgetSeparatorExtent, None, self._window)
        apart = lower.top() - upper.top() - border
        return (apart, lower.height()) if upper.left() == lower.left() and apart >= upper.height() else None

    def _set_height(self, column: list[QDockWidget], first: int, whole: int) -> None:
        self._window.resizeDocks(column, [first, whole - first], Qt.Orientation.Vertical)
        self._window.layout().activate()  # now, so that what is there can be compared with what was wanted

    # -- places

    def reset(self) -> None:
        """Put every view back where it first stood."""
        self.shrink()
        for spec in self.specs:
            dock = self.docks[spec.id]
            dock.setFloating(False)
            self._window.removeDockWidget(dock)
        self._place()
        for dock in self.docks.values():
            dock.show()
        self._untouched = not self._window.isVisible()
        self._share_space()

    def shown(self) -> None:
        """The window came onto the screen: the first layout takes its shares of the size it really has."""
        if self._untouched:
            self._untouched = False
            self._share_space()

    def save(self) -> None:
        """Keep the layout for the next time."""
        self.shrink()
        self.give_lessons_room(False)
        self._settings.setValue(GEOMETRY_KEY, self._window.saveGeometry())
        self._settings.setValue(STATE_KEY, self._window.saveState(self._version))

    def restore(self) -> None:
        """The layout of last time; the first one if there is none, or if it does not fit the views there are."""
        geometry, state = self._settings.value(GEOMETRY_KEY), self._settings.value(STATE_KEY)
        if isinstance(geometry, QByteArray):
            self._window.restoreGeometry(geometry)
        self.reset()
        if isinstance(state, QByteArray) and self._window.restoreState(state, self._version):
            self._untouched = False
            if all(dock.isHidden() for dock in self.docks.values()):
                self.reset()

    def _add(self, number: int, spec: ViewSpec, theme: Theme) -> None:
        view = spec.make(theme)
        view.setToolTip("")
        view.setMinimumSize(*SMALLEST)  # its own: what a view has to say now and then must not push the others aside
        dock = QDockWidget(spec.title, self._window)
        dock.setObjectName(f"dock-{spec.id}")
        dock.setToolTip(spec.question)
        dock.setAccessibleName(spec.title)
        dock.setAccessibleDescription(spec.question)
        dock.setWidget(view)
        dock.installEventFilter(self)
        for button, tip in DOCK_BUTTONS.items():
            if (made := dock.findChild(QAbstractButton, button)) is not None:
                made.setToolTip(tip)
        dock.visibilityChanged.connect(lambda seen, name=spec.id: self._seen(name, seen))
        self.views[spec.id], self.docks[spec.id] = view, dock
        toggle = dock.toggleViewAction()
        toggle.setToolTip(spec.question)
        show = self.views_menu.addAction(spec.title)
        show.setToolTip(spec.question)
        show.setShortcut(view_keys(number))
        show.triggered.connect(lambda _checked=False, name=spec.id: self._go_to(name))

    def _go_to(self, name: str) -> None:
        self.show_view(name)
        self.views[name].setFocus(Qt.FocusReason.ShortcutFocusReason)

    def _stack(self, area: Area) -> list[QDockWidget]:
        """The docks with a place of their own in `area`, in order."""
        return [self.docks[spec.id] for spec in self.specs if spec.area is area and spec.behind not in self.docks]

    def _place(self) -> None:
        """Left and centre stand side by side over the bottom row; the right column is as high as all of these.

        All docks are in one area of the window: between areas Qt moves the borders whenever a size hint changes.
        """
        window, across, down = self._window, Qt.Orientation.Horizontal, Qt.Orientation.Vertical
        above, bottom, right = self._above(), self._stack(Area.BOTTOM), self._stack(Area.RIGHT)
        first = (above or bottom or right)[0]
        window.addDockWidget(Qt.DockWidgetArea.TopDockWidgetArea, first)
        if right and right[0] is not first:
            window.splitDockWidget(first, right[0], across)
        if bottom and bottom[0] is not first:
            window.splitDockWidget(first, bottom[0], down)
        for row, direction in ((above, across), (bottom, across), (right, down)):
            for before, dock in pairwise(row[:SIDE_BY_SIDE]):
                window.splitDockWidget(before, dock, direction)
            for dock in row[SIDE_BY_SIDE:]:
                window.tabifyDockWidget(row[0], dock)
        for row in (self._stack(Area.LEFT), self._stack(Area.CENTRE)):
            for dock in row[1:]:
                window.tabifyDockWidget(row[0], dock)
        hidden = [spec for spec in self.specs if spec.behind in self.docks]
        for spec in hidden:
            window.tabifyDockWidget(self.docks[spec.behind], self.docks[spec.id])
        for front in {spec.behind: None for spec in hidden}:
            self.docks[front].raise_()

    def _above(self) -> list[QDockWidget]:
        """What stands over the bottom row: the first of the left area and the first of the centre."""
        return [stack[0] for area in (Area.LEFT, Area.CENTRE) if (stack := self._stack(area))]

    def _share_space(self) -> None:
        width, height, resize = self._window.width(), self._window.height() - FRAME, self._window.resizeDocks
        across, down = Qt.Orientation.Horizontal, Qt.Orientation.Vertical
        above, bottom, right = self._above(), self._stack(Area.BOTTOM), self._stack(Area.RIGHT)
        column = round(width * RIGHT_SHARE) if right else 0
        if above and right:
            resize([above[0], right[0]], [width - column, column], across)
        if len(right) > 1:
            first = round(height * FIRST_RIGHT_SHARE)
            resize(right[:SIDE_BY_SIDE], [first, height - first], down)
        if above and bottom:
            low = round(height * BOTTOM_SHARE)
            resize([above[0], bottom[0]], [height - low, low], down)
        for row, share in ((above, LEFT_SHARE), (bottom, FIRST_BOTTOM_SHARE)):
            if len(row) > 1:
                first = round((width - column) * share)
                resize(row[:SIDE_BY_SIDE], [first, width - column - first], across)
