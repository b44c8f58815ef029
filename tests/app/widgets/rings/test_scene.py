"""The scene differs between kinds exactly as the truth differs."""

from __future__ import annotations

from app.widgets.rings.crossing import crossing_of
from app.widgets.rings.describe import describe
from app.widgets.rings.rates import Flow
from app.widgets.rings.scene import scene_of
from core.events import Cause, Ring
from core.stage import Belt, Stage, Who, ring_name
from tests.app.builders import snapshot, trap


def test_on_the_bare_machine_the_kernel_has_ring_0() -> None:
    scene = scene_of(snapshot(kind="bare", ring=Ring.USER, believed=Ring.USER, traps=()))
    assert [(ring.name, ring.who) for ring in scene.rings] == [
        ("ring 0 · kernel", Who.KERNEL),
        ("ring 1 · unused", Who.NOBODY),
        ("ring 2 · unused", Who.NOBODY),
        ("ring 3 · user", Who.PROGRAMS),
    ]
    assert not any(ring.note for ring in scene.rings)


def test_under_a_monitor_the_guest_kernel_sits_in_ring_1_and_believes_in_ring_0() -> None:
    scene = scene_of(snapshot(kind="trap_emulate", ring=Ring.ONE, believed=Ring.KERNEL))
    assert scene.ring(Ring.KERNEL).name == "ring 0 · monitor"
    assert scene.ring(Ring.ONE).name == "ring 1 · guest kernel"
    assert scene.ring(Ring.ONE).note == "believes: ring 0"
    assert (scene.at, scene.believed) == (Ring.ONE, Ring.KERNEL)


def test_the_note_tells_what_is_believed_now() -> None:
    scene = scene_of(snapshot(kind="trap_emulate", ring=Ring.USER, believed=Ring.TWO))
    assert scene.ring(Ring.USER).note == "believes: ring 2"


def test_a_stage_of_any_kind_is_drawn_as_it_is() -> None:
    stage = Stage(scene_of(snapshot()).rings[:2], (Belt(Ring.ONE, "translation cache", 0.5),))
    scene = scene_of(snapshot(kind="of tomorrow", stage=stage))
    assert (scene.rings, scene.belts) == (stage.rings, stage.belts)
    assert scene.ring(Ring.USER).who is Who.NOBODY


def test_ring_minus_one_is_written_with_a_minus_sign() -> None:
    assert ring_name(Ring.HOST) == "ring −1"


def test_the_picture_in_words_says_where_what_is_believed_and_what_crossed() -> None:
    said = describe(scene_of(snapshot()), crossing_of(trap()), ())
    assert said == (
        "VM A runs in ring 1 · guest kernel. The guest believes it is in ring 0. "
        "Last crossing: cli, Privileged instruction, ring 1 → ring 0 → ring 1. monitor: CLI: cleared the virtual IF."
    )


def test_the_picture_in_words_gives_rates_at_speed() -> None:
    flows = (
        Flow(Ring.USER, Ring.KERNEL, 1234.4, Cause.SYSTEM_CALL, direct=False),
        Flow(Ring.KERNEL, Ring.USER, 7.25, None, direct=True),
    )
    said = describe(scene_of(snapshot(kind="bare", ring=Ring.USER, believed=Ring.USER)), None, flows)
    assert "ring 3 to ring 0 1\u202f234 /s, System call; ring 0 to ring 3 7.2 /s, without a trap." in said
