"""The picture plays what it can, gives rates for what it cannot, and paints every case there is."""

from __future__ import annotations

from dataclasses import replace

import pytest
from PySide6.QtGui import QImage
from pytestqt.qtbot import QtBot

from app.theme import THEME_NAMES, Theme, make_theme
from app.theme.typography import load_fonts
from app.widgets import rings_picture
from app.widgets.rings.scene import Scene
from app.widgets.rings_picture import RingsPicture
from core.events import Cause, Ring, Trap
from core.snapshot import Snapshot
from core.stage import Belt, StageRing, Who
from tests.app.builders import snapshot, trap

DARK = make_theme("dark")


class Clock:
    """A clock that goes on when it is told to."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def picture(qtbot: QtBot, clock: Clock) -> RingsPicture:
    load_fonts()
    made = RingsPicture(DARK, clock=clock)
    qtbot.addWidget(made)
    made.resize(320, 320)
    return made


def at(executed: int, traps: tuple[Trap, ...] = (), **facts: object) -> Snapshot:
    count = traps[-1].number + 1 if traps else 0
    return snapshot(**{"executed": executed, "traps": traps, "trap_count": count, **facts})


def painted(picture: RingsPicture) -> QImage:
    return picture.grab().toImage()


def test_a_step_that_traps_is_played_from_the_ring_to_the_monitor_and_back(picture: RingsPicture, clock: Clock) -> None:
    picture.show_snapshot(at(1))
    picture.show_snapshot(at(2, (trap(0),)))
    rings = []
    for _ in range(12):
        assert picture.frame is not None
        rings.append(rings_picture.ring_of_frame(picture.frame))
        clock.now += 0.06
        picture.advance()
    assert rings[0] is Ring.ONE
    assert Ring.KERNEL in rings
    assert rings[-1] is Ring.ONE
    assert picture.frame is not None
    assert not picture.frame.moving


def test_the_picture_moves_while_a_crossing_is_under_way_and_then_rests(picture: RingsPicture, clock: Clock) -> None:
    picture.show_snapshot(at(1))
    resting = painted(picture)
    picture.show_snapshot(at(2, (trap(0),)))
    moments = []
    for _ in range(4):
        clock.now += 0.05
        picture.advance()
        moments.append(painted(picture))
    assert all(one != other for one, other in zip([resting, *moments], moments, strict=False))
    clock.now += 5
    picture.advance()
    after = picture.frame
    clock.now += 5
    picture.advance()
    assert picture.frame == after


def test_what_happened_before_the_picture_was_looked_at_does_not_move(picture: RingsPicture) -> None:
    picture.show_snapshot(at(50, (trap(0),)))
    assert picture.frame is not None
    assert not picture.frame.moving
    assert picture.frame.crossing is not None


def test_too_many_to_play_become_rates_and_a_stop_plays_the_last(picture: RingsPicture, clock: Clock) -> None:
    number = 0
    for tick in range(31):
        burst = tuple(trap(number + index) for index in range(40))
        picture.show_snapshot(at(100 * (tick + 1), burst, running=True))
        number += 40
        clock.now += 1 / 30
    (busiest, *_) = picture.flows
    assert busiest.per_second == pytest.approx(1200, rel=0.01)
    at_rates = painted(picture)
    picture.show_snapshot(at(9999, (trap(number),)))
    assert picture.flows == ()
    assert picture.frame is not None
    assert picture.frame.moving
    assert picture.frame.crossing is not None
    assert picture.frame.crossing.trap == trap(number)
    assert painted(picture) != at_rates


def test_slow_motion_is_played_not_counted(picture: RingsPicture, clock: Clock) -> None:
    for number in range(6):
        picture.show_snapshot(at(number + 1, (trap(number),), running=True))
        assert picture.flows == ()
        clock.now += 1.0
        picture.advance()
    assert picture.frame is not None
    assert not picture.frame.moving


def test_when_crossings_become_rare_again_they_are_played_again(picture: RingsPicture, clock: Clock) -> None:
    for tick in range(5):
        burst = tuple(trap(tick * 50 + index) for index in range(50))
        picture.show_snapshot(at(tick + 1, burst, running=True))
        clock.now += 0.1
    assert picture.flows
    for tick in range(20):
        picture.show_snapshot(at(100 + tick, running=True, trap_count=250))
        clock.now += 0.1
    assert picture.flows == ()


def test_a_run_that_trapped_often_between_two_pictures_plays_only_the_last(picture: RingsPicture) -> None:
    picture.show_snapshot(at(1))
    picture.show_snapshot(at(5000, tuple(trap(number) for number in range(500))))
    assert picture.frame is not None
    assert picture.frame.crossing is not None
    assert picture.frame.crossing.trap == trap(499)


def test_a_new_power_on_forgets_the_old_machine(picture: RingsPicture) -> None:
    picture.show_snapshot(at(10, (trap(0),)))
    picture.show_snapshot(at(0, generation=2))
    assert picture.frame is not None
    assert picture.frame.crossing is None


def test_going_back_in_time_sets_the_code_down_where_it_was(picture: RingsPicture) -> None:
    picture.show_snapshot(at(10, (trap(0),)))
    picture.show_snapshot(at(3, ring=Ring.USER, believed=Ring.USER))
    assert picture.frame is not None
    assert (picture.frame.ring, picture.frame.moving) == (Ring.USER, False)


def test_reduced_motion_shows_every_leg_whole(qtbot: QtBot, clock: Clock) -> None:
    picture = RingsPicture(replace(DARK, reduced_motion=True), clock=clock)
    qtbot.addWidget(picture)
    picture.show_snapshot(at(1))
    picture.show_snapshot(at(2, (trap(0),)))
    for _ in range(20):
        assert picture.frame is not None
        assert picture.frame.progress == 1.0
        clock.now += 0.04
        picture.advance()


def test_a_slower_motion_can_be_asked_for(picture: RingsPicture, clock: Clock) -> None:
    picture.set_leg_seconds(10.0)
    picture.show_snapshot(at(1))
    picture.show_snapshot(at(2, (trap(0),)))
    clock.now += 5
    picture.advance()
    assert picture.frame is not None
    assert (picture.frame.leg, picture.frame.progress) == (0, pytest.approx(0.5))


def test_hovering_explains_the_last_crossing(picture: RingsPicture) -> None:
    picture.show_snapshot(at(2, (trap(0),)))
    assert picture.toolTip().splitlines() == [
        "cli: ring 1 → ring 0 → ring 1",
        Cause.PRIVILEGED.meaning,
        "monitor: CLI: cleared the virtual IF",
    ]
    picture.show_snapshot(at(3, trap_count=1, ring=Ring.USER, believed=Ring.USER))
    assert "nothing trapped" in picture.toolTip()


def test_words_for_screen_readers_change_no_faster_than_one_can_hear(picture: RingsPicture, clock: Clock) -> None:
    heard = set()
    for number in range(30):
        picture.show_snapshot(at(number + 1, (trap(number, instruction=f"int {number}"),), running=True))
        heard.add(picture.accessibleDescription())
        clock.now += 0.1
    assert 2 <= len(heard) <= 4


def test_the_state_is_there_in_words(picture: RingsPicture) -> None:
    picture.show_snapshot(at(2, (trap(0),)))
    assert "believes it is in ring 0" in picture.accessibleDescription()
    assert "cli" in picture.accessibleDescription()
    picture.clear()
    assert picture.accessibleDescription() == ""


@pytest.mark.parametrize("kind", ["bare", "trap_emulate", "of tomorrow"])
@pytest.mark.parametrize("cause", Cause)
def test_every_cause_is_painted_under_every_kind(
    picture: RingsPicture, clock: Clock, cause: Cause, kind: str, qtlog: object
) -> None:
    for number, (start, to, after) in enumerate(
        (
            (Ring.USER, Ring.KERNEL, Ring.KERNEL),
            (Ring.ONE, Ring.KERNEL, Ring.ONE),
            (Ring.KERNEL, Ring.KERNEL, Ring.USER),
        )
    ):
        picture.clear()
        picture.show_snapshot(at(1, kind=kind, ring=start, believed=start, generation=number))
        happened = trap(0, cause=cause, ring_from=start, ring_to=to, ring_after=after)
        resting = painted(picture)
        picture.show_snapshot(at(2, (happened,), kind=kind, ring=after, believed=after, generation=number))
        clock.now += 0.13
        picture.advance()
        assert painted(picture) != resting
    assert [record.message for record in qtlog.records] == []  # type: ignore[attr-defined]


@pytest.mark.parametrize("theme", [make_theme(name) for name in THEME_NAMES], ids=THEME_NAMES)
@pytest.mark.parametrize("size", [(200, 200), (320, 320), (320, 700), (1400, 500), (2560, 1440)])
def test_every_theme_paints_at_every_size(
    picture: RingsPicture, clock: Clock, theme: Theme, size: tuple[int, int], qtlog: object
) -> None:
    picture.apply_theme(theme)
    picture.resize(*size)
    picture.show_snapshot(at(1))
    picture.show_snapshot(at(2, (trap(0),)))
    clock.now += 9
    picture.advance()
    assert painted(picture).pixelColor(1, size[1] - 2) == theme.palette.surface
    for tick in range(4):
        burst = tuple(trap(1 + tick * 90 + index) for index in range(90))
        picture.show_snapshot(at(3 + tick, burst, running=True))
        clock.now += 0.1
    assert picture.flows
    painted(picture)
    assert [record.message for record in qtlog.records] == []  # type: ignore[attr-defined]


def test_a_later_kind_is_only_another_scene(
    picture: RingsPicture, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ring −1 opens beneath ring 0, and a belt lies on ring 1, from data alone."""
    rings = (
        StageRing(Ring.HOST, Who.MONITOR, "hypervisor"),
        StageRing(Ring.KERNEL, Who.KERNEL, "guest kernel", "believes: ring 0"),
        StageRing(Ring.ONE, Who.KERNEL, "translated"),
        StageRing(Ring.USER, Who.PROGRAMS, "user"),
    )
    scene = Scene(rings, "B", Ring.KERNEL, Ring.KERNEL, (Belt(Ring.ONE, "translation cache", 0.6),))
    monkeypatch.setattr(rings_picture, "scene_of", lambda _: scene)
    picture.show_snapshot(at(1, ring=Ring.KERNEL))
    without_motion = painted(picture)
    left = trap(0, cause=Cause.EXIT, ring_from=Ring.KERNEL, ring_to=Ring.HOST, ring_after=Ring.KERNEL)
    picture.show_snapshot(at(2, (left,), ring=Ring.KERNEL))
    clock.now += 0.2
    picture.advance()
    assert painted(picture) != without_motion
