"""Numbers as people read them."""

from __future__ import annotations

import pytest

from app.models.numerals import THIN, grouped, hexadecimal, ring_name, scaled


def test_hexadecimal_is_grouped_and_of_fixed_width() -> None:
    assert hexadecimal(0x10_0042) == f"0010{THIN}0042"
    assert hexadecimal(8, 16) == "0008"
    assert hexadecimal(1 << 36, 48) == f"0010{THIN}0000{THIN}0000"
    assert hexadecimal(0xA, 4) == "A"


def test_decimals_are_grouped() -> None:
    assert grouped(1_048_576) == f"1{THIN}048{THIN}576"


@pytest.mark.parametrize(
    ("value", "text"),
    [(0, "0"), (999, "999"), (999.7, f"1.0{THIN}k"), (12_345, f"12.3{THIN}k"), (99_960, f"100{THIN}k"),
     (5e6, f"5.0{THIN}M"), (2.5e9, f"2.5{THIN}G")],
)  # fmt: skip
def test_magnitudes_have_three_digits(value: float, text: str) -> None:
    assert scaled(value) == text


def test_hypervisor_ring_has_a_true_minus() -> None:
    assert ring_name(-1) == "−1"
