"""The entries of a menu that lead from an address to its page walk, bytes and past; the same wherever it stands."""

from __future__ import annotations

from typing import Protocol

from PySide6.QtCore import SignalInstance
from PySide6.QtWidgets import QMenu

from app.models.named_addresses import NamedAddress
from app.models.numerals import hexadecimal
from core.looks import Space


class LeadsToMemory(Protocol):
    """A view that can ask for the walk and the bytes of an address, and for the last and the next write to what stands
    there."""

    walkRequested: SignalInstance
    bytesRequested: SignalInstance
    writeSought: SignalInstance
    writeAwaited: SignalInstance


def offer_addresses(menu: QMenu, view: LeadsToMemory, addresses: tuple[NamedAddress, ...]) -> None:
    """Add four entries for each address."""
    for named in addresses:
        where, place = f"{hexadecimal(named.address)} ({named.words})", named.address
        walk = menu.addAction(f"Page walk of {where}")
        walk.triggered.connect(lambda _checked=False, to=place: view.walkRequested.emit(to))
        show = menu.addAction(f"Bytes at {where}")
        show.triggered.connect(lambda _checked=False, to=place: view.bytesRequested.emit(Space.LINEAR, to))
        back = menu.addAction(f"Back to the last write to the word at {where}")
        back.triggered.connect(lambda _checked=False, to=place: view.writeSought.emit(Space.LINEAR, to))
        on = menu.addAction(f"On to the next write to the word at {where}")
        on.triggered.connect(lambda _checked=False, to=place: view.writeAwaited.emit(Space.LINEAR, to))
