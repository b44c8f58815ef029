"""What a person types for an address: hexadecimal digits, a symbol of the guest, perhaps a distance, or a register."""

from __future__ import annotations

import re
from collections.abc import Mapping

from app.models.numerals import hexadecimal
from core.errors import RequestError
from core.looks import Follow

_SYMBOL = re.compile(r"(?P<name>[A-Za-z_.$][\w.$]*)\s*(?:(?P<sign>[+-])\s*(?P<distance>(0x)?[0-9A-Fa-f]+))?$")
_DIGITS = re.compile(r"(0[xX])?[0-9A-Fa-f]{1,8}$")


def parse_address(text: str, symbols: Mapping[str, int]) -> int | Follow:
    """The address, or the register to follow. A symbol goes before digits that look the same; a RequestError says what
    cannot be understood."""
    plain = text.strip()
    register = next((each for each in Follow if each.value == plain.upper()), None)
    if register is not None and plain not in symbols:
        return register
    match = _SYMBOL.match(plain)
    if match and match["name"] in symbols:
        distance = int(match["distance"] or "0", 16)
        return (symbols[match["name"]] + (-distance if match["sign"] == "-" else distance)) & 0xFFFF_FFFF
    digits = "".join(plain.split()).replace("\u202f", "")
    if _DIGITS.match(digits):
        return int(digits, 16)
    raise RequestError(
        f"“{plain}” is neither an address nor a symbol of this guest.",
        "Type hexadecimal digits, a symbol such as main, main+1C, or EIP or ESP.",
    )


def spell_address(where: int | Follow) -> str:
    """How such an address is written."""
    return where.value if isinstance(where, Follow) else hexadecimal(where)
