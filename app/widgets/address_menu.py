"""The entries of a menu that lead from an address to its page walk and its bytes; the same wherever addresses stand."""

from __future__ import annotations

from typing import Protocol

from PySide6.QtCore import SignalInstance
from PySide6.QtWidgets import QMenu

from app.models.named_addresses import NamedAddress
from app.models.numerals import hexadecimal
from core.looks import Space


class LeadsToMemory(Protocol):
    """A view that can ask for the walk and the bytes of an address."""

    walkRequested: SignalInstance
    bytesRequested: SignalInstance


def offer_addresses(menu: QMenu, view: LeadsToMemory, addresses: tuple[NamedAddress, ...]) -> None:
    """Add two entries for each address."""
    for named in addresses:
        where, place = f"{hexadecimal(named.address)} ({named.words})", named.address
        walk = menu.addAction(f"Page walk of {where}")
        walk.triggered.connect(lambda _checked=False, to=place: view.walkRequested.emit(to))
        show = menu.addAction(f"Bytes at {where}")
        show.triggered.connect(lambda _checked=False, to=place: view.bytesRequested.emit(Space.LINEAR, to))
