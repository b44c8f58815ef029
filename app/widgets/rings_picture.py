"""The heart of the window: concentric rings, the running code in one of them, and how it came there.

Slowly, every crossing is played; when crossings come faster than they can be played, the picture shows how often each
way is taken; when the machine stops, the last crossing is played and stays.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from PySide6.QtCore import QSize, Qt, QTimer
from PySide6.QtGui import QHideEvent, QPainter, QPaintEvent, QShowEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from app.theme import Theme
from app.widgets.focus_frame import paint_focus_frame
from app.widgets.rings.crossing import Crossing, crossings_between
from app.widgets.rings.describe import describe, explain
from app.widgets.rings.geometry import geometry_of
from app.widgets.rings.paint_motion import paint_arcs, paint_code, paint_words, ring_of_frame
from app.widgets.rings.paint_rates import paint_flows, paint_rate_state
from app.widgets.rings.paint_rings import paint_rings, paint_state
from app.widgets.rings.playback import LEG_SECONDS, Frame, Playback
from app.widgets.rings.rates import Flow, RateMeter
from app.widgets.rings.scene import Scene, scene_of
from core.snapshot import Snapshot

FRAME_MILLISECONDS = 16
MOST_BEHIND = 1.2  # seconds of crossings waiting to be played, above which rates are shown
CALM_RATE = 3.0  # crossings a second, below which they are played again
SECONDS_BETWEEN_WORDS = 1.0  # while the machine runs, words for screen readers change no faster
MOST_AFTER_STOP = 3  # crossings played after a stop; of more, only the last


class RingsPicture(QWidget):
    """Paints a scene of rings, from snapshots. `clock` gives monotonic seconds."""

    def __init__(
        self,
        theme: Theme,
        parent: QWidget | None = None,
        *,
        clock: Callable[[], float] = time.monotonic,
        leg_seconds: float = LEG_SECONDS,
    ) -> None:
        super().__init__(parent)
        self._theme = theme
        self._clock = clock
        self._leg_seconds = leg_seconds
        self._scene: Scene | None = None
        self._previous: Snapshot | None = None
        self._playback: Playback | None = None
        self._meter = RateMeter()
        self._at_rates = False
        self._described = -SECONDS_BETWEEN_WORDS
        self._timer = QTimer(self)
        self._timer.setInterval(FRAME_MILLISECONDS)
        self._timer.timeout.connect(self.advance)
        self.setMinimumSize(200, 200)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)  # so that a screen reader can come here
        self.setAccessibleName("Rings")

    # -- what is shown

    @property
    def scene(self) -> Scene | None:
        """The scene of the last snapshot."""
        return self._scene

    @property
    def frame(self) -> Frame | None:
        """The moving part as last advanced."""
        return self._playback.frame() if self._playback else None

    @property
    def flows(self) -> tuple[Flow, ...]:
        """The rates that are shown; empty while crossings are played."""
        return self._meter.flows() if self._at_rates else ()

    def clear(self) -> None:
        """Forget the machine."""
        self._scene = self._previous = self._playback = None
        self._meter.clear()
        self._at_rates = False
        self._timer.stop()
        self.setAccessibleDescription("")
        self.setToolTip("")
        self.update()

    def show_snapshot(self, snapshot: Snapshot) -> None:
        """Show the machine as it is now and what it did since the last snapshot."""
        now = self._clock()
        was = self._previous
        if was is not None and (was.generation, was.vm) != (snapshot.generation, snapshot.vm):
            self.clear()
        crossings = crossings_between(self._previous, snapshot)
        self._meter.add(crossings, _happened(self._previous, snapshot), snapshot.ring, now)
        self._scene = scene_of(snapshot)
        if self._playback is None:
            # nothing moved before the person's eyes: the last crossing is shown as done
            self._playback = Playback(snapshot.ring, leg_seconds=self._leg_seconds, stepped=self._theme.reduced_motion)
            self._playback.settle(snapshot.ring, crossings[-1] if crossings else None)
        else:
            self._choose(self._playback, snapshot, crossings, now)
        self._previous = snapshot
        if not snapshot.running or now - self._described >= SECONDS_BETWEEN_WORDS:
            self._described = now
            self._say(self._scene, self._playback.newest)
        self.advance()

    def set_leg_seconds(self, seconds: float) -> None:
        """How long one way between two rings takes to be shown."""
        self._leg_seconds = seconds
        if self._playback:
            self._playback.leg_seconds = seconds

    def apply_theme(self, theme: Theme) -> None:
        """Take colours, type and motion from `theme`."""
        self._theme = theme
        if self._playback:
            self._playback.stepped = theme.reduced_motion
        self.update()

    def advance(self) -> None:
        """Go on to the present and repaint."""
        if self._playback:
            self._playback.advance(self._clock())
            if self._playback.moving and self.isVisible():
                self._timer.start()
            elif not self._playback.moving:
                self._timer.stop()
        self.update()

    # -- deciding between motion and rates

    def _choose(self, playback: Playback, snapshot: Snapshot, crossings: tuple[Crossing, ...], now: float) -> None:
        playback.advance(now)
        if not snapshot.running:
            if self._at_rates or len(crossings) > MOST_AFTER_STOP:
                crossings = crossings[-1:]
                playback.settle(crossings[0].origin if crossings else snapshot.ring)
            self._at_rates = False
        elif self._at_rates:
            self._at_rates = self._meter.crossings_per_second() > CALM_RATE
        else:
            wait = playback.leg_seconds * sum(len(crossing.legs) for crossing in crossings)
            self._at_rates = playback.backlog() + wait > MOST_BEHIND
        if self._at_rates:
            playback.settle(snapshot.ring)
        elif crossings:
            playback.add(crossings, now)
        elif not playback.moving and playback.frame().ring is not snapshot.ring:
            playback.settle(snapshot.ring)  # after going back in time, or a gap in what the snapshots tell

    def _say(self, scene: Scene, crossing: Crossing | None) -> None:
        self.setAccessibleDescription(describe(scene, crossing, self.flows))
        self.setToolTip("" if crossing is None or self._at_rates else explain(crossing))

    # -- Qt

    def sizeHint(self) -> QSize:
        """A square dock at the smallest size for which the picture was drawn."""
        return QSize(360, 360)

    def showEvent(self, event: QShowEvent) -> None:
        """What went on unseen is over."""
        super().showEvent(event)
        self.advance()

    def hideEvent(self, event: QHideEvent) -> None:
        """Nothing moves where nobody looks."""
        self._timer.stop()
        super().hideEvent(event)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint everything; the whole takes a few milliseconds."""
        painter = QPainter(self)
        painter.fillRect(self.rect(), self._theme.palette.surface)
        painter.setRenderHints(QPainter.RenderHint.Antialiasing | QPainter.RenderHint.TextAntialiasing)
        if self._scene and self._playback:
            self._paint(painter, self._scene, self._playback.frame())
        if self.hasFocus():
            paint_focus_frame(painter, self, self._theme)
        painter.end()

    def _paint(self, painter: QPainter, scene: Scene, frame: Frame) -> None:
        geometry = geometry_of(scene, self.width(), self.height())
        if self._at_rates:
            paint_rings(painter, scene, geometry, self._theme, self._meter.shares())
            paint_flows(painter, geometry, self._theme, self._meter.flows())
            paint_rate_state(painter, scene, geometry, self._theme, self._meter)
            return
        where = ring_of_frame(frame)
        paint_rings(painter, scene, geometry, self._theme, {where: 1.0})
        paint_arcs(painter, geometry, self._theme, frame)
        if frame.crossing:
            paint_words(painter, geometry, self._theme, frame.crossing)
        paint_code(painter, scene, geometry, self._theme, frame)
        paint_state(painter, scene, geometry, self._theme, where)


def _happened(previous: Snapshot | None, snapshot: Snapshot) -> float:
    """How many traps the VM that is shown has had since `previous`: of those that are not listed, as many in a hundred
    as of those that are."""
    if previous is None:
        return 0
    listed = [trap.vm == snapshot.vm for trap in snapshot.traps if trap.number >= previous.trap_count]
    happened = max(0, snapshot.trap_count - previous.trap_count)
    return happened * sum(listed) / len(listed) if listed else 0
