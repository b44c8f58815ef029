"""What a person types for an address is understood, or refused in a sentence."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.models.address_text import parse_address, spell_address
from core.errors import RequestError
from core.looks import Follow

SYMBOLS = {"main": 0x10_0000, "cafe": 0x20_0000, "_end": 0x30_0000}


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("b8000", 0xB8000),
        (" 0xB8000 ", 0xB8000),
        ("0010 0042", 0x10_0042),
        ("main", 0x10_0000),
        ("main+1C", 0x10_001C),
        ("_end - 0x10", 0x2F_FFF0),
        ("cafe", 0x20_0000),
        ("main-100001", 0xFFFF_FFFF),
        ("esp", Follow.ESP),
        ("EIP", Follow.EIP),
    ],
)
def test_addresses_symbols_and_registers_are_understood(text: str, address: int | Follow) -> None:
    assert parse_address(text, SYMBOLS) == address


@pytest.mark.parametrize("text", ["", "nowhere", "123456789", "main+", "main+x", "0x", "-5"])
def test_what_is_neither_is_refused_with_what_to_type(text: str) -> None:
    with pytest.raises(RequestError, match="neither an address nor a symbol"):
        parse_address(text, SYMBOLS)


@given(st.integers(0, 0xFFFF_FFFF))
def test_what_is_shown_can_be_typed_again(address: int) -> None:
    assert parse_address(spell_address(address), {}) == address
