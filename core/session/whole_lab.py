"""The whole lab as facts, to be kept, and the lab again from such facts.

The facts (`core.lab`) are how it was powered on and what was done to it since; having it again is doing all that again,
and a fingerprint of the machine tells whether the replay has come to the same.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Generator, Iterator

from core import narration
from core.errors import RequestError, UserError
from core.events import StopReason
from core.lab.fingerprint import fingerprint
from core.lab.futures import branches_of, futures_of, known_futures
from core.lab.lab import Desk, Lab, LabFuture, Rhythm, Stand
from core.session.host import Host
from core.session.introspection import Introspection
from core.session.travel import Travel
from core.timeline.journal import Moment
from core.timeline.timeline import Recording
from core.vm_snapshots.shelf import Shelf

NOTHING_OPEN = Desk()


class WholeLab:
    """That of `host`, with the snapshots on `shelf`; a RequestError for a session without history."""

    def __init__(self, host: Host, seen: Introspection, travel: Travel, shelf: Shelf) -> None:
        self._host, self._seen, self._travel, self._shelf = host, seen, travel, shelf

    # -- to facts

    def facts(self, desk: Desk = NOTHING_OPEN, *, proven: bool = True) -> Lab:
        """All that it takes to have this lab again. `proven`: with a fingerprint, which takes a look at all of
        memory."""
        begun, proof = self.begun, self._fingerprint() if proven and not self._travel.searching else ""
        futures = futures_of(self._seen.timeline)
        return Lab.standing(begun.first, begun.rhythm, futures, self.stand, proof, desk, self._shelf.kept)

    @property
    def begun(self) -> Lab:
        """The lab as it was at power-on, but for the snapshots that are kept."""
        recording, start = self._seen.timeline.recording, Moment(0, False, 0)
        rhythm = Rhythm(recording.instructions, recording.departures)
        only = LabFuture(0, None, start, start, ())
        return Lab(self._host.on.first, rhythm, (only,), only.number, start, 0, self._host.selected, self.stand.stops)

    @property
    def stand(self) -> Stand:
        """What of the lab changes while it runs; cheap."""
        return self._travel.stand

    @property
    def futures(self) -> tuple[LabFuture, ...]:
        """What of the lab stays the same while it runs: all futures, but for how far the present one was run."""
        return known_futures(self._seen.timeline)

    def _fingerprint(self) -> str:
        return fingerprint(self._host.on.hypervisor, self._seen.registers(), self._host.traps)

    # -- from facts

    def resume(self, lab: Lab) -> None:
        """Have the lab of another session again, where it stood; the snapshots that are kept here stay."""
        for _ in self._replaying(dataclasses.replace(lab, snapshots=self._shelf.kept), lambda: None):
            pass

    def open(self, lab: Lab) -> None:
        """Have this lab in place of what is there. On a UserError the former one is there again."""
        for _ in self.opening(lab):
            pass

    def opening(self, lab: Lab, powered_on: Callable[[], None] = lambda: None) -> Generator[float, None, None]:
        """As `open`, in slices of some hundredths of a second; gives how much is replayed, 0 to 1. Closed early, the
        lab stands where it has come to, with the rest of its future before it. `powered_on` is called when the first
        VM is: twice, if the former lab must be brought back."""
        host = self._host
        machine, former = (host.on.machine, self.facts()) if host.is_on else (None, None)
        try:
            yield from self._replaying(lab, powered_on)
        except UserError:
            if former is None:
                host.power_off()
            elif not host.is_on or host.on.machine is not machine:
                yield from self._replaying(former, powered_on)
            raise

    def _replaying(self, lab: Lab, powered_on: Callable[[], None]) -> Iterator[float]:
        host, rhythm = self._host, lab.rhythm
        history = host.history or Recording()
        host.power_on(
            lab.first,
            dataclasses.replace(history, instructions=rhythm.instructions, departures=rhythm.departures),
        )
        host.vm.breakpoints.put({})
        self._shelf.put(lab.snapshots)
        powered_on()
        timeline = self._seen.timeline
        with self._travel.travelling():
            timeline.take_over(*branches_of(lab))
            for _ in timeline.approach(lab.now, lab.applied):
                host.settle()
                host.sentence = narration.of_replay(timeline.now.time, lab.now.time)
                host.stop = StopReason.BUDGET
                yield timeline.now.time / max(lab.now.time, 1)
        vms = host.on.hypervisor.vms
        if lab.selected in vms:
            host.select(lab.selected)
        for letter, stops in lab.stops.items():
            if letter in vms:
                vms[letter].breakpoints.put({each.address: each.program for each in stops})
        host.settle()
        if lab.fingerprint and lab.fingerprint != self._fingerprint():
            raise RequestError(
                "The run, replayed, comes to another machine than the one that was saved.",
                "Open it with the version of Ringside that saved it.",
            )
        self._travel.tell()
