"""Who runs next, and for how long: the hypervisor's scheduler, in virtual time.

Stride scheduling (Waldspurger & Weihl, MIT TM-528, 1995): running costs a VM its instructions divided by its weight,
and the VM that has spent least runs next; so shares follow the weights, to within one slice, and a VM that never gives
up the CPU takes nothing from the others. A cap bounds a VM's part of each period even if nobody else wants the CPU. A
VM that sleeps saves nothing up. Not modelled: several CPUs, priorities, boosts (Xen's credit scheduler has all three).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

SLICE = 20_000  # instructions: 0.2 ms of the machine's time
PERIOD = 1_000_000  # instructions: 10 ms of the machine's time, in which a cap counts
SCALE = 1 << 20  # so that a division by a weight keeps its fraction
HEAVIEST = 1000


@dataclass(slots=True)
class Share:
    """One VM as the scheduler sees it.

    weight      its part of the CPU is its weight divided by the weights of all that want to run
    cap         percent of each period that it may have at most; None: all of it
    passed      what running has cost it, in whole units of 1 / SCALE; `rest` is what is left over, in 1 / weight
    asleep      it waits: for `left` more of the machine's time, or with None for something from outside
    owed        idle time that has passed for it since it last ran
    period      the period that `used` counts in
    """

    weight: int = 1
    cap: int | None = None
    paused: bool = False
    ended: bool = False
    executed: int = 0
    passed: int = 0
    rest: int = 0
    asleep: bool = False
    left: int | None = None
    owed: int = 0
    period: int = 0
    used: int = 0

    @property
    def over(self) -> bool:
        """Will it never want the CPU again, as things stand?"""
        return self.paused or self.ended


@dataclass(slots=True)
class Schedule:
    """The scheduler's whole state. `time` is the machine's: instructions of all VMs, and idle time."""

    shares: dict[str, Share] = field(default_factory=dict)
    time: int = 0
    executed: int = 0
    running: str = ""
    slice_left: int = 0
    floor: int = 0  # what whoever comes or wakes is taken to have spent at least


class Scheduler:
    """Chooses among VMs by their letters. `state` is all it knows."""

    def __init__(self) -> None:
        self.state = Schedule()

    # -- who there is

    def add(self, letter: str, weight: int, cap: int | None) -> None:
        """A VM that wants to run from now on."""
        share = self.state.shares[letter] = Share(weight, cap)
        self._join(share)

    def remove(self, letter: str) -> None:
        """It is gone."""
        del self.state.shares[letter]
        if self.state.running == letter:
            self.state.running = ""

    def pause(self, letter: str) -> None:
        """It runs no more, and no time passes for it."""
        self.state.shares[letter].paused = True

    def resume(self, letter: str) -> None:
        """It wants to run again."""
        share = self.state.shares[letter]
        share.paused = False
        self._join(share)

    def revive(self, letter: str) -> None:
        """It was powered on anew."""
        share = self.state.shares[letter]
        share.ended = share.asleep = False
        share.left, share.owed = None, 0
        self._join(share)

    def _join(self, share: Share) -> None:
        """Who comes or comes back has spent as much as the least of those who were there: it saved nothing up."""
        state = self.state
        spent = [each.passed for letter, each in state.shares.items() if each is not share and self.ready(letter)]
        state.floor = max(state.floor, min(spent, default=0))
        share.passed = max(share.passed, state.floor)

    # -- who runs

    def choose(self) -> str | None:
        """The VM to run now; None if none can."""
        state = self.state
        able = [letter for letter in state.shares if self.ready(letter)]
        if not able:
            return None
        if state.running in able and state.slice_left > 0:
            return state.running
        chosen = min(able, key=lambda letter: state.shares[letter].passed)
        state.floor = max(state.floor, state.shares[chosen].passed)
        state.running, state.slice_left = chosen, SLICE
        return chosen

    def direct(self, letter: str) -> None:
        """Let this VM have the CPU now, if it can run; the fair order makes up for it afterwards."""
        if self.would_direct(letter):
            self.state.running, self.state.slice_left = letter, SLICE

    def would_direct(self, letter: str) -> bool:
        """Would `direct` change anything?"""
        return letter != self.state.running and self.ready(letter)

    def ready(self, letter: str) -> bool:
        """Can it run now?"""
        share = self.state.shares[letter]
        return not (share.over or share.asleep or self.capped(letter))

    def capped(self, letter: str) -> bool:
        """Has it had all that its cap allows in this period?"""
        return self._allowance(self.state.shares[letter]) == 0

    def why_away(self, letter: str) -> str:
        """Why another may have the CPU that it had."""
        share = self.state.shares[letter]
        if share.ended:
            return "its guest has ended"
        if share.paused:
            return "it is paused"
        if share.asleep:
            return "it halted"
        if self.capped(letter):
            return f"its cap of {share.cap} % is used up"
        return f"its turn of at most {SLICE:,} instructions is over"

    def alone(self, letter: str) -> bool:
        """Can nobody else want the CPU, and may it have all of it?"""
        shares = self.state.shares
        return shares[letter].cap is None and all(share.over for other, share in shares.items() if other != letter)

    def longest(self) -> int:
        """Instructions that the chosen VM may run until the scheduler must look again."""
        state = self.state
        allowance = self._allowance(state.shares[state.running])
        bounds = [state.slice_left, *self._events()]
        if allowance is not None:
            bounds += [allowance, PERIOD - state.time % PERIOD]
        return min(bounds)

    def _allowance(self, share: Share) -> int | None:
        if share.cap is None:
            return None
        period = self.state.time // PERIOD
        if share.period != period:
            share.period, share.used = period, 0
        return max(PERIOD * share.cap // 100 - share.used, 0)

    def _events(self) -> Iterator[int]:
        """How far away each moment is at which a VM that cannot run now can."""
        for letter, share in self.state.shares.items():
            if share.over:
                continue
            if share.asleep:
                if share.left is not None:
                    yield share.left
            elif self.capped(letter):
                yield PERIOD - self.state.time % PERIOD

    # -- what happened

    def ran(self, instructions: int, time: int) -> None:
        """The chosen VM ran: so many instructions, in so much of the machine's time."""
        state = self.state
        share = state.shares[state.running]
        share.executed += instructions
        cost, share.rest = divmod(share.rest + instructions * SCALE, share.weight)
        share.passed += cost
        self._allowance(share)
        share.used += instructions
        state.executed += instructions
        state.slice_left -= instructions
        if state.slice_left < 0:  # nobody else wanted the CPU, so one slice followed another
            state.slice_left %= SLICE
            begun = SLICE - state.slice_left
            spent = share.passed * share.weight + share.rest  # exact, so that it is what `choose` would have seen then
            state.floor = max(state.floor, (spent - begun * SCALE) // share.weight)
        self._pass(time, state.running)

    def idle(self) -> int | None:
        """How long nobody will want the CPU; None: until something comes from outside. 0 if somebody does."""
        if any(self.ready(letter) for letter in self.state.shares):
            return 0
        return min(self._events(), default=None)

    def skip(self, time: int) -> None:
        """Nobody ran for `time`."""
        self._pass(time, "")

    def _pass(self, time: int, but: str) -> None:
        state = self.state
        state.time += time
        for letter, share in state.shares.items():
            if letter == but or not share.asleep or share.over:
                continue
            share.owed += time
            if share.left is not None:
                share.left -= time
                if share.left <= 0:
                    self.wake(letter)

    def sleep(self, letter: str, left: int | None) -> None:
        """It has nothing to do for `left`, or with None until something comes from outside."""
        share = self.state.shares[letter]
        share.asleep, share.left = True, left

    def wake(self, letter: str) -> None:
        """It has something to do again; whoever runs is put to the choice. Alone, it goes on with its slice, as it
        would if nobody had looked while it slept."""
        share = self.state.shares[letter]
        share.asleep, share.left = False, None
        self._join(share)
        if letter != self.state.running or not self.alone(letter):
            self.state.slice_left = 0

    def end(self, letter: str) -> None:
        """Its guest's run is over."""
        self.state.shares[letter].ended = True

    # -- what one may change

    def set_weight(self, letter: str, weight: int) -> None:
        """From now on."""
        share = self.state.shares[letter]
        share.weight, share.rest = weight, 0

    def set_cap(self, letter: str, cap: int | None) -> None:
        """From now on; percent of a period."""
        self.state.shares[letter].cap = cap

    def entitled(self, letter: str) -> float:
        """The part of the CPU that its weight gives it among those that are not paused or ended, 0 to 1."""
        share = self.state.shares[letter]
        if share.over:
            return 0.0
        part = share.weight / sum(other.weight for other in self.state.shares.values() if not other.over)
        return part if share.cap is None else min(part, share.cap / 100)
