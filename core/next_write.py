"""Running on to the next store to a word, also one that leaves it as it was: the last write's twin.

The guest runs at native speed until a store reaches the word, and stops right after the instruction, or departure, that
made it; going back to the last write leads from there to before the same one. Where the word comes to lie in another
frame of the machine it is followed. What the MMU writes by itself (accessed and dirty bits) is no store: that the word
differs shows it, and it is found by halving, which needs the recorded past.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from core.addresses import GuestPhysical
from core.events import StopReason
from core.last_write import Searched
from core.timeline.journal import Moment
from core.watched_word import WORD, Mark, WatchedWord


class NextWrite:
    """Waits for a store to the word at guest-physical `address` of the VM that is selected now.

    written    the word before and after, once there was one
    travelled  it was passed, and the machine taken back to it
    """

    def __init__(self, session: Searched, address: GuestPhysical, size: int = WORD) -> None:
        self.address, self.letter = address, session.selected
        self.written: tuple[bytes, bytes] | None = None
        self.travelled = False
        self._session = session
        self._word = WatchedWord(session, address, size)

    def run(self, go: Callable[[], StopReason]) -> StopReason:
        """Let the machine run by `go` until it is written (BREAKPOINT), or as long as `go` lasts."""
        word, hypervisor = self._word, self._session.hypervisor
        while True:
            before, since = word.mark(), self._session.timeline.now
            word.noticed = hypervisor.found
            with word.watched(before.places), self._stopped_where_it_moves():
                reason = go()
            hypervisor.forget_found()
            after = word.mark()
            held = after.value if word.seen is None else word.held  # up to the first store that was seen, if one was
            if held not in (before.value, None, b""):
                self._go_to_difference(since, before)
            elif word.seen is not None and self._session.timeline.now.time < word.seen:
                self._session.timeline.replay(
                    until_time=word.seen
                )  # a monitor wrote it so that the instruction can run
                self._session.settle()
            if self.travelled or word.seen is not None:
                self.written = before.value, word.mark().value
                return StopReason.BREAKPOINT
            if reason is not StopReason.BREAKPOINT or not hypervisor.stopped_by_find:
                return reason  # else pages have moved

    def _go_to_difference(self, since: Moment, before: Mark) -> None:
        """To the first moment after `since` at which the word is not as in `before`."""
        timeline = self._session.timeline
        low, high = since.time, timeline.now.time
        while high - low > 1:
            middle = (low + high) // 2
            timeline.seek_time(middle)
            self._session.settle()
            if self._word.mark().value == before.value:
                low = middle
            else:
                high = middle
        timeline.seek_time(high)
        self._session.settle()
        self.travelled = True

    @contextmanager
    def _stopped_where_it_moves(self) -> Iterator[None]:
        vm = self._session.hypervisor.vms.get(self.letter)
        if vm is not None:
            vm.interposer.stops_at_moves = True
        try:
            yield
        finally:
            if vm is not None:
                vm.interposer.stops_at_moves = False
