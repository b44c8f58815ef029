"""Comparing for the Compare view: a process for each kind, two at a time, by the command ``ringside compare``."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QSettings

from app.controllers.worker_pool import WorkerPool
from app.models.numerals import grouped
from app.views.compare_view import CompareView
from app.views.view import View
from core import measured, nanobenchmarks
from core.guests.builds import counterpart
from core.guests.catalog import guest_named
from core.guests.start import StartWith
from core.vmm import kinds

if TYPE_CHECKING:
    from app.engine.client import Engine

COSTS_KEY = "compare/costs"
MOST_INSTRUCTIONS = 30_000_000  # of a guest that does not end by itself
FIGURE = "figure:"  # begins the names of the jobs that run nanobenchmarks
Load = Callable[[str, str, StartWith], None]
Point = Callable[[str, str | None], None]


class CompareController(QObject):
    """Joins the Compare view to its workers, to the settings that keep the person's own costs, and to the engine.

    `load(guest, kind, start)` powers a guest on, `point(view, anchor)` brings a view into sight, `enlarge()` gives the
    view the whole window or puts it back.
    """

    def __init__(
        self,
        view: CompareView,
        engine: Engine,
        settings: QSettings,
        load: Load,
        point: Point,
        enlarge: Callable[[], None],
        parent: QObject,
    ) -> None:
        super().__init__(parent)
        self._view, self._engine, self._settings = view, engine, settings
        self._load, self._point = load, point
        self._pool = WorkerPool(self)
        self._done, self._of = 0, 0
        self._stages: dict[str, str] = {}
        self._failures: list[str] = []
        self._pool.progressed.connect(self._progress)
        self._pool.delivered.connect(self._take)
        self._pool.failed.connect(self._fail)
        self._pool.idle.connect(self._finish)
        view.book.restore(str(settings.value(COSTS_KEY, "")))
        view.book.changed.connect(lambda: settings.setValue(COSTS_KEY, view.book.to_text()))
        view.compareWanted.connect(self.compare)
        view.figureWanted.connect(self.run_figure)
        view.cancelWanted.connect(self.cancel)
        view.startWanted.connect(self.start)
        view.enlargeWanted.connect(enlarge)

    @classmethod
    def among(
        cls,
        views: Iterable[View],
        engine: Engine,
        settings: QSettings,
        load: Load,
        point: Point,
        enlarge: Callable[[], None],
        parent: QObject,
    ) -> CompareController | None:
        """One for the Compare view among `views`, if it is there."""
        view = next((one for one in views if isinstance(one, CompareView)), None)
        return None if view is None else cls(view, engine, settings, load, point, enlarge, parent)

    def compare(self, guest: str, command_line: str) -> None:
        """Measure it under every kind that has a build of it."""
        if self._pool.busy:
            return
        info = guest_named(guest)
        suited = [kind.kind for kind in kinds().values() if counterpart(info, kind.interface) is not None]
        words = ["--max-instructions", str(MOST_INSTRUCTIONS), *(("--append", command_line) if command_line else ())]
        self._done, self._of, self._stages, self._failures = 0, len(suited), {}, []
        self._view.begin(guest, command_line)
        self._pool.start({kind: ["compare", guest, *words, "--only", kind] for kind in suited})

    def run_figure(self) -> None:
        """Run the nanobenchmarks of 2006 under every kind."""
        if self._pool.busy:
            return
        self._done, self._of, self._stages, self._failures = 0, len(kinds()), {}, []
        self._view.begin_figure()
        self._pool.start({f"{FIGURE}{kind}": ["figure", "--only", kind] for kind in kinds()})

    def cancel(self) -> None:
        """Stop it; what was measured stays."""
        self._pool.cancel()
        self._view.finish(f"You cancelled it after {self._done} of {self._of} kinds.")

    def start(self, guest: str, kind: str, command_line: str, address: int | None, count: int | None) -> None:
        """Power that guest on under that kind, and let it come to an address, or to a count of instructions."""
        self._load(guest, kind, StartWith(command_line))
        if address is not None:
            self._engine.run_to(address)
        elif count:
            self._engine.step(count, quietly=True)
        self._point("code", None)

    def close(self) -> None:
        """End what is still going on."""
        self._pool.cancel()

    # -- the workers

    def _progress(self, kind: str, line: str) -> None:
        count, _, stage = line.partition(" ")
        if not count.isdecimal():
            return
        at = f" {grouped(int(count))}" if int(count) else ""
        self._stages[kind] = f"{kinds()[kind].title}: {stage}{at}"
        self._tell()

    def _take(self, kind: str, printed: bytes) -> None:
        if kind.startswith(FIGURE):
            self._view.figure.add(nanobenchmarks.JSON.validate_json(printed))
        else:
            self._view.add(measured.JSON.validate_json(printed))
        self._end(kind)

    def _fail(self, kind: str, words: str) -> None:
        self._failures.append(f"{kinds()[kind.removeprefix(FIGURE)].title}: {words}")
        self._end(kind)

    def _end(self, kind: str) -> None:
        self._done += 1
        self._stages.pop(kind, None)
        self._tell()

    def _tell(self) -> None:
        now = " · ".join(self._stages.values())
        self._view.show_progress(self._done, self._of, f"{self._done} of {self._of} kinds. {now}")

    def _finish(self) -> None:
        if self._failures:
            self._view.finish(" ".join(self._failures), error=True)
        else:
            self._view.finish(self._view.result_words())
