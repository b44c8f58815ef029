"""Where the views stand: docks, placed by their area at first, and then wherever the person puts them."""

from __future__ import annotations

from collections.abc import Iterable

from PySide6.QtCore import QByteArray, QObject, QSettings, Qt, Signal
from PySide6.QtWidgets import QDockWidget, QMainWindow, QMenu

from app.controllers.actions import Act, Actions
from app.theme import Theme
from app.views import Area, View, ViewSpec

LAYOUT = 1  # a saved layout of another number is not restored
GEOMETRY_KEY, STATE_KEY = "layout/geometry", "layout/state"
WIDTHS = {Area.LEFT: 26, Area.CENTRE: 48, Area.RIGHT: 26}  # shares of the window's width
BOTTOM_SHARE = 0.38  # of the window's height


class LayoutController(QObject):
    """Makes a dock for each view and knows which views are in sight.

    cameIntoSight  (View) it was hidden, or behind a tab, and must be shown the present
    """

    cameIntoSight = Signal(object)

    def __init__(
        self, window: QMainWindow, specs: Iterable[ViewSpec], theme: Theme, actions: Actions, settings: QSettings
    ) -> None:
        super().__init__(window)
        self._window, self._settings = window, settings
        self.specs: tuple[ViewSpec, ...] = tuple(specs)
        self.views: dict[str, View] = {}
        self.docks: dict[str, QDockWidget] = {}
        self._in_sight: set[str] = set()
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

    # -- what is in sight

    def in_sight(self) -> list[View]:
        """The views that the person can see now."""
        return [view for name, view in self.views.items() if name in self._in_sight]

    def show_view(self, name: str) -> None:
        """Bring a view into sight: open its dock, or its tab."""
        dock = self.docks[name]
        dock.show()
        dock.raise_()

    def _seen(self, name: str, seen: bool) -> None:
        if not seen:
            self._in_sight.discard(name)
        elif name not in self._in_sight:
            self._in_sight.add(name)
            self.cameIntoSight.emit(self.views[name])

    # -- places

    def reset(self) -> None:
        """Put every view back where it first stood."""
        for spec in self.specs:
            dock = self.docks[spec.id]
            dock.setFloating(False)
            self._window.removeDockWidget(dock)
        columns = [self._stack(area) for area in (Area.LEFT, Area.CENTRE, Area.RIGHT)]
        self._place_side_by_side([column for column in columns if column])
        self._place_bottom(self._stack(Area.BOTTOM))
        for dock in self.docks.values():
            dock.show()
        for stack in (*columns, self._stack(Area.BOTTOM)):
            if stack:
                stack[0].raise_()
        self._untouched = not self._window.isVisible()
        self._share_space()

    def shown(self) -> None:
        """The window came onto the screen: the first layout takes its shares of the size it really has."""
        if self._untouched:
            self._untouched = False
            self._share_space()

    def save(self) -> None:
        """Keep the layout for the next time."""
        self._settings.setValue(GEOMETRY_KEY, self._window.saveGeometry())
        self._settings.setValue(STATE_KEY, self._window.saveState(LAYOUT))

    def restore(self) -> None:
        """The layout of last time; the first one if there is none, or if it does not fit the views there are."""
        geometry, state = self._settings.value(GEOMETRY_KEY), self._settings.value(STATE_KEY)
        if isinstance(geometry, QByteArray):
            self._window.restoreGeometry(geometry)
        self.reset()
        if isinstance(state, QByteArray) and self._window.restoreState(state, LAYOUT):
            self._untouched = False
            if all(dock.isHidden() for dock in self.docks.values()):
                self.reset()

    def _add(self, number: int, spec: ViewSpec, theme: Theme) -> None:
        view = spec.make(theme)
        view.setToolTip("")
        dock = QDockWidget(spec.title, self._window)
        dock.setObjectName(f"dock-{spec.id}")
        dock.setToolTip(spec.question)
        dock.setAccessibleName(spec.title)
        dock.setAccessibleDescription(spec.question)
        dock.setWidget(view)
        dock.visibilityChanged.connect(lambda seen, name=spec.id: self._seen(name, seen))
        self.views[spec.id], self.docks[spec.id] = view, dock
        toggle = dock.toggleViewAction()
        toggle.setToolTip(spec.question)
        show = self.views_menu.addAction(spec.title)
        show.setToolTip(spec.question)
        if number <= 9:
            show.setShortcut(f"Alt+{number}")
        show.triggered.connect(lambda _checked=False, name=spec.id: self._go_to(name))

    def _go_to(self, name: str) -> None:
        self.show_view(name)
        self.views[name].setFocus(Qt.FocusReason.ShortcutFocusReason)

    def _stack(self, area: Area) -> list[QDockWidget]:
        return [self.docks[spec.id] for spec in self.specs if spec.area is area]

    def _place_side_by_side(self, columns: list[list[QDockWidget]]) -> None:
        for at, column in enumerate(columns):
            if at == 0:
                self._window.addDockWidget(Qt.DockWidgetArea.TopDockWidgetArea, column[0])
            else:
                self._window.splitDockWidget(columns[at - 1][0], column[0], Qt.Orientation.Horizontal)
        for column in columns:
            for dock in column[1:]:
                self._window.tabifyDockWidget(column[0], dock)

    def _place_bottom(self, row: list[QDockWidget]) -> None:
        for at, dock in enumerate(row):
            if at == 0:
                self._window.addDockWidget(Qt.DockWidgetArea.BottomDockWidgetArea, dock)
            else:
                self._window.splitDockWidget(row[at - 1], dock, Qt.Orientation.Horizontal)

    def _share_space(self) -> None:
        width, height = self._window.width(), self._window.height()
        first = {area: self._stack(area)[0] for area in WIDTHS if self._stack(area)}
        total = sum(WIDTHS[area] for area in first)
        self._window.resizeDocks(
            list(first.values()), [width * WIDTHS[area] // total for area in first], Qt.Orientation.Horizontal
        )
        bottom = self._stack(Area.BOTTOM)
        if bottom and first:
            down = round(height * BOTTOM_SHARE)
            self._window.resizeDocks(
                [next(iter(first.values())), bottom[0]], [height - down, down], Qt.Orientation.Vertical
            )
            self._window.resizeDocks(bottom, [width * 74 // 100, width * 26 // 100], Qt.Orientation.Horizontal)
