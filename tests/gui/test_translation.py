"""Binary translation in the real window: blocks, the cache's map, slow motion, and the ways between them."""

from __future__ import annotations

import pytest

from app.models.block_model import Reveal
from app.models.translator_stages import Stage
from app.views.cache_view import CacheView
from app.views.translation_view import TranslationView
from core.translations import Switch
from tests.gui.conftest import Person


@pytest.fixture
def translation(person: Person) -> TranslationView:
    person.load("privileged", "translation")
    person.window.layout_.show_view("cache")
    person.window.layout_.show_view("translation")
    view = person.window.layout_.views["translation"]
    assert isinstance(view, TranslationView)
    return view


def test_a_step_shows_the_block_that_it_was_in_and_code_leads_to_any(
    person: Person, translation: TranslationView
) -> None:
    person.wait(lambda: translation.is_empty)
    person.step()
    person.wait(lambda: translation.model.seen is not None)
    assert translation.model.pc == person.sees.pc
    person.run()
    assert person.sees.seen.cache is not None
    wanted = person.sees.seen.cache.living[5]
    person.code.show_address(wanted.pc)
    person.wait(lambda: translation.model.seen.block.pc == wanted.pc)


def test_a_block_chosen_in_the_map_is_shown_beside_its_original(person: Person, translation: TranslationView) -> None:
    cache = person.window.layout_.views["cache"]
    assert isinstance(cache, CacheView)
    person.run()
    person.window.layout_.show_view("code")
    wanted = person.sees.seen.cache.living[7]
    cache.map.chosen.emit(wanted.ordinal)
    person.wait(lambda: translation in person.window.layout_.in_sight())
    person.wait(lambda: translation.model.seen is not None and translation.model.seen.block.ordinal == wanted.ordinal)


def test_slow_motion_stops_the_guest_before_each_new_unit(person: Person, translation: TranslationView) -> None:
    translation.slow.click()
    person.wait(lambda: translation.model.seen is not None and translation.stages.stage is Stage.FETCH)
    assert translation.model.reveal is Reveal.BYTES
    assert person.sees.executed == 0
    first = translation.model.seen.block.ordinal
    translation.stages.next_unit.click()
    person.wait(lambda: translation.model.seen.block.ordinal == first + 1)
    assert person.sees.pc == translation.model.seen.block.pc
    assert person.sees.seen.block.block.entered == 0


def test_switches_of_the_translator_reach_it(person: Person, translation: TranslationView) -> None:
    cache = person.window.layout_.views["cache"]
    assert isinstance(cache, CacheView)
    person.step()
    person.wait(lambda: person.sees.seen.cache is not None and not cache.is_empty)
    units = person.sees.seen.cache.counters.units
    cache.switches[Switch.AHEAD].click()
    person.wait(lambda: Switch.AHEAD in person.sees.seen.cache.switches)
    assert person.sees.seen.cache.counters.units > units
    assert person.sees.executed == 1
    cache.switches[Switch.ADAPTIVE].click()
    person.wait(lambda: Switch.ADAPTIVE not in person.sees.seen.cache.switches)
