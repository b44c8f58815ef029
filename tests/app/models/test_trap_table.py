"""The trap table: append-only, bounded, the same trap never twice; and its filter agrees with a plain comprehension."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from pytestqt.modeltest import ModelTester

from app.models.trap_filter import TrapFilter
from app.models.trap_table_model import HEADINGS, NO_VALUE, TrapColumn, TrapTableModel, cell_text, explain
from core.events import Cause, Ring
from tests.app.builders import trap, traps


def numbers(model: TrapTableModel) -> list[int]:
    return [model.log[row].number for row in range(len(model.log))]


def test_model_keeps_qts_contract(qtmodeltester: ModelTester) -> None:
    model = TrapTableModel(capacity=8)
    qtmodeltester.check(model)
    model.append(traps(6))
    model.append(traps(6, first=6))
    model.clear()
    model.append(traps(3))


def test_filter_keeps_qts_contract(qtmodeltester: ModelTester) -> None:
    model = TrapTableModel(capacity=8)
    proxy = TrapFilter(model)
    qtmodeltester.check(proxy)
    model.append(traps(6))
    proxy.set_causes({Cause.IO, Cause.PRIVILEGED})
    model.append(traps(6, first=6))
    proxy.set_text("out")
    model.append(traps(20, first=12))
    model.clear()


def test_every_column_has_a_heading_and_a_meaning() -> None:
    assert set(HEADINGS) == set(TrapColumn)
    assert all(meaning for _, meaning in HEADINGS.values())


def test_oldest_rows_make_room() -> None:
    model = TrapTableModel(capacity=10)
    model.append(traps(7))
    model.append(traps(7, first=7))
    assert numbers(model) == list(range(4, 14))
    assert list(model.log.times) == [trap.time for trap in traps(10, first=4)]


def test_batch_larger_than_the_log_keeps_its_newest() -> None:
    model = TrapTableModel(capacity=10)
    model.append(traps(3))
    model.append(traps(40, first=3))
    assert numbers(model) == list(range(33, 43))


def test_same_traps_twice_are_taken_once() -> None:
    model = TrapTableModel()
    model.append(traps(5))
    model.append(traps(7))
    assert numbers(model) == list(range(7))


def test_gaps_in_the_numbers_are_counted() -> None:
    model = TrapTableModel()
    model.append(traps(5, first=2))
    model.append(traps(5, first=17))
    assert model.log.missing == 2 + 10


@given(st.lists(st.integers(1, 30), max_size=12))
def test_columns_and_objects_stay_in_step_through_trimming(batches: list[int]) -> None:
    model, first = TrapTableModel(capacity=16), 0
    for size in batches:
        model.append(traps(size, first))
        first += size
    log = model.log
    kept = [log[row] for row in range(len(log))]
    assert kept == list(traps(first))[-16:]
    assert list(log.times) == [one.time for one in kept]
    assert list(log.rings) == [int(one.ring_to) for one in kept]
    assert all(log.row_of(one.number) == row for row, one in enumerate(kept))
    assert log.row_of(first) is None


causes = st.frozensets(st.sampled_from([Cause.IO, Cause.PRIVILEGED, Cause.SYSTEM_CALL, Cause.INTERRUPT]))
rings = st.frozensets(st.sampled_from([Ring.KERNEL, Ring.ONE]))
words = st.sampled_from(["", "out", "0x80 int", "nothing has this", "IRQ"])


@given(st.lists(st.tuples(st.integers(1, 25), causes, rings, words), min_size=1, max_size=6))
def test_filter_is_what_a_plain_search_finds(rounds: list[tuple[int, frozenset[Cause], frozenset[Ring], str]]) -> None:
    model, first = TrapTableModel(capacity=40), 0
    proxy = TrapFilter(model)
    for size, wanted, within, text in rounds:
        proxy.set_causes(wanted)
        proxy.set_rings(within)
        proxy.set_text(text)
        model.append(traps(size, first))
        first += size
        expected = [
            one.number
            for one in traps(first)[-40:]
            if (not wanted or one.cause in wanted)
            and (not within or one.ring_to in within)
            and all(
                any(word.lower() in part.lower() for part in (one.instruction, one.handler, one.outcome))
                for word in text.split()
            )
        ]
        assert [proxy.trap(row).number for row in range(proxy.rowCount())] == expected
        assert [proxy.row_of(number) for number in expected] == list(range(len(expected)))
        for row in range(proxy.rowCount()):
            index = proxy.index(row, 0)
            assert proxy.mapFromSource(proxy.mapToSource(index)) == index


def test_cells_say_what_is_known_and_a_dash_where_nothing_is() -> None:
    one = trap(7, vector=None, cycles=None, ring_from=Ring.ONE, ring_to=Ring.HOST)
    assert cell_text(one, TrapColumn.RINGS) == "1 → −1 → 1"
    assert cell_text(one, TrapColumn.VECTOR) == NO_VALUE
    assert cell_text(one, TrapColumn.CYCLES) == NO_VALUE
    assert cell_text(trap(vector=13), TrapColumn.VECTOR) == "#GP"
    assert cell_text(trap(vector=0x80), TrapColumn.VECTOR) == "0x80"


def test_explanation_names_belief_where_it_differs_from_truth() -> None:
    assert "believes to be ring 0" in explain(trap(ring_from=Ring.ONE, believed=Ring.KERNEL))
    assert "believes" not in explain(trap(ring_from=Ring.KERNEL, believed=Ring.KERNEL))
