"""Instructions decoded and spelled by iced-x86, 32-bit code unless told otherwise, Intel syntax.

Without validity checks, since the emulated CPU ignores a LOCK where the manual forbids it; and 8F is POP whatever the
reg field of its ModRM says, where the decoder would see AMD's XOP (AMD APM vol. 3 §1.2.5; core/cpu/FINDINGS.md).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from iced_x86 import (
    Decoder,
    DecoderError,
    DecoderOptions,
    EncodingKind,
    Formatter,
    FormatterSyntax,
    Instruction,
    Mnemonic,
)

_FORMATTER = Formatter(FormatterSyntax.NASM)
_FORMATTER.hex_prefix, _FORMATTER.hex_suffix = "0x", ""
_FORMATTER.uppercase_hex = False
_FORMATTER.space_after_operand_separator = True
_FORMATTER.small_hex_numbers_in_decimal = True
_FORMATTER.branch_leading_zeros = False


POP_MEMORY, REG_FIELD = 0x8F, 0x38
LEGACY_PREFIXES = frozenset(bytes.fromhex("26 2e 36 3e 64 65 66 67 f0 f2 f3"))


class CodeReader:
    """Instructions one after the other from `code`, which stands at linear `ip`; `error` says how the last went."""

    def __init__(self, bits: int, code: bytes, ip: int) -> None:
        self._code = code
        self._decoder = Decoder(bits, code, DecoderOptions.NO_INVALID_CHECK, ip=ip)
        self.error: int = DecoderError.NONE

    def next(self) -> Instruction:
        """The one that the CPU sees next; invalid if there is none."""
        decoder = self._decoder
        start, ip = decoder.position, decoder.ip
        instruction = decoder.decode()
        self.error = decoder.last_error
        if not instruction or instruction.encoding == EncodingKind.XOP:
            seen = _without_reg(self._code[start:])
            if seen is not None:
                other = Decoder(decoder.bitness, seen, DecoderOptions.NO_INVALID_CHECK, ip=ip)
                instruction, self.error = other.decode(), other.last_error
                decoder.position, decoder.ip = start + other.position, other.ip
        return instruction


def _without_reg(code: bytes) -> bytes | None:
    """`code` as the CPU takes it, if it begins with an 8F whose reg field is not 0."""
    at = next((at for at, byte in enumerate(code) if byte not in LEGACY_PREFIXES), len(code))
    if code[at : at + 1] != bytes([POP_MEMORY]) or not code[at + 1 : at + 2] or not code[at + 1] & REG_FIELD:
        return None
    return code[: at + 1] + bytes([code[at + 1] & ~REG_FIELD]) + code[at + 2 :]


@lru_cache(maxsize=1 << 16)
def decode(code: bytes, address: int, bits: int = 32) -> Instruction:
    """The instruction at the start of `code`, which stands at linear `address`; what is none decodes invalid."""
    return CodeReader(bits, code, address).next()


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
