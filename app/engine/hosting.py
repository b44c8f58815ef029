"""The person's wishes about VMs, carried out on the session: make, remove, select, pause, weigh, cap, edit a VMCB."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from app.engine import protocol
from app.engine.shelving import vm_in
from core.lab.archive import is_vm_file

if TYPE_CHECKING:
    from core.guests.image import Program
    from core.session import Session


def host(session: Session, command: protocol.HostCommand, load: Callable[[str], Program]) -> None:
    """Carry `command` out; a UserError, and nothing changed, if that cannot be."""
    match command:
        case protocol.AddVm(name, kind, memory, weight, cap, start):
            if is_vm_file(Path(name)):
                session.vms.add_from(vm_in(name)[1], kind, weight=weight, cap=cap)
                return
            line, disk, modules = start.command_line, start.read_disk(), start.read_modules()
            session.vms.add(
                load(name), kind, memory=memory, weight=weight, cap=cap, command_line=line, disk=disk, modules=modules
            )
        case protocol.RemoveVm(letter):
            session.vms.remove(letter)
        case protocol.SelectVm(letter):
            session.select(letter)
        case protocol.PauseVm(letter):
            session.vms.pause(letter)
        case protocol.ResumeVm(letter):
            session.vms.resume(letter)
        case protocol.SetWeight(letter, weight):
            session.vms.set_weight(letter, weight)
        case protocol.SetCap(letter, cap):
            session.vms.set_cap(letter, cap)
        case protocol.Balloon(letter, taken):
            session.vms.balloon(letter, taken)
        case protocol.SetIntercept(code, on):
            session.inputs.set_intercept(code, on=on)
        case protocol.EditRegister(name, value):
            session.inputs.edit_register(name, value)
        case protocol.EditMemory(space, address, data):
            session.inputs.edit_memory(space, address, data)
        case protocol.SetVmcbField(name, value):
            session.inputs.set_vmcb_field(name, value)
        case protocol.SetTranslation(switch, on):
            session.inputs.set_translation(switch, on=on)
