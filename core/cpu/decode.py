"""Instructions decoded and spelled by iced-x86, 32-bit code unless told otherwise, Intel syntax."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from iced_x86 import Decoder, DecoderOptions, Formatter, FormatterSyntax, Instruction, Mnemonic

_FORMATTER = Formatter(FormatterSyntax.NASM)
_FORMATTER.hex_prefix, _FORMATTER.hex_suffix = "0x", ""
_FORMATTER.uppercase_hex = False
_FORMATTER.space_after_operand_separator = True
_FORMATTER.small_hex_numbers_in_decimal = True
_FORMATTER.branch_leading_zeros = False


@lru_cache(maxsize=1 << 16)
def decode(code: bytes, address: int, bits: int = 32) -> Instruction:
    """The instruction at the start of `code`, which stands at linear `address`; what is none decodes invalid. Without
    validity checks: the emulated CPU ignores a LOCK where the manual forbids it (core/cpu/FINDINGS.md)."""
    return Decoder(bits, code, DecoderOptions.NO_INVALID_CHECK, ip=address).decode()


@lru_cache(maxsize=1 << 16)
def spell(code: bytes, address: int, bits: int = 32) -> str:
    """That instruction as text: ``mov eax, [ebx+4]``; ``(bad)`` where it is none."""
    instruction = decode(code, address, bits)
    return _FORMATTER.format(instruction) if instruction else "(bad)"


@dataclass(frozen=True, slots=True)
class Decoded:
    """An instruction and what every departure asks of it, asked once; `text` is "" where no byte could be read."""

    instruction: Instruction
    text: str
    name: str
    length: int


@lru_cache(maxsize=1 << 16)
def decoded(code: bytes, address: int, bits: int) -> Decoded:
    """The same for departures, which come back to the same instructions again and again."""
    instruction = decode(code, address, bits)
    return Decoded(instruction, spell(code, address, bits) if code else "", mnemonic(instruction), instruction.len)


def mnemonic(instruction: Instruction) -> str:
    """Its name in capitals: ``CLI``."""
    return _MNEMONICS[instruction.mnemonic]


_MNEMONICS = {value: name for name, value in vars(Mnemonic).items() if isinstance(value, int)}
