"""Journeys in time: to any moment since power-on, exactly as it was, and into other futures.

Where a journey ends the machine is another than the one that was seen, so onlookers forget what they knew. Those that
may take long are searches, in slices of less than a tenth of a second; closed, they go back to where they began.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from core import narration, retrace
from core.errors import RequestError, UserError
from core.events import StopReason, Trap
from core.lab.lab import Stand, StopAt
from core.last_write import to_write
from core.looks import Space
from core.session.host import Host
from core.session.introspection import Introspection
from core.timeline.backward import to_breakpoint, to_trap
from core.timeline.journal import Input
from core.timeline.timeline import Timeline


class Travel:
    """Moves `host` along its recorded past, as `seen` shows it; a RequestError for a session without history."""

    def __init__(self, host: Host, seen: Introspection) -> None:
        self._host, self._seen = host, seen
        self._left_at: Stand | None = None  # where a search began, while it goes on

    @contextmanager
    def travelling(self) -> Iterator[Timeline]:
        """The timeline, to be moved along; afterwards the session is where that went."""
        try:
            yield self._seen.timeline
        finally:
            self._host.arrive()

    def tell(self) -> None:
        """Say where the journey has led."""
        seen = self._seen
        self._host.sentence = narration.of_journey(seen.machine_executed, seen.next_instruction(), seen.pc)

    @property
    def stand(self) -> Stand:
        """What of the lab changes while it runs; cheap. While the past is searched it stands where it did before."""
        if self._left_at is not None:
            return self._left_at
        timeline = self._seen.timeline
        stops = {
            letter: tuple(StopAt(address, name) for address, name in vm.breakpoints.programs().items())
            for letter, vm in self._host.on.hypervisor.vms.items()
            if vm.breakpoints.addresses
        }
        branch = timeline.branch
        return Stand(branch.number, timeline.now, branch.reached, timeline.applied, self._host.selected, stops)

    @property
    def searching(self) -> bool:
        """Is the past being searched, so that the machine is not where the lab stands?"""
        return self._left_at is not None

    # -- to a moment

    def go_to(self, executed: int) -> None:
        """To the moment at which the machine's count was first `executed`, exactly as it was then."""
        with self.travelling() as timeline:
            timeline.seek(executed)
        self.tell()

    def go_to_instruction(self, executed: int) -> None:
        """As `go_to`, within the recorded past; a RequestError beyond it."""
        reached = self._seen.timeline.branch.reached.executed
        if not 0 <= executed <= reached:
            raise RequestError(
                f"The recorded past has {reached:,} instructions, and {executed:,} is not among them.",
                "Run on to go further.",
            )
        self.go_to(executed)

    def go_to_time(self, time: int, *, exactly: bool = True) -> None:
        """To the first moment at which the machine's time was `time`; if not `exactly`, to a checkpoint before it."""
        with self.travelling() as timeline:
            if exactly:
                timeline.seek_time(time)
            else:
                timeline.preview_time(time)
        self.tell()

    def step_back(self) -> None:
        """To before the newest instruction."""
        with self.travelling() as timeline:
            timeline.step_back()
        self.tell()

    # -- searches

    def run_back(self) -> StopReason:
        """To the last breakpoint met before now (BREAKPOINT), or, if there was none, to power-on (BUDGET)."""
        for _ in self.running_back():
            pass
        assert self._host.stop is not None, "running back tells how it ended"
        return self._host.stop

    def run_back_to_trap(self, wanted: Callable[[Trap], bool]) -> bool:
        """To before the last departure that is `wanted`; False, and at power-on, if there was none before now."""
        with self.travelling() as timeline:
            found = to_trap(timeline, wanted, self._host.traps.recent())
        self.tell()
        return found

    def running_back(self) -> Iterator[None]:
        """As `run_back`, in slices; closing it goes back to where it began."""
        return self._searching(to_breakpoint(self._seen.timeline))

    def stepping_back_over(self) -> Iterator[None]:
        """To before the newest instruction, calls and interrupts that have come back taken whole; in slices."""
        return self._searching(retrace.over(self._seen))

    def running_back_out(self) -> Iterator[None]:
        """To before the call that entered the present function; in slices. A RequestError if that is not known."""
        return self._searching(retrace.out(self._seen))

    def running_back_to_ring_change(self) -> Iterator[None]:
        """To before the selected VM's CPU last changed its ring, or to power-on; in slices."""
        return self._searching(retrace.to_ring_change(self._seen))

    def running_back_to_write(self, space: Space, address: int) -> Iterator[None]:
        """To before the word at that address was last written, perhaps with what was there; or to power-on; in
        slices."""
        return self._searching(to_write(self._seen, self._seen.physical(space, address)))

    def _searching(self, search: Iterator[None]) -> Iterator[None]:
        """Let a search of the past run; where it is closed, or finds that it cannot be, all is as it was."""
        with self.travelling() as timeline:
            self._left_at = origin = self.stand
            try:
                yield from search
            except (GeneratorExit, UserError):
                timeline.return_to(origin.now, origin.applied)
                self._host.selected = origin.selected
                raise
            finally:
                self._left_at = None
        self.tell()
        self._host.stop = StopReason.BREAKPOINT if timeline.now.at_threshold else StopReason.BUDGET

    # -- other futures

    @property
    def journal(self) -> tuple[Input, ...]:
        """What came from outside in this future, oldest first; nothing for a session without history."""
        timeline = self._host.on.timeline if self._host.is_on else None
        return tuple(timeline.branch.inputs) if timeline is not None else ()

    @property
    def newest_input(self) -> Input:
        """The last that came from outside before now, if anything did."""
        timeline = self._seen.timeline
        return timeline.branch.inputs[timeline.applied - 1]

    def undo(self) -> None:
        """To before the last thing that was done from outside, in a future without it."""
        with self.travelling() as timeline:
            undone = timeline.undo()
        next_one = self._seen.next_instruction()
        self._host.sentence = narration.of_undoing(undone.in_words(), next_one, self._seen.pc)

    def enter(self, number: int) -> None:
        """To the end of another future, by its number."""
        with self.travelling() as timeline:
            timeline.enter(timeline.numbered(number))
        self.tell()

    def discard(self, number: int) -> None:
        """Throw a future away."""
        timeline = self._seen.timeline
        timeline.discard(timeline.numbered(number))
