"""The interrupt controller under any sequence of requests, acknowledgements and commands, against the reference."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from core.devices.pic import Pic
from tests.core.devices.reference_8259 import ReferencePair

MASTER, SLAVE = 0x20, 0xA0
Step = tuple[str, int, int]

_chip = st.sampled_from([MASTER, SLAVE])
_port = st.sampled_from([MASTER, MASTER + 1, SLAVE, SLAVE + 1])
_level = st.integers(0, 7)
_mode = st.sampled_from([1, 1, 3, 0x11, 0x13])  # ICW4


@st.composite
def _sequences(draw: st.DrawFn) -> list[Step]:
    """Few lines, so that they meet; both chips initialised to start with, each in a mode of its own."""
    lines = draw(st.lists(st.sampled_from([0, 1, 3, 4, 7, 8, 9, 12, 13, 15]), min_size=2, max_size=5, unique=True))
    steps: list[Step] = [("initialise", port, draw(_mode)) for port in (MASTER, SLAVE)]
    for _ in range(draw(st.integers(1, 40))):
        match draw(st.integers(0, 15)):
            case 0 | 1 | 2 | 3 | 4:
                steps.append(("pulse", draw(st.sampled_from(lines)), 0))
            case 5:
                steps.append(("line", draw(st.sampled_from(lines)), draw(st.integers(0, 1))))
            case 6 | 7 | 8:
                steps.append(("acknowledge", 0, 0))
            case 9 | 10:  # OCW2
                steps.append(("write", draw(_chip), draw(_level) << 5 | draw(st.sampled_from(lines)) & 7))
            case 11:  # OCW3
                steps.append(("write", draw(_chip), 0x08 | draw(st.sampled_from([2, 3, 4, 0x40, 0x60, 0x60]))))
            case 12:  # OCW1: the mask
                held = 1 << (draw(st.sampled_from(lines)) & 7)
                steps.append(("write", draw(_chip) + 1, draw(st.sampled_from([0, held, 0xFF ^ held]))))
            case 13:
                steps.append(("read", draw(_port), 0))
            case 14:
                steps.append(("initialise", draw(_chip), draw(st.one_of(_mode, st.just(-1)))))
            case _:
                steps.append(("write", draw(_port), draw(st.integers(0, 255))))
    return steps


def _plain(step: Step) -> list[Step]:
    """The single accesses that a step stands for."""
    match step:
        case "pulse", irq, _:
            return [("line", irq, 0), ("line", irq, 1)]
        case "initialise", port, icw4:
            words = [0x20 if port == MASTER else 0x28, 4 if port == MASTER else 2, *([icw4] if icw4 >= 0 else []), 0]
            return [("write", port, 0x11 if icw4 >= 0 else 0x10), *[("write", port + 1, word) for word in words]]
    return [step]


class Intr:
    """The CPU's INTR input."""

    level = False

    def __call__(self, level: bool) -> None:
        self.level = level


_END: list[Step] = [
    (what, port, word)
    for port in (MASTER, SLAVE)
    for what, word in (("write", 0x0A), ("read", 0), ("write", 0x0B), ("read", 0))
]


@settings(max_examples=600)
@given(_sequences())
def test_any_sequence_agrees_with_the_reference(steps: list[Step]) -> None:
    intr = Intr()
    pic, reference = Pic(intr), ReferencePair()
    for step in (plain for whole in (*steps, *_END) for plain in _plain(whole)):
        match step:
            case "line", irq, level:
                pic.line(irq)(bool(level))
                reference.pin(irq, bool(level))
            case "acknowledge", _, _:
                assert pic.acknowledge() == reference.inta()
            case "write", port, value:
                pic.write_port(port, 1, value)
                reference.write(port, value)
            case _, port, _:
                assert pic.read_port(port, 1) == reference.read(port)
        assert intr.level is pic.interrupt_pending is reference.intr
