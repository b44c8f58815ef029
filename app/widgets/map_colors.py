"""The colours of the memory map: muted, and told apart by hue for what matters; free memory is the ground itself.

A VM has one of the palette's categorical hues, its monitor's frames the same hue nearer to the text; processes of a
guest alternate between two hues in several strengths. Ring colours are never used here.
"""

from __future__ import annotations

from PySide6.QtGui import QColor

from app.theme.palette import Palette, blend
from core.looks import Holder, Use, UseKind

HOST_HUE, PROCESS_HUES, VM_HUES = 0, (2, 6), (2, 6, 5, 7, 4, 1)
STRENGTHS = (0.0, 0.35, -0.35)  # towards the text, towards the ground
_HUES = {
    UseKind.IMAGE: 0, UseKind.TABLES: 3, UseKind.BOOT: 4, UseKind.SCREEN: 7, UseKind.USER: 2, UseKind.SHARED: 5,
}  # fmt: skip
_SHADES = {UseKind.UNTOUCHED: 0.0, UseKind.FREE: 0.1, UseKind.TOUCHED: 0.3}


def use_colors(legend: tuple[Use, ...], palette: Palette) -> tuple[QColor, ...]:
    """A colour for each line of the legend of uses."""
    colors: list[QColor] = []
    processes = 0
    for use in legend:
        if use.kind in _SHADES:
            colors.append(blend(palette.background, palette.text, _SHADES[use.kind]))
        elif use.kind is UseKind.PROCESS:
            hue = palette.owners[PROCESS_HUES[processes % len(PROCESS_HUES)]]
            colors.append(_shaded(hue, STRENGTHS[processes // len(PROCESS_HUES) % len(STRENGTHS)], palette))
            processes += 1
        elif use.kind is UseKind.KERNEL:
            colors.append(_shaded(palette.owners[_HUES[UseKind.IMAGE]], STRENGTHS[1], palette))
        else:
            colors.append(palette.owners[_HUES[use.kind]])
    return tuple(colors)


def holder_colors(holders: tuple[Holder, ...], palette: Palette) -> tuple[QColor, ...]:
    """A colour for each owner, and for each purpose of one."""
    letters = sorted({_letter(holder.owner) for holder in holders} - {""})
    colors: list[QColor] = []
    purposes: dict[str, int] = {}
    for holder in holders:
        letter = _letter(holder.owner)
        if not holder.owner:
            colors.append(palette.background)
        elif not letter:
            colors.append(palette.owners[HOST_HUE])
        else:
            hue = palette.owners[VM_HUES[letters.index(letter) % len(VM_HUES)]]
            steps = 0.0
            if not holder.owner.startswith("VM "):
                steps = 0.35 + 0.25 * purposes.setdefault(holder.owner, 0)
                purposes[holder.owner] += 1
            colors.append(_shaded(hue, min(steps, 0.85), palette))
    return tuple(colors)


def _letter(owner: str) -> str:
    """The VM that an owner belongs to: "A" of "VM A" and of "monitor of A"."""
    head, _, letter = owner.rpartition(" ")
    return letter if head in ("VM", "monitor of") else ""


def _shaded(color: QColor, strength: float, palette: Palette) -> QColor:
    return blend(color, palette.text if strength > 0 else palette.background, abs(strength))
