"""Going back, tested: is the machine, back at a moment, what it was when it was first there?

A run is looked at at random moments on its way: the CPU with hidden segments and everything else that it holds, every
byte of RAM, every field of every object of the lab, the record. Then it is taken back to each of them in random order
and looked at again; from the last one it runs on, and its end must be the first one's end.
"""

from __future__ import annotations

import hashlib
import random
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass

from core.cpu.probes import Word
from core.cpu.unicorn_cpu import Cpu
from core.cpu.world import WORDS, World
from core.errors import RequestError
from core.events import StopReason
from core.guests.image import Program
from core.lab.fingerprint import memory_digest
from core.layout import MIB, VM_MEMORY
from core.session import Session
from core.timeline.actions import AddVm
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


class _Run:
    """A lab that always runs alike: `vms` are powered on, and at the moments of `acts` something is done to it, as the
    number there decides."""

    def __init__(self, vms: Sequence[AddVm], acts: Sequence[tuple[int, int]], recording: Recording) -> None:
        self._first, self._others = vms[0], vms[1:]
        self._acts = acts
        self._done = 0
        self.session = Session(history=recording)

    def power_on(self) -> None:
        """From the start again."""
        self._done = 0
        first = self._first
        self.session.load(first.program, first.kind, memory=first.memory, command_line=first.command_line)
        for each in self._others:
            self.session.vms.add(
                each.program,
                each.kind,
                memory=each.memory,
                weight=each.weight,
                cap=each.cap,
                command_line=each.command_line,
            )

    def forward(self, moment: int) -> None:
        """Run on to where the machine's count is `moment`, before what is done there."""
        while self._done < len(self._acts) and self._acts[self._done][0] < moment:
            at, number = self._acts[self._done]
            _forward(self.session, at)
            _disturb(self.session, random.Random(number))
            self._done += 1
        _forward(self.session, moment)
        shares = self.session.hypervisor.scheduler.state.shares
        for letter, share in shares.items():
            if self.session.machine_executed < moment and share.paused:  # the others have nothing to do any more
                self.session.vms.resume(letter)
                _forward(self.session, moment)


def _disturb(session: Session, chance: random.Random) -> None:
    """Do something to one of the VMs; nothing, where its kind does not know of it."""
    vms = session.vms
    letter = chance.choice(vms.letters)
    shares = session.hypervisor.scheduler.state.shares
    session.select(letter)
    match chance.choice(("weight", "cap", "pause", "balloon", "keys", "serial")):
        case "weight":
            vms.set_weight(letter, chance.randint(1, 9))
        case "cap":
            vms.set_cap(letter, chance.choice((None, 10, 50)))
        case "pause" if shares[letter].paused:
            vms.resume(letter)
        case "pause" if sum(not share.paused for share in shares.values()) > 1:
            vms.pause(letter)
        case "balloon":
            with suppress(RequestError):
                vms.balloon(letter, chance.randrange(0, 8) * MIB)
        case "keys":
            session.inputs.press_keys(b"\x1e\x9e")
        case "serial":
            session.inputs.send(b"ls\n")


def rewind_check(
    program: Program,
    kind: str,
    *,
    points: int,
    seed: int,
    limit: int,
    recording: Recording = USUAL,
    command_line: str = "",
    beside: Sequence[AddVm] = (),
    acts: int = 0,
    progress: Callable[[int], None] = lambda _: None,
) -> list[Wrong]:
    """Look at `points` random moments within `limit` instructions, first on the way and then going back to them.

    `beside`: more VMs on the machine. `acts`: how often on the way something is done to one of the VMs, at random: its
    share of the CPU is set, it is paused or resumed, some of its memory is taken back, something is typed.
    `progress` is told after each moment how many were compared; fewer than `points` if the run has not so many, or is
    shorter by `acts`.
    """
    chance = random.Random(seed)
    vms = (AddVm(program, kind, VM_MEMORY, command_line=command_line), *beside)
    plain = _Run(vms, (), recording)
    try:
        plain.power_on()
        length = _length(plain.session, limit)
    finally:
        plain.session.close()
    if length < 1:
        raise RequestError("This guest runs no instruction.", "Choose another.")
    moments = sorted(chance.sample(range(length), min(points, length)))
    done = sorted((chance.randrange(length), chance.randrange(1 << 32)) for _ in range(acts))

    def anew(moment: int) -> Sight:
        """The moment as it is reached for the first time, in a run of its own."""
        other = _Run(vms, done, recording)
        try:
            other.power_on()
            other.forward(moment)
            other.session.select(other.session.vms.letters[0])
            return look(other.session)
        finally:
            other.session.close()

    run = _Run(vms, done, recording)
    session = run.session
    try:
        run.power_on()
        seen: dict[int, bytes] = {}
        for moment in moments:
            run.forward(moment)
            if session.machine_executed < moment:
                break  # what was done has made it shorter
            session.select(session.vms.letters[0])
            seen[moment] = look(session).digest()
        run.forward(length)
        session.select(session.vms.letters[0])
        end = look(session)
        wrong: list[Wrong] = []
        order = list(seen)
        chance.shuffle(order)
        for looked, moment in enumerate(order):
            session.travel.go_to(moment)
            if (now := look(session)).digest() != seen[moment]:
                wrong += [Wrong(moment, what, True) for what in anew(moment).differences(now)]
            progress(looked + 1)
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
