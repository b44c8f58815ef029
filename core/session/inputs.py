"""What comes to the selected VM from outside: input, and what a person sets in it or in how it is monitored.

Each counts at the present virtual time, is an input of the journal where one is kept, and can be undone then.
"""

from __future__ import annotations

from core.looks import Space
from core.session.host import Host
from core.session.introspection import Introspection
from core.timeline.actions import (
    EditMemory,
    EditRegister,
    Keys,
    SerialInput,
    SetIntercept,
    SetTranslation,
    SetVmcbField,
)
from core.translations import Switch


class Inputs:
    """To the VM that is selected on `host`; on a UserError nothing has changed."""

    def __init__(self, host: Host, seen: Introspection) -> None:
        self._host, self._seen = host, seen

    def send(self, data: bytes) -> None:
        """To its serial port."""
        self._host.do(SerialInput(self._host.selected, bytes(data)))

    def press_keys(self, codes: bytes) -> None:
        """Scan codes of set 1 from its keyboard."""
        self._host.do(Keys(self._host.selected, bytes(codes)))

    def edit_register(self, name: str, value: int) -> None:
        """Set a register of its CPU, in the guest's terms."""
        letter = self._host.selected
        self._host.do(EditRegister(letter, name, value))
        self._host.sentence = f"You set {name} of VM {letter} to {value:#010x}; Ctrl+Z takes it back."

    def edit_memory(self, space: Space, address: int, data: bytes) -> None:
        """Set bytes of its memory, all in one page, by a linear or guest-physical address."""
        self._host.do(EditMemory(self._host.selected, self._seen.physical(space, address), bytes(data)))
        self._host.sentence = (
            f"You set {data.hex(' ').upper()} at {space.value.lower()} {address:#010x}; Ctrl+Z takes it back."
        )

    def set_intercept(self, code: int, *, on: bool) -> None:
        """Set or clear an intercept bit of its control block; it counts from the next entry."""
        self._host.do(SetIntercept(self._host.selected, code, on))

    def set_vmcb_field(self, name: str, value: int) -> None:
        """Write a field of its control block; VMRUN judges it at the next entry."""
        self._host.do(SetVmcbField(self._host.selected, name, value))

    def set_translation(self, switch: Switch, *, on: bool) -> None:
        """Switch how its code is translated from now on."""
        self._host.do(SetTranslation(self._host.selected, switch, on))
