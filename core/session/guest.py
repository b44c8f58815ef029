"""One VM's guest, read from outside: its memory and processes, the code that is in sight, whether it shall stop here.

A monitor that looks at a guest knows how that keeps its records (virtual machine introspection). Simplified: guests
whose records are not known have one program, themselves. Garfinkel & Rosenblum, NDSS 2003, §3.
"""

from __future__ import annotations

from core.guest_os import read_guest
from core.guest_system import GuestSystem
from core.guests.image import Program
from core.vm import Vm


def peek(vm: Vm, linear: int, size: int) -> bytes | None:
    """Its memory as its ring 0 sees it; None where nothing is mapped."""
    return vm.vmm.linear.peek(vm.vmm.guest.paging, linear & 0xFFFF_FFFF, size)


def system_of(vm: Vm) -> GuestSystem | None:
    """Its processes; None for a guest whose records are not known."""
    return read_guest(vm.spec.program, lambda linear, size: peek(vm, linear, size), vm.vmm.guest.paging.cr3)


def code_of(vm: Vm, system: GuestSystem | None) -> Program:
    """Its code as the present address space shows it: its own, and the program's that CR3 belongs to."""
    program = vm.spec.program
    return program.seen_from(system.mapped.name) if system is not None and system.mapped is not None else program


def at_breakpoint(vm: Vm) -> bool:
    """Does a breakpoint stand where it is, and does it count in the present address space?"""
    kept, pc = vm.breakpoints, vm.vmm.guest.pc
    return kept.counts(pc, code_of(vm, system_of(vm)).user if kept.needs_program(pc) else "")


def stops_here(vm: Vm) -> bool:
    """Is it to stop where it is, for a breakpoint or for a stop of the run under way?"""
    return vm.vmm.guest.pc in vm.breakpoints.temporary or at_breakpoint(vm)
