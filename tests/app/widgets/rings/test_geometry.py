"""Everything stays within the picture, at every size and in every scene."""

from __future__ import annotations

from math import hypot

from hypothesis import given
from hypothesis import strategies as st

from app.widgets.rings.crossing import Leg
from app.widgets.rings.geometry import DOWN, geometry_of, rest_angle
from app.widgets.rings.playback import Side
from app.widgets.rings.scene import Scene, scene_of
from core.events import Ring
from core.stage import StageRing, Who
from tests.app.builders import snapshot

SCENES = (scene_of(snapshot(kind="bare")), scene_of(snapshot()))
RINGS = st.sampled_from([Ring.KERNEL, Ring.ONE, Ring.TWO, Ring.USER])
scenes = st.sampled_from(SCENES)
sides = st.integers(200, 3000)


@given(scenes, sides, sides)
def test_rings_lie_within_each_other_and_within_the_picture(scene: Scene, width: int, height: int) -> None:
    geometry = geometry_of(scene, width, height)
    assert [band.ring for band in geometry.bands] == [ring.ring for ring in scene.rings]
    for inner, outer in zip(geometry.bands, geometry.bands[1:], strict=False):
        assert inner.outer == outer.inner
        assert outer.outer > outer.inner
    assert abs(geometry.bands[-1].outer - geometry.radius) < 1e-6
    assert geometry.radius <= min(geometry.centre.x(), width - geometry.centre.x())
    assert geometry.radius <= min(geometry.centre.y(), height - geometry.centre.y())


@given(scenes, sides, sides, RINGS, RINGS, st.floats(0.01, 1))
def test_an_arc_starts_and_ends_in_its_rings_and_never_leaves_them_all(
    scene: Scene, width: int, height: int, start: Ring, end: Ring, upto: float
) -> None:
    geometry = geometry_of(scene, width, height)
    points = geometry.leg_points(Leg(start, end), rest_angle(Side.LEFT), DOWN, upto)
    away = [hypot(point.x() - geometry.centre.x(), point.y() - geometry.centre.y()) for point in points]
    assert abs(away[0] - geometry.band(start).middle) < 1e-6
    assert max(away) <= geometry.radius
    if upto == 1:
        assert abs(away[-1] - geometry.band(end).middle) < 1e-6


@given(scenes, sides, sides)
def test_words_about_a_crossing_stay_in_the_picture(scene: Scene, width: int, height: int) -> None:
    words = geometry_of(scene, width, height).words
    assert words.left() >= 0
    assert words.right() <= width
    assert words.bottom() <= height


def test_there_is_room_beside_the_rings_only_where_the_picture_is_wide() -> None:
    assert not geometry_of(SCENES[0], 320, 320).wide
    wide = geometry_of(SCENES[0], 1400, 800)
    assert wide.wide
    assert wide.words.left() > wide.centre.x() + wide.radius


def test_a_tall_picture_has_its_words_under_the_rings() -> None:
    tall = geometry_of(SCENES[0], 320, 640)
    assert tall.roomy
    assert not tall.wide
    assert tall.words.top() > tall.centre.y() + tall.radius


def test_used_rings_have_more_room_than_unused_ones() -> None:
    geometry = geometry_of(SCENES[0], 400, 400)
    assert geometry.band(Ring.USER).height > geometry.band(Ring.ONE).height


def test_a_host_ring_opens_beneath_ring_0() -> None:
    host = StageRing(Ring.HOST, Who.MONITOR, "hypervisor")
    geometry = geometry_of(Scene((host, *SCENES[0].rings), "A", Ring.KERNEL, Ring.KERNEL), 400, 400)
    assert geometry.bands[0].ring is Ring.HOST
    assert geometry.band(Ring.KERNEL).inner == geometry.band(Ring.HOST).outer > 0
