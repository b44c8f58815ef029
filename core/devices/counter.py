"""One counter of an 8254: what a clock tick, a control word, a count and the gate do to it (Intel data sheet, 1993).

The state is the chip's: a count register that is written, a counting element that is read, an output and a gate. Since
nobody looks between two ticks, `run` takes any number of them at once, by arithmetic. What is written or done to the
gate between two ticks acts with the next one. Simplified: a count of 1, which the data sheet forbids in modes 2 and 3,
counts as 2 there.
"""

from __future__ import annotations

from dataclasses import dataclass

TERMINAL_COUNT, ONE_SHOT, RATE, SQUARE, SOFTWARE_STROBE, HARDWARE_STROBE = range(6)
MODE_NAMES = (
    "interrupt on terminal count", "one-shot", "rate generator", "square wave", "software strobe", "hardware strobe",
)  # fmt: skip
PERIODIC = frozenset({RATE, SQUARE})
STROBES = frozenset({SOFTWARE_STROBE, HARDWARE_STROBE})
TRIGGERED = frozenset({ONE_SHOT, HARDWARE_STROBE})  # a rising gate begins them, not the writing of a count
GATED = frozenset({TERMINAL_COUNT, RATE, SQUARE, SOFTWARE_STROBE})  # a low gate suspends them


@dataclass(slots=True)
class Counter:
    """One counter, as it is at `tick`.

    control  the low six bits of the last control word: access (5–4), mode (3–1), BCD (0)
    written  the count register, None while a control word waits for its count
    loaded   the count that the element was last loaded with
    element  what is counted down (a full count is 65536, or 10000 in BCD, which reads as 0)
    loading  the next tick loads the element instead of counting
    null     the written count has not reached the element yet
    counting the element was loaded since the last control word
    armed    reaching zero will move the output (once a load, in the modes that do not repeat)
    """

    control: int = 0x36
    gate: bool = True
    output: bool = True
    tick: int = 0
    written: int | None = None
    loaded: int = 0
    element: int = 0
    loading: bool = False
    null: bool = True
    counting: bool = False
    armed: bool = False

    @property
    def mode(self) -> int:
        """0 to 5; the chip does not look at the highest bit of modes 6 and 7."""
        mode = self.control >> 1 & 7
        return mode if mode < 6 else mode - 4

    @property
    def bcd(self) -> bool:
        """Does it count in decimal digits?"""
        return bool(self.control & 1)

    @property
    def full(self) -> int:
        """The greatest count, which is written as 0."""
        return 10_000 if self.control & 1 else 0x1_0000

    @property
    def suspended(self) -> bool:
        """Is it kept from counting by its gate?"""
        return not self.gate and self.mode in GATED


# -- what is done to it


def program(counter: Counter, control: int) -> None:
    """A control word (its low six bits): counting stops, the output goes where the mode begins."""
    counter.control = control & 0x3F
    counter.output = counter.mode != TERMINAL_COUNT
    counter.written = None
    counter.null = True
    counter.loading = counter.counting = counter.armed = False


def begin_count(counter: Counter) -> None:
    """The first of the two bytes of a count: in mode 0 it ends the present counting."""
    if counter.mode == TERMINAL_COUNT:
        counter.output = counter.loading = counter.counting = counter.armed = False


def write_count(counter: Counter, raw: int) -> None:
    """A whole count, as written: 16 bits, or four BCD digits."""
    count = sum((raw >> 4 * place & 0xF) * 10**place for place in range(4)) if counter.bcd else raw
    count = count or counter.full
    mode = counter.mode
    counter.written = max(count, 2) if mode in PERIODIC else count
    counter.null = True
    if mode == TERMINAL_COUNT:
        counter.output = False
    # a count for a repeating mode waits for the end of the (half) period, for a triggered one for the trigger
    if mode in (TERMINAL_COUNT, SOFTWARE_STROBE) or (mode in PERIODIC and not counter.counting):
        counter.loading = True


def set_gate(counter: Counter, gate: bool) -> None:
    """A rising gate is a trigger in modes 1, 2, 3 and 5; a falling one ends the low output of modes 2 and 3."""
    mode = counter.mode
    if gate and not counter.gate and (mode in TRIGGERED or mode in PERIODIC) and counter.written is not None:
        counter.loading = True
    if not gate and mode in PERIODIC:
        counter.output = True
    counter.gate = gate


# -- what time does to it


def run(counter: Counter, tick: int) -> bool:
    """Count up to `tick`. True if the output rose on the way, once or more."""
    ticks = tick - counter.tick
    if ticks <= 0:
        return False
    counter.tick = tick
    rose = False
    if not counter.output and counter.mode in STROBES:
        counter.output = rose = True  # a strobe lasts one tick
    if counter.loading:
        _load(counter)
        ticks -= 1
    if not ticks or not counter.counting or counter.suspended:
        return rose
    match counter.mode:
        case 2:
            return _count_rate(counter, ticks)
        case 3:
            return _count_square(counter, ticks)
        case _:
            return _count_once(counter, ticks) or rose


def _load(counter: Counter) -> None:
    assert counter.written is not None, "nothing loads before a count was written"
    _reload(counter, counter.written)
    counter.loading = False
    counter.counting = counter.armed = True
    if counter.mode == ONE_SHOT:
        counter.output = False


def _reload(counter: Counter, count: int) -> None:
    counter.loaded = count
    counter.element = count & ~1 if counter.mode == SQUARE else count
    counter.null = False


def _count_once(counter: Counter, ticks: int) -> bool:
    """Modes 0, 1, 4, 5: at zero the output moves, and the element counts on from the top."""
    rose = False
    if counter.armed and ticks >= counter.element:
        counter.armed = False
        strobe = counter.mode in STROBES
        counter.output = not strobe or ticks > counter.element
        rose = counter.output
    counter.element = (counter.element - ticks) % counter.full
    return rose


def _count_rate(counter: Counter, ticks: int) -> bool:
    """Mode 2: low while the element is 1, then it is loaded again."""
    rose = ticks >= counter.element
    if rose:
        ticks -= counter.element
        assert counter.written is not None, "a counting counter has a count"
        _reload(counter, counter.written)
        ticks %= counter.loaded
    counter.element -= ticks
    counter.output = counter.element != 1
    return rose


def _to_toggle(counter: Counter) -> int:
    """Mode 3: ticks to the end of the half period. It counts by two; of an odd count the high half is longer by one."""
    return counter.element // 2 + (counter.output and counter.loaded & 1)


def _count_square(counter: Counter, ticks: int) -> bool:
    """Mode 3: at the end of each half the output toggles and the element is loaded again."""
    rose = False
    while ticks >= (left := _to_toggle(counter)):
        ticks -= left
        counter.output = not counter.output
        assert counter.written is not None, "a counting counter has a count"
        _reload(counter, counter.written)
        rose = rose or counter.output or ticks >= counter.loaded  # a whole period rises wherever it begins
        ticks %= counter.loaded
    counter.element -= 2 * ticks
    return rose


def next_rise(counter: Counter) -> int | None:
    """The first tick after `counter.tick` at which the output will rise if nobody touches the counter, or None."""
    mode = counter.mode
    if mode in STROBES and not counter.output:
        return counter.tick + 1
    if not counter.gate and counter.suspended:
        return None
    if counter.loading:
        assert counter.written is not None, "nothing loads before a count was written"
        return counter.tick + 1 + counter.written + (mode in STROBES)
    if not counter.counting:
        return None
    if mode == RATE:
        return counter.tick + counter.element
    if mode == SQUARE:
        assert counter.written is not None, "a counting counter has a count"
        low_half = counter.written // 2 if counter.output else 0
        return counter.tick + _to_toggle(counter) + low_half
    return counter.tick + counter.element + (mode in STROBES) if counter.armed else None


def is_sound(counter: Counter) -> bool:
    """Can a counter be so?"""
    counts = (counter.loaded, counter.element, counter.written or 0)
    waits = counter.loading or counter.counting
    return (
        0 <= counter.control < 0x40
        and counter.tick >= 0
        and all(0 <= each <= counter.full for each in counts)
        and (counter.written is not None or not waits)
        and (counter.mode not in PERIODIC or not counter.counting or min(counter.loaded, counter.written or 0) >= 2)
        and counter.written != 0
    )


# -- how it is read


def held(counter: Counter) -> int:
    """What the element reads as: 16 bits, or four BCD digits."""
    if counter.bcd:
        return int(f"{counter.element % 10_000:04d}", 16)
    return counter.element & 0xFFFF


def status(counter: Counter) -> int:
    """The status byte of the read-back command: output, null count, and the control word as it was written."""
    return counter.output << 7 | counter.null << 6 | counter.control
