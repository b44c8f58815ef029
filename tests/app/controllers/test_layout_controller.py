"""The keys of the views: every view that there is has some, and nobody else has the same."""

from __future__ import annotations

from app.controllers.actions import ACTIONS
from app.controllers.layout_controller import view_keys
from app.views import discover


def test_the_keys_of_views_go_on_after_the_ninth() -> None:
    assert [view_keys(number) for number in (1, 9, 10, 11, 20, 21)] == [
        "Alt+1", "Alt+9", "Alt+0", "Alt+Shift+1", "Alt+Shift+0", "",
    ]  # fmt: skip


def test_every_view_has_keys_of_its_own() -> None:
    keys = [view_keys(number) for number, _ in enumerate(discover(), 1)]
    assert all(keys)
    assert len(set(keys)) == len(keys)
    assert not set(keys) & {key for spec in ACTIONS.values() for key in spec.keys}
