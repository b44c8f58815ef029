"""Going back, tested: is the machine, back at a moment, what it was when it was first there?

A run is looked at at random moments on its way: the CPU with hidden segments and everything else that it holds, every
byte of RAM, every field of every object of the lab, the record. Then it is taken back to each of them in random order
and looked at again; from the last one it runs on, and its end must be the first one's end.
"""

from __future__ import annotations

import hashlib
import random
from collections.abc import Callable
from dataclasses import dataclass

from core.cpu.probes import Word
from core.cpu.unicorn_cpu import Cpu
from core.cpu.world import WORDS, World
from core.errors import RequestError
from core.events import StopReason
from core.guests.image import Program
from core.lab.fingerprint import memory_digest
from core.session import Session
from core.timeline.checkpoint import OPAQUE
from core.timeline.describe import describe, elements
from core.timeline.timeline import Recording

USUAL = Recording()
RUNNERS = (Word.SKIP_AT, Word.WATCH)
TRAPS_COMPARED, PCS_COMPARED = 1000, 256
SHORT = 64  # bytes or entries of a fact that is kept as it is


@dataclass(frozen=True, slots=True)
class Wrong:
    """At `executed` instructions, `what` was not as it had been; `after` tells whether going back or running on."""

    executed: int
    what: str
    going_back: bool


@dataclass(frozen=True, slots=True)
class Sight:
    """All there is to compare, by name: whole values where they are small, else a hash."""

    facts: dict[str, object]

    def differences(self, other: Sight) -> list[str]:
        """The names of what is not alike."""
        names = self.facts.keys() | other.facts.keys()
        return sorted(name for name in names if self.facts.get(name) != other.facts.get(name))

    def digest(self) -> bytes:
        """The same for two that are alike, but for the order in which something was entered; thousands are kept."""
        return hashlib.blake2b(repr(sorted(self.facts.items())).encode(), digest_size=16).digest()


def look(session: Session) -> Sight:
    """The machine as it stands."""
    machine = session.machine
    used = machine.frames.used_to
    cpu: Cpu = machine.cpu
    probes = machine.backing.probes
    for vm in session.hypervisor.vms.values():
        vm.vmm.before_checkpoint()
    facts: dict[str, object] = {
        "CPU": cpu.save_world(),
        "eflags": cpu.eflags,
        "RAM": memory_digest(machine.ram.array[:used]),
        "traps": (session.traps.count, tuple(session.traps.recent(TRAPS_COMPARED))),
        "causes": dict(session.traps.causes),
        "stop": session.end,
        "recent instructions": tuple(session.recent_pcs(PCS_COMPARED)),
        "heat": tuple(elements(each) for each in (probes.reads, probes.writes, probes.fetches)),
        **{f"CPU of {letter}": vm.interposer.away for letter, vm in session.hypervisor.vms.items()},
        **{f"console of {letter}": session.vms.console_of(letter) for letter in session.vms.letters},
        **{f"registers {each.name}": (each.believed, each.real) for each in session.registers()},
        **describe("hypervisor", session.hypervisor, (*OPAQUE, World)),
    }
    return Sight({name: _comparable(fact) for name, fact in facts.items()})


def _comparable(fact: object) -> object:
    """Without the words of a world that belong to who runs it: what stops the CPU, and what must not for once."""
    if not isinstance(fact, World):
        return _brief(fact)
    return _brief(fact.context), [count for word, count in zip(WORDS, fact.words, strict=True) if word not in RUNNERS]


def rewind_check(
    program: Program,
    kind: str,
    *,
    points: int,
    seed: int,
    limit: int,
    recording: Recording = USUAL,
    command_line: str = "",
    progress: Callable[[int], None] = lambda _: None,
) -> list[Wrong]:
    """Look at `points` random moments within `limit` instructions, first on the way and then going back to them."""

    def anew(moment: int) -> Sight:
        """The moment as it is reached for the first time, in a run of its own."""
        other = Session(history=recording)
        try:
            other.load(program, kind, command_line=command_line)
            _forward(other, moment)
            return look(other)
        finally:
            other.close()

    session = Session(history=recording)
    try:
        session.load(program, kind, command_line=command_line)
        length = _length(session, limit)
        if length < 1:
            raise RequestError("This guest runs no instruction.", "Choose another.")
        chance = random.Random(seed)
        moments = sorted(chance.randrange(length) for _ in range(points))
        session.load(program, kind, command_line=command_line)
        seen: dict[int, bytes] = {}
        for moment in moments:
            _forward(session, moment)
            seen[moment] = look(session).digest()
        _forward(session, length)
        end = look(session)
        wrong: list[Wrong] = []
        order = list(seen)
        chance.shuffle(order)
        for done, moment in enumerate(order):
            session.travel.go_to(moment)
            if (now := look(session)).digest() != seen[moment]:
                wrong += [Wrong(moment, what, True) for what in anew(moment).differences(now)]
            progress(done + 1)
        _forward(session, length)
        return wrong + [Wrong(length, what, False) for what in end.differences(look(session))]
    finally:
        session.close()


def _brief(fact: object) -> object:
    """What is long, as a hash: thousands of moments are to be remembered."""
    if isinstance(fact, bytes) and len(fact) > SHORT:
        return hashlib.blake2b(fact, digest_size=16).digest()
    if isinstance(fact, list) and len(fact) > SHORT:
        return len(fact), hashlib.blake2b(repr(fact).encode(), digest_size=16).digest()
    return fact


def _length(session: Session, limit: int) -> int:
    """How far it runs by itself, up to `limit`."""
    _forward(session, limit)
    return session.machine_executed


def _forward(session: Session, moment: int) -> None:
    while session.machine_executed < moment:
        if session.run(moment - session.machine_executed) in (StopReason.ENDED, StopReason.WAITING):
            return
