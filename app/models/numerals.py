"""How numbers are written, everywhere in the window: hexadecimal in groups of four, decimals in groups of three."""

from __future__ import annotations

from core.events import Ring

THIN = "\u202f"  # narrow no-break space: groups digits without looking like a separator between values


def grouped(value: int) -> str:
    """A decimal number with its thousands apart: ``1 048 576``."""
    return f"{value:,}".replace(",", THIN)


def hexadecimal(value: int, bits: int = 32) -> str:
    """A hexadecimal number of fixed width in groups of four digits: ``0010 0042``."""
    digits = f"{value & ((1 << bits) - 1):0{max(1, bits // 4)}X}"
    head = len(digits) % 4
    groups = [digits[:head]] if head else []
    groups += [digits[at : at + 4] for at in range(head, len(digits), 4)]
    return THIN.join(groups)


def address(value: int) -> str:
    """A linear address, 32 bits."""
    return hexadecimal(value, 32)


def ring_name(ring: Ring | int) -> str:
    """The ring's digit, with a true minus sign for the hypervisor's: ``0``, ``−1``."""
    return str(int(ring)).replace("-", "−")


def scaled(value: float) -> str:
    """A magnitude in three digits with k, M or G: ``12.3 k``."""
    unit = ""
    for larger in ("k", "M", "G"):
        if abs(value) < 999.5:
            break
        value, unit = value / 1000, larger
    text = f"{value:.1f}" if unit and abs(value) < 99.95 else f"{value:.0f}"
    return f"{text}{THIN}{unit}" if unit else text
