"""Every bit of a page-table entry has a name and words, at each level the right ones."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from app.models.entry_bits import DIRECTORY, TABLE, bits_of, set_names
from core.looks import TableEntry


def entry(value: int, level: int, *, wide: bool = False) -> TableEntry:
    return TableEntry(level, 0, 0, value, wide=wide)


def words(value: int, level: int) -> dict[str, str]:
    return {bit.name: bit.words for bit in bits_of(entry(value, level))}


@given(st.integers(0, 0xFFFF_FFFF), st.sampled_from([DIRECTORY, TABLE]))
def test_the_fields_put_together_are_the_entry_again(value: int, level: int) -> None:
    bits = bits_of(entry(value, level))
    held = sum(bit.value << bit.bit if bit.bit < 12 else bit.value for bit in bits)
    reserved = 0x003F_F000 if bits[-1].bit == 22 else 0
    assert held == value & ~reserved


def test_a_table_entry_leads_to_a_page_and_can_be_dirty() -> None:
    assert words(0x0010_0067, TABLE) == {
        "P": "present", "R/W": "writable", "U/S": "ring 3 too", "PWT": "write-back", "PCD": "cached", "A": "used",
        "D": "written", "PAT": "usual type", "G": "not global", "AVL": "000", "Page": "0010\u202f0000",
    }  # fmt: skip


def test_a_directory_entry_leads_to_a_table_or_to_a_large_page() -> None:
    small, large = words(0x0010_0023, DIRECTORY), words(0x0040_00A3, DIRECTORY)
    assert (small["PS"], small["D"], small["Table"]) == ("to a table", "ignored", "0010\u202f0000")
    assert (large["PS"], large["D"], large["Page"]) == ("4 MiB page", "unwritten", "0040\u202f0000")


def test_an_entry_that_is_not_present_promises_nothing_else() -> None:
    assert set(list(words(0x0010_0066, TABLE).values())[1:9]) == {"—"}
    assert set_names(entry(0, TABLE)) == "not present"
    assert set_names(entry(0x67, TABLE)) == "P R/W U/S A D"


def test_an_entry_of_eight_bytes_maps_two_megabytes() -> None:
    bits = {bit.name: bit.words for bit in bits_of(entry(0x0060_00A7, DIRECTORY, wide=True))}
    assert (bits["PS"], bits["Page"]) == ("2 MiB page", "0060\u202f0000")
