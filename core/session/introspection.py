"""What can be seen of a host and of the guest in its selected VM, from outside; looking changes nothing in them.

Whatever is said of "the guest" is said of the selected VM's. What it believes and what the CPU holds are two things and
are both told. (Virtual machine introspection; Garfinkel & Rosenblum, NDSS 2003.)
"""

from __future__ import annotations

from core import layout
from core.addresses import PAGE_SIZE, GuestPhysical
from core.call_frame import CallFrame
from core.call_stack import Place, Unwinder
from core.cpu.context import Gpr, Seg
from core.cpu.decode import spell
from core.cpu.guest_cpu import GuestCpu
from core.cpu.probes import PC_RING
from core.errors import RequestError
from core.events import End, Ring, StopReason
from core.guest_system import GuestSystem
from core.guests.image import Program
from core.guests.unwind import CS, EIP
from core.hypervisor import Hypervisor
from core.listing import disassemble
from core.looking import look_at
from core.looks import Look, Seen, Space
from core.machine import Machine
from core.memory.onlooker import linear_pieces
from core.page_use import Watched
from core.past import Past
from core.registers import read_registers
from core.session import guest
from core.session.host import Host
from core.snapshot import Register, Snapshot
from core.timeline.timeline import Timeline
from core.translations import GuestInstruction, SeenCache
from core.traplog import TrapLog
from core.vm import Vm
from core.vmm.vmm import Vmm


class Introspection:
    """Looks at `host`. `look` says what the snapshots show of memory."""

    def __init__(self, host: Host) -> None:
        self._host = host
        self._unwinders: dict[str, tuple[Program, Unwinder]] = {}  # by VM
        self.look = Look()

    # -- the host

    @property
    def machine(self) -> Machine:
        """The machine that is on; a RequestError if none is."""
        return self._host.on.machine

    @property
    def hypervisor(self) -> Hypervisor:
        """What hosts the VMs."""
        return self._host.on.hypervisor

    @property
    def timeline(self) -> Timeline:
        """The recorded past; a RequestError for a session without."""
        timeline = self._host.on.timeline
        if timeline is None:
            raise RequestError("This run is not recorded.", "Make the session with a history.")
        return timeline

    @property
    def traps(self) -> TrapLog:
        """The record since power-on."""
        return self._host.traps

    @property
    def generation(self) -> int:
        """Counts power-ons and journeys in time: what was seen before is no past of what is seen now."""
        return self._host.generation

    @property
    def stop(self) -> StopReason | None:
        """Why the last run ended; None: there was none since power-on or a journey."""
        return self._host.stop

    @property
    def sentence(self) -> str:
        """What happened last, for the person."""
        return self._host.sentence

    @property
    def host_seconds(self) -> float:
        """How long the machine has been run since power-on, by the clock on the wall."""
        return self._host.host_seconds

    @property
    def machine_executed(self) -> int:
        """Instructions and exceptions of all VMs, removed ones included."""
        return self.hypervisor.scheduler.state.executed

    @property
    def machine_time(self) -> int:
        """The machine's virtual time: instructions of all VMs, and time in which nobody wanted the CPU."""
        return self.hypervisor.scheduler.state.time

    @property
    def idle_seconds(self) -> float:
        """How long nobody will want the CPU, in seconds of the machine's clock; 0 if somebody does."""
        return (self.hypervisor.scheduler.idle() or 0) / layout.INSTRUCTIONS_PER_SECOND

    def settle(self) -> None:
        """Look at the selected VM where the timeline stands."""
        self._host.settle()

    def past(self) -> Past | None:
        """The recorded past, to be looked at; None for a session without."""
        timeline = self._host.on.timeline if self._host.is_on else None
        return timeline.past() if timeline is not None else None

    # -- the selected VM

    @property
    def selected(self) -> str:
        """The letter of the VM that is looked at."""
        return self._host.selected

    @property
    def vm(self) -> Vm:
        """The selected VM."""
        return self._host.vm

    @property
    def vmm(self) -> Vmm:
        """Its monitor."""
        return self.vm.vmm

    @property
    def program(self) -> Program | None:
        """What runs in it; None while no machine is on."""
        return self.vm.spec.program if self._host.is_on else None

    @property
    def kind(self) -> str:
        """The kind of monitor under it."""
        return self.vm.spec.kind.kind if self._host.is_on else ""

    @property
    def at_breakpoint(self) -> bool:
        """Does a breakpoint stand here, and does it count in this address space?"""
        return guest.at_breakpoint(self.vm)

    @property
    def end(self) -> End | None:
        """How its run ended, if it has."""
        return self.vm.interposer.end if self._host.is_on else None

    @property
    def report(self) -> str:
        """After an end by error of the lab: registers and cause, worth saving."""
        return self.vm.interposer.report if self._host.is_on else ""

    @property
    def executed(self) -> int:
        """Instructions and exceptions of the guest since power-on, exact."""
        return self.vm.interposer.executed

    @property
    def time(self) -> int:
        """Virtual time of the guest: executed plus idle time skipped."""
        return self.vm.interposer.time

    @property
    def console(self) -> bytes:
        """All that the guest has written to its serial port."""
        return bytes(self.vm.console)

    @property
    def console_length(self) -> int:
        """How many bytes that is, without a copy."""
        return len(self.vm.console)

    # -- its CPU

    @property
    def pc(self) -> int:
        """Linear address of the next instruction."""
        return self.vmm.guest.pc

    @property
    def code_bits(self) -> int:
        """Is the next instruction one of 16 or of 32 bits?"""
        return self.vmm.guest.code_bits

    @property
    def last_pc(self) -> int:
        """Linear address of the instruction that ran last."""
        return self.machine.cpu.last_pc

    @property
    def cr3(self) -> int:
        """CR3 as the guest believes it."""
        return self.vmm.guest.cr(3)

    @property
    def ring(self) -> Ring:
        """The ring the CPU is really in."""
        return Ring(self.machine.cpu.cpl)

    @property
    def believed_ring(self) -> Ring:
        """The ring the guest believes it is in."""
        return Ring(self.vmm.guest.cpl)

    def registers(self) -> tuple[Register, ...]:
        """What the guest believes beside what the CPU holds."""
        return read_registers(self.vmm.guest, GuestCpu(self.machine.cpu))

    def recent_pcs(self, count: int) -> list[int]:
        """Linear addresses of the newest instructions, oldest first (needs `recording`)."""
        executed = self.executed
        ring = self.vm.ring
        return [int(ring[n % PC_RING]) for n in range(max(executed - min(count, PC_RING), 0), executed)]

    # -- its memory and code

    def peek(self, linear: int, size: int) -> bytes | None:
        """Guest memory as ring 0 of the guest sees it; None where nothing is mapped."""
        return guest.peek(self.vm, linear, size)

    def peek_code(self, linear: int) -> bytes:
        """The bytes of the instruction at `linear` and perhaps some more; empty where nothing is mapped."""
        return self.vmm.linear.peek_code(self.vmm.guest.paging, linear & 0xFFFF_FFFF)

    def read_memory(self, linear: int, size: int) -> bytes:
        """As `peek`; a RequestError where nothing is mapped."""
        found = self.peek(linear, size)
        if found is None:
            raise RequestError(f"Nothing is mapped at {linear:#010x}.", "Choose an address inside the guest's memory.")
        return found

    def physical(self, space: Space, address: int) -> GuestPhysical:
        """Where in the guest's memory that is; a RequestError where there is none of its memory."""
        if space is Space.HOST:
            raise RequestError(
                "Memory cannot be set by a host-physical address: it may be a monitor's.",
                "Choose a linear or guest-physical address.",
            )
        if space is Space.PHYSICAL:
            return GuestPhysical(address)
        (piece,) = linear_pieces(self.vmm.physical, self.vmm.guest.paging, address, 1)
        if piece.physical is None:
            raise RequestError(f"There is no memory at linear {address:#010x}.", "Choose an address that is mapped.")
        return GuestPhysical(piece.physical)

    def next_instruction(self) -> str:
        """As it is written; empty where nothing is mapped."""
        code = self.peek_code(self.pc)
        return spell(code, self.pc, self.code_bits) if code else ""

    def guest_system(self) -> GuestSystem | None:
        """The guest's processes, read from its memory; None for a guest whose records are not known."""
        return guest.system_of(self.vm)

    def code(self, system: GuestSystem | None = None) -> Program:
        """The guest's code as the present address space shows it: its own, and the program's that CR3 belongs to.

        `system` is what `guest_system` has just said, if it was asked.
        """
        return guest.code_of(self.vm, system or self.guest_system())

    def seen(self, look: Look, system: GuestSystem | None) -> Seen:
        """What `look` shows now; `system` as `guest_system` gave it."""
        monitors = tuple(vm.vmm for vm in self.hypervisor.vms.values())
        return look_at(look, Watched(self.vmm, monitors, self.machine, self.vm.spec.program, system, self.peek))

    def translation_cache(self) -> SeenCache | None:
        """The selected VM's translation cache, if its monitor has one."""
        return self.vmm.seen_cache()

    def translated(self, linear: int) -> GuestInstruction | None:
        """What the guest's instruction at `linear` has been translated into, newest block first."""
        cache = self.vmm.seen_cache()
        for each in reversed(cache.holding(linear) if cache is not None else ()):
            block = self.vmm.seen_block(each.ordinal)
            found = next((one for one in block.guest if one.pc == linear), None) if block is not None else None
            if found is not None:
                return found
        return None

    # -- its calls

    def place(self, system: GuestSystem | None = None) -> Place:
        """Where the guest is: registers, memory and code, for whoever follows its calls. `system` as for `code`."""
        cpu = self.vmm.guest
        registers: dict[int, int] = {reg: cpu.reg(reg) for reg in Gpr}
        registers[EIP], registers[CS] = cpu.pc, cpu.segment(Seg.CS).selector & ~3 | cpu.cpl
        system = system or self.guest_system()
        mapped = system.mapped if system is not None else None
        stack = (mapped.kernel_stack, mapped.kernel_stack + PAGE_SIZE) if mapped is not None else None
        return Place(registers, self.peek, self.code(system), self.ring, stack)

    @property
    def unwinder(self) -> Unwinder:
        """Follows the selected guest's calls."""
        program = self.vm.spec.program
        known = self._unwinders.get(self.selected)
        if known is None or known[0] is not program:
            known = self._unwinders[self.selected] = program, Unwinder(program)
        return known[1]

    def call_stack(self, system: GuestSystem | None = None) -> tuple[CallFrame, ...]:
        """The functions that have been entered and not yet left, innermost first, as far as they are certain."""
        return self.unwinder.frames(self.place(system))

    # -- all of it

    def snapshot(
        self,
        since_trap: int = 0,
        since_console: int = 0,
        *,
        running: bool = False,
        max_traps: int = 2000,
        listing: int = 48,
    ) -> Snapshot:
        """One picture of the machine, with the traps and console output since the given counts."""
        vm, traps, system = self.vm, self.traps, self.guest_system()
        if system is not None and system.mapped is not None:
            vm.in_sight = system.mapped.name
        return Snapshot(
            generation=self.generation,
            vm=self.selected,
            kind=self.kind,
            guest=vm.spec.program.name,
            executed=self.executed,
            time=self.time,
            running=running,
            stop=self.stop,
            end=self.end,
            ring=self.ring,
            believed=self.believed_ring,
            stage=self.vmm.stage(),
            pc=self.pc,
            registers=self.registers(),
            listing=disassemble(self.peek_code, self.code(system), self.pc, listing, listing // 4, self.code_bits),
            traps=tuple(traps.since(since_trap, max_traps)),
            trap_count=traps.count,
            causes=tuple(traps.causes.items()),
            console=bytes(vm.console[since_console:]),
            console_length=len(vm.console),
            breakpoints=vm.breakpoints.addresses,
            elsewhere=vm.breakpoints.elsewhere(vm.in_sight),
            sentence=self.sentence,
            host_seconds=self.host_seconds,
            guest_system=system,
            seen=self.seen(self.look, system),
            call_stack=self.call_stack(system),
            vms=self.hypervisor.summaries(),
            machine_time=self.machine_time,
            free_memory=self.hypervisor.room,
            past=self.past(),
        )
