"""What one run came to: how often each of the guest's instructions left direct execution, and how the others ran.

Popek & Goldberg's second property, efficiency, asks that a statistically dominant part of the instructions runs without
the monitor; their third, resource control, that what reaches for the machine meets the monitor. Both are counted here,
from the record of departures, never estimated; `core.costs` may price the counts. Simplified: an instruction is told
by its address, its text and its ring, so programs of a guest that have the same code at one address count together.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from core.costs import CostModel, Part, Work
from core.cpu.decode import spell
from core.errors import LabFault
from core.events import Cause, Ring
from core.guests.image import Program
from core.session import Session
from core.traplog import KEPT
from core.vmm import kind_named

UNNOTICED = frozenset({Cause.PAGE_FAULT_HIDDEN, Cause.TRACE})  # the instruction itself runs then
LONGEST = 15  # bytes of an instruction
REACHING = frozenset({Cause.IO, Cause.PRIVILEGED, Cause.HALT, Cause.PAGE_FAULT_HIDDEN, Cause.TRACE, Cause.HYPERCALL})


class Site(NamedTuple):
    """Departures of one kind at one of the guest's instructions: its linear address and text, the ring it believes in,
    why it left, and whether it was the monitor that handled it (else the guest's own kernel did, or the hardware)."""

    pc: int
    instruction: str
    ring: Ring
    cause: Cause
    reason: Cause | None
    by_monitor: bool

    @property
    def act(self) -> Cause:
        """What the guest did, in terms that all kinds share."""
        return self.reason or self.cause


@dataclass(frozen=True, slots=True)
class Count:
    """How often something happened at a site, and where in the source that is, as far as it is known for certain: the
    function, and ``file:line``."""

    site: Site
    count: int
    function: str = ""
    place: str = ""


@dataclass(frozen=True, slots=True)
class Account:
    """All figures are measured. `direct`, `translated` and `with_monitor` add up to `instructions`: those that ran as
    they stand, those that ran as the monitor's translation, and those for which the monitor was called."""

    kind: str
    guest: str
    instructions: int
    direct: int
    translated: int
    with_monitor: int
    sites: tuple[Count, ...]
    unseen: Mapping[Work, int]

    def departures(self) -> Counter[Cause]:
        """How often the guest left direct execution, by cause."""
        found: Counter[Cause] = Counter()
        for each in self.sites:
            found[each.site.cause] += each.count
        return found

    def acts(self) -> Counter[Cause]:
        """The same by what the guest did: I/O is I/O here, whether it trapped, exited or was called for."""
        found: Counter[Cause] = Counter()
        for each in self.sites:
            found[each.site.act] += each.count
        return found

    def met_monitor(self) -> Counter[Cause]:
        """What reached for the machine and met the monitor."""
        found: Counter[Cause] = Counter()
        for each in self.sites:
            act = each.site.act if each.site.act in REACHING else each.site.cause
            if each.site.by_monitor and act in REACHING:
                found[act] += each.count
        return found

    def work_at(self, site: Site) -> tuple[Work, ...]:
        """What one departure there is made of."""
        return kind_named(self.kind).work_of(site.cause, site.reason)

    def work(self) -> Counter[Work]:
        """How often each class of work was done."""
        done = Counter({Work.INSTRUCTION: self.instructions})
        for each in self.sites:
            for work in self.work_at(each.site):
                done[work] += each.count
        done.update(self.unseen)
        return done

    def cycles(self, model: CostModel) -> dict[Part, int]:
        """Modelled cycles, by what they go to."""
        return model.by_part(self.work())

    def shares(self) -> Iterator[tuple[str, float]]:
        """How the instructions ran, as shares of all: (name, 0 to 1)."""
        for name in ("direct", "translated", "with_monitor"):
            yield name, getattr(self, name) / self.instructions if self.instructions else 0.0


class Tally:
    """Counts a session's departures as they come; `take` it at least every 65,536 of them. The session's first VM is
    its only one."""

    def __init__(self) -> None:
        self._sites: Counter[Site] = Counter()
        self._next = 0
        self._user_since: int | None = None
        self._user = 0

    def take(self, session: Session) -> None:
        """Count what has happened since the last time."""
        log = session.traps
        if log.count - self._next > KEPT:
            raise LabFault(f"{log.count - self._next - KEPT} departures went by uncounted.")
        monitors = session.vmm.monitor_rings()
        for trap in log.since(self._next):
            by_monitor = trap.ring_to in monitors
            self._sites[Site(trap.pc, trap.instruction, trap.believed, trap.cause, trap.reason, by_monitor)] += 1
            if self._user_since is not None:
                self._user += trap.time - self._user_since
            self._user_since = trap.time if trap.ring_after is Ring.USER else None
        self._next = log.count

    def account(self, session: Session) -> Account:
        """What the run came to."""
        self.take(session)
        vmm, executed = session.vmm, session.executed
        with_monitor = user_with_monitor = 0
        for site, count in self._sites.items():
            if site.by_monitor and _is_instruction(site):
                with_monitor += count
                user_with_monitor += count * (site.ring is Ring.USER)
        translated = 0
        if vmm.translates:  # all but what programs ran; they cannot idle, so their time is their count
            user = self._user + (session.time - self._user_since if self._user_since is not None else 0)
            translated = max(executed - with_monitor - max(user - user_with_monitor, 0), 0)
        return Account(
            kind=vmm.kind,
            guest=session.vm.spec.program.name,
            instructions=executed,
            direct=executed - with_monitor - translated,
            translated=translated,
            with_monitor=with_monitor,
            sites=tuple(
                Count(site, count, *_source_of(session.vm.spec.program, site))
                for site, count in sorted(self._sites.items(), key=_order)
            ),
            unseen=dict(vmm.unseen_work()),
        )


def _is_instruction(site: Site) -> bool:
    """Was it the instruction itself that the monitor was called for? Not where it runs afterwards, nor between two."""
    if site.cause is Cause.CALLOUT:
        return site.reason is not None
    return site.act not in UNNOTICED and site.act not in (Cause.INTERRUPT, Cause.WORLD_SWITCH)


def _source_of(program: Program, site: Site) -> tuple[str, str]:
    """Programs share addresses: one of theirs is named only if no other has that instruction there."""
    if program.holds(site.pc):
        return _named(program, site.pc)
    with_it = [name for name, user in program.programs.items() if _text_at(user, site.pc) == site.instruction]
    if len(with_it) != 1:
        return "", ""
    function, place = _named(program.programs[with_it[0]], site.pc)
    return f"{with_it[0]}!{function}" if function else "", place


def _named(program: Program, pc: int) -> tuple[str, str]:
    line = program.line_at(pc)
    return program.symbol_at(pc)[0], f"{line[0]}:{line[1]}" if line else ""


def _text_at(program: Program, pc: int) -> str:
    for segment in program.segments:
        if segment.address <= pc < segment.address + len(segment.data):
            return spell(segment.data[pc - segment.address :][:LONGEST], pc)
    return ""


def _order(entry: tuple[Site, int]) -> tuple[int, str, int, str, str]:
    site = entry[0]
    return site.pc, site.instruction, site.ring, site.cause.value, site.reason.value if site.reason else ""
