"""The window: views in docks, actions in menus and toolbar, and at its foot the sentence that says what happened.

It only joins: controllers turn what the person does into commands, the engine's signals bring snapshots, and those go
to the views that are in sight. It is one file, because joining is one thing, with a line for each two that are joined.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QSettings, QStandardPaths, Qt
from PySide6.QtGui import QCloseEvent, QDragEnterEvent, QDropEvent, QResizeEvent, QShowEvent
from PySide6.QtWidgets import QHBoxLayout, QLabel, QMainWindow, QMenu, QToolBar, QVBoxLayout, QWidget

from app import views
from app.controllers.actions import ACTIONS, FILE, HELP, RUN, TIME, VIEW, Act, Actions
from app.controllers.appearance_controller import AppearanceController
from app.controllers.catalogue import Catalogue, shipped
from app.controllers.compare_controller import CompareController
from app.controllers.help_controller import HelpController
from app.controllers.hole_controller import HoleController
from app.controllers.hosting_controller import HostingController
from app.controllers.lab_controller import LabController
from app.controllers.layout_controller import LayoutController
from app.controllers.lesson_controller import LessonController
from app.controllers.look_controller import LookController
from app.controllers.program_controller import ProgramController
from app.controllers.run_controller import RunController
from app.controllers.snapshot_controller import SnapshotController
from app.controllers.speed import FULL, SPEEDS, words_of
from app.controllers.start_controller import StartController
from app.controllers.time_controller import TimeController
from app.controllers.translation_controller import TranslationController
from app.controllers.trouble_controller import TroubleController
from app.engine.protocol import Loaded
from app.main_toolbar import MainToolBar
from app.models.numerals import grouped
from app.theme import Theme
from app.theme.typography import Size
from app.views import View, ViewSpec
from app.views.abilities import HasAnchors, KeepsHistory, WatchesCounters
from app.views.code_view import CodeView
from app.views.console_view import ConsoleView
from app.views.lesson_view import LessonView
from app.views.vms_view import VmsView
from app.widgets.message_area import MessageArea
from app.widgets.sentence_bar import SentenceBar
from app.widgets.speed_slider import SpeedSlider
from app.widgets.tab_order import move_focus
from app.widgets.time_strip import TimeStrip
from core.errors import LessonError
from core.events import StopReason
from core.snapshot import Snapshot
from lessons.loader import lesson_folders, load_lesson
from lessons.progress import Progress

if TYPE_CHECKING:
    from app.engine.client import Engine
    from app.engine.protocol import Selected
    from core.guests.image import Program


FIRST_OF_A_GROUP = (
    Act.START_WITH, Act.IMPORT_VM, Act.QUIT, Act.ON_TO_DEPARTURE, Act.GO_TO_INSTRUCTION,
    Act.TAKE_SNAPSHOT, Act.RESET, Act.BREAKPOINT, Act.SLOWER, Act.TEXT_LARGER, Act.REDUCED_MOTION,
)  # fmt: skip


class MainWindow(QMainWindow):
    """One window on one engine. `open()` restores the last layout, guest and kind; closing keeps them.

    Closing also ends the engine, unless it is not the window's own.
    """

    def __init__(
        self,
        engine: Engine,
        settings: QSettings | None = None,
        *,
        catalogue: Catalogue | None = None,
        specs: Iterable[ViewSpec] | None = None,
        owns_engine: bool = True,
    ) -> None:
        super().__init__()
        self.setWindowTitle("Ringside")
        self.setAcceptDrops(True)
        self.resize(1280, 720)
        self.setMinimumSize(800, 500)
        self.engine = engine
        self._owns_engine = owns_engine
        self._own_settings = settings
        self.settings = settings if settings is not None else QSettings("Ringside", "Ringside")
        self.actions_ = Actions(self)
        self.appearance = AppearanceController(self.actions_, self.settings, self)
        self.appearance.dress()
        self.run = RunController(engine, self.actions_, self.settings, self)
        self._shown_program: Program | None = None
        self._what = ""  # that runs, for the title
        self.program = ProgramController(engine, self.actions_, catalogue or shipped(), self.settings, self)
        self.hosting = HostingController(engine, self.program.to_add, self)
        self.speed = SpeedSlider(FULL, lambda stop: words_of(SPEEDS[stop]))
        # before the views, since Tab goes in the order of building
        self.toolbar = MainToolBar(self.actions_, self.program, self.speed)
        self.addToolBar(self.toolbar)
        self.layout_ = LayoutController(
            self, views.discover() if specs is None else specs, self.appearance.theme, self.actions_, self.settings
        )
        self.start = StartController(engine, self.actions_, self.program, self.appearance, self)
        self.looks = LookController(engine, self.layout_, self)
        self.translation = TranslationController(engine, self.layout_, self)
        self.help = HelpController(self.actions_, self.appearance, self.layout_, self)
        self.message = MessageArea()
        self.trouble = TroubleController(engine, self.message, self.appearance, self)
        self.sentence = SentenceBar(self.appearance.theme)
        self.strip = TimeStrip(self.appearance.theme)
        self.time = TimeController(engine, self.actions_, self.strip, self)
        self.state = QLabel()
        self.lessons = self._make_lessons()
        self.labs = LabController(engine, self.actions_, self.program, self.layout_, self.lessons, self.settings, self)
        self.holes = HoleController.among(self.layout_.views.values(), engine, self.program.load, self.point, self)
        self.snapshots = SnapshotController.among(
            self.layout_.views.values(), engine, self.actions_, self.program, self.message, self
        )
        self.comparing = CompareController.among(
            self.layout_.views.values(),
            engine,
            self.settings,
            self.program.load,
            self.point,
            lambda: self.layout_.toggle_enlarged("compare"),
            self,
        )
        self._build_foot()
        self._build_menus()
        self._connect_engine()
        self._connect_rest()
        self._dress(self.appearance.theme)

    def open(self, path: str = "", keep: Path | None = None) -> None:
        """Show the window as it was left, with the last guest under the last kind at power-on, or with the lab or guest
        in the file `path`. `keep` is where labs are kept while one works."""
        self.layout_.restore()
        self.run.restore()
        self.show()
        if path:
            self.program.open_file(path)
        else:
            self.program.restore()
        if keep is not None:
            self.labs.keep_in(keep, self.message)

    # -- building

    def _make_lessons(self) -> LessonController | None:
        """The lessons' controller, if there is a view for them; progress is kept beside settings given to us."""
        view = next((one for one in self.layout_.views.values() if isinstance(one, LessonView)), None)
        if view is None:
            return None
        return LessonController(self.engine, view, self.point, Progress(progress_file(self._own_settings)))

    def _build_foot(self) -> None:
        self.state.setProperty("role", "quiet")
        self.state.setAccessibleName("State of the machine")
        foot = QWidget()
        column = QVBoxLayout(foot)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)
        column.addWidget(self.message)
        column.addWidget(self.strip)
        row = QHBoxLayout()
        row.addWidget(self.sentence, 1)
        row.addWidget(self.state)
        column.addLayout(row)
        bar = QToolBar("Foot")
        bar.setObjectName("foot")
        bar.setMovable(False)
        bar.toggleViewAction().setVisible(False)
        bar.addWidget(foot)
        self.addToolBar(Qt.ToolBarArea.BottomToolBarArea, bar)

    def _build_menus(self) -> None:
        menus = {name: self.menuBar().addMenu(name) for name in (FILE, RUN, TIME, VIEW)}
        self.lessons_menu = self.menuBar().addMenu("&Lessons")
        self.lessons_menu.setToolTipsVisible(True)
        self.lessons_menu.aboutToShow.connect(self._list_lessons)
        menus[HELP] = self.menuBar().addMenu(HELP)
        for act, spec in ACTIONS.items():
            menu = menus[spec.menu]
            if act in FIRST_OF_A_GROUP:
                menu.addSeparator()
            menu.addAction(self.actions_[act])
        menus[FILE].insertMenu(self.actions_[Act.SAVE_LAB], self.program.recent_menu)
        first = menus[VIEW].actions()[0]
        menus[VIEW].insertMenu(first, self.layout_.views_menu)
        menus[VIEW].insertMenu(self.actions_[Act.SWITCH_THEME], self.appearance.theme_menu)
        for menu in menus.values():
            menu.setToolTipsVisible(True)

    # -- joining

    def _connect_engine(self) -> None:
        self.engine.updated.connect(self._show_snapshot)
        self.engine.loaded.connect(self._show_program)
        self.engine.selected.connect(self._show_selected)

    def _connect_rest(self) -> None:
        actions = self.actions_
        self.run.speedChanged.connect(self.speed.set_stop)
        self.speed.stopChosen.connect(self.run.set_speed)
        self.program.loading.connect(lambda title: self.sentence.show_sentence(f"Loading {title} …"))
        self.program.loading.connect(self.run.expect_guest)
        self.program.refused.connect(self.trouble.show_refusal)
        self.engine.refused.connect(self._say_present)  # in place of "Loading …"
        self.start.said.connect(self.sentence.show_sentence)
        self.time.wrong.connect(self.trouble.show_refusal)
        if self.lessons is not None:
            self.lessons.stepDone.connect(self.time.mark_step)
            self.lessons.goesOn.connect(self.layout_.give_lessons_room)
        self.labs.said.connect(self.sentence.show_sentence)
        if self.snapshots is not None:
            self.snapshots.said.connect(self.sentence.show_sentence)
        self.labs.renamed.connect(self._show_title)
        self.layout_.cameIntoSight.connect(self._catch_up)
        self.appearance.themeChanged.connect(self._dress)
        actions[Act.QUIT].triggered.connect(self.close)
        actions[Act.RUN].triggered.connect(self._offer_console)
        actions[Act.BREAKPOINT].triggered.connect(lambda: self._with_code(CodeView.toggle_breakpoint))
        actions[Act.FOLLOW_PC].triggered.connect(lambda: self._with_code(CodeView.follow))
        intents: dict[str, Callable[..., object]] = {
            "breakpointsChanged": self.run.set_breakpoints,
            "runToRequested": self.run.run_to,
            "cursorMoved": self.run.set_cursor,
            "inputTyped": self.engine.send_input,
            "keyed": self.engine.press_keys,
            "addressPicked": self.looks.pick,
            "walkRequested": self.looks.show_walk,
            "bytesRequested": self.looks.show_bytes,
            "interceptFlipped": self.engine.set_intercept,
            "fieldEdited": self.engine.set_vmcb_field,
            "registerEdited": self.engine.edit_register,
            "bytesEdited": self.engine.edit_memory,
            "writeSought": self.time.seek_write,
            "writeAwaited": self.run.run_to_write,
            "gotoRequested": self.go_to,
        }
        self.hosting.connect_views(self.layout_.views.values())
        self.hosting.connect_toolbar(self.toolbar, actions)
        for view in self.layout_.views.values():
            if isinstance(view, VmsView):
                self.hosting.offer(view.others, self.program.catalogue)
        for view in self.layout_.views.values():
            if isinstance(view, WatchesCounters):
                view.watch_counters(self.engine.memory)
            for name, slot in intents.items():
                signal = getattr(view, name, None)
                if signal is not None:
                    signal.connect(slot)

    def _with_code(self, do: Callable[[CodeView], None]) -> None:
        for view in self.layout_.views.values():
            if isinstance(view, CodeView):
                do(view)

    def _offer_console(self) -> None:
        """Who has chosen a guest and runs it types to the guest next: not into the chooser, which would choose."""
        if self.focusWidget() in (self.program.guests, self.program.kinds):
            for view in self.layout_.in_sight():
                if isinstance(view, ConsoleView):
                    view.setFocus()

    def go_to(self, address: int) -> None:
        """Show the instruction at `address` in the Code view."""
        self._with_code(lambda code: code.show_address(address))

    def point(self, view: str, anchor: str | None = None) -> None:
        """Show a view, and in it an anchor, to the person."""
        self.layout_.show_view(view)
        shown = self.layout_.views[view]
        if anchor is not None and isinstance(shown, HasAnchors):
            shown.point_at(anchor)

    def _list_lessons(self) -> None:
        """Fill the menu when it opens, so that starting does not read every lesson."""
        self.lessons_menu.clear()
        for folder in lesson_folders():
            try:
                lesson = load_lesson(folder)
            except LessonError as error:
                action = self.lessons_menu.addAction(folder.name)
                action.setToolTip(str(error))
                action.setEnabled(False)
                continue
            action = self.lessons_menu.addAction(lesson.title)
            action.setToolTip(lesson.summary)
            action.triggered.connect(lambda _checked=False, name=lesson.name: self.open_lesson(name))

    def open_lesson(self, name: str) -> None:
        """Open a lesson where the person left it."""
        if self.lessons is not None:
            self.layout_.show_view("lesson")
            self.lessons.open(name)

    # -- what the engine says

    def _show_selected(self, selected: Selected) -> None:
        """Another VM is looked at: where another program runs in it, what shows programs begins anew."""
        self._what = f"VM {selected.letter}: {selected.program.title}"
        self._show_title()
        self.toolbar.fit(self.width())
        if selected.program == self._shown_program or self.engine.latest is None:
            return
        self._shown_program = selected.program
        loaded = Loaded(selected.program, selected.kind, self.engine.latest.generation)
        for view in self.layout_.views.values():
            if not view.of_machine:
                view.show_program(loaded)

    def _show_title(self) -> None:
        parts = [each for each in (self._what, self.labs.name, "Ringside") if each]
        self.setWindowTitle(" — ".join(parts))

    def _show_program(self, loaded: Loaded) -> None:
        self._shown_program = loaded.program
        for view in self.layout_.views.values():
            view.show_program(loaded)
        self._what = loaded.program.title
        self._show_title()
        self.toolbar.fit(self.width())  # the chooser may hold a longer name
        self.sentence.show_sentence(f"{loaded.program.title}: {loaded.program.summary}")

    def _show_snapshot(self, snapshot: Snapshot) -> None:
        for view in self.layout_.views.values():
            if isinstance(view, KeepsHistory):
                view.keep(snapshot)
        for view in self.layout_.in_sight():
            view.show_snapshot(snapshot)
        words = _what_happened(snapshot)
        if words:
            self.sentence.show_sentence(words, snapshot.ring, announce=not snapshot.running)
        self.state.setText(state_words(snapshot))
        self.state.setMinimumWidth(max(self.state.minimumWidth(), self.state.sizeHint().width()))  # no jumps beside it

    def _say_present(self) -> None:
        """What was asked for was refused: say again where the machine stands."""
        latest = self.engine.latest
        if latest is None:
            self.sentence.show_sentence("")
        else:
            self.sentence.show_sentence(_what_happened(latest), latest.ring)

    def _catch_up(self, view: View) -> None:
        if self.engine.latest is not None:
            view.show_snapshot(self.engine.latest)

    # -- looks

    def _dress(self, theme: Theme) -> None:
        for view in self.layout_.views.values():
            view.apply_theme(theme)
        self.sentence.apply_theme(theme)
        self.strip.apply_theme(theme)
        self.message.apply_theme(theme)
        self.speed.apply_theme(theme)
        self.toolbar.apply_theme(theme)
        self.toolbar.fit(self.width())
        self.state.setFont(theme.type.mono(Size.CAPTION))
        self.state.setMinimumWidth(0)
        self.state.setContentsMargins(theme.space(2), 0, theme.space(3), 0)

    # -- Qt's own events

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self.toolbar.fit(self.width())

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self.layout_.shown()
        self.toolbar.fit(self.width())  # only now is it known how wide everything is

    def focusNextPrevChild(self, forward: bool) -> bool:
        """Tab goes through what is in sight."""
        return move_focus(self, forward)

    def createPopupMenu(self) -> QMenu | None:
        """On the right button over docks and toolbar: the views, but not the parts of the frame."""
        menu = QMenu(self)
        for dock in self.layout_.docks.values():
            menu.addAction(dock.toggleViewAction())
        return menu

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if self.program.can_drop(event.mimeData()):
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        event.acceptProposedAction()
        self.program.drop(event.mimeData())

    def closeEvent(self, event: QCloseEvent) -> None:
        self.layout_.save()
        if self.holes is not None:
            self.holes.close()
        if self.comparing is not None:
            self.comparing.close()
        if self._owns_engine:
            self.engine.close()
        self.labs.close()
        super().closeEvent(event)


def labs_folder() -> Path:
    """Where labs are kept while one works."""
    return Path(QStandardPaths.writableLocation(QStandardPaths.StandardLocation.AppDataLocation)) / "labs"


def progress_file(settings: QSettings | None) -> Path:
    """Where progress in the lessons is kept: beside the settings of a caller, else where the system keeps such data."""
    if settings is not None:
        return Path(settings.fileName()).with_name("progress.json")
    return Path(QStandardPaths.writableLocation(QStandardPaths.StandardLocation.AppDataLocation)) / "progress.json"


def _what_happened(snapshot: Snapshot) -> str:
    """Its sentence; long after the guest's end, that end."""
    over = snapshot.end is not None and not snapshot.running and snapshot.stop is not StopReason.ENDED
    return snapshot.end.sentence if over and snapshot.end is not None else snapshot.sentence


def state_words(snapshot: Snapshot) -> str:
    """How the machine is, and how far it has come."""
    if snapshot.end is not None:
        state = "ended"
    elif snapshot.running:
        state = "running"
    else:
        at_breakpoint = snapshot.stop is StopReason.BREAKPOINT and snapshot.pc in snapshot.breakpoints
        state = "at a breakpoint" if at_breakpoint else "stopped"
    if snapshot.stop is StopReason.WAITING:
        state = "waiting for input"
    unit = "instruction" if snapshot.executed == 1 else "instructions"
    return f"{state} · {grouped(snapshot.executed)} {unit}"
