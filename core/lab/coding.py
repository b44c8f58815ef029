"""Facts of a lab to records, and records back to facts, which are judged on the way.

What only the machine can judge (is there room for a VM, is there such a field) shows when the lab is replayed; what can
be known before is refused here: moments out of order, VMs that are not there, futures without end.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from itertools import pairwise
from pathlib import PurePath

from core.devices.disk_image import SECTOR, DiskImage
from core.errors import LabError
from core.guests.catalog import load_flat, shipped_guests
from core.guests.elf import MAGIC, load_elf
from core.guests.image import Program, SourceFile
from core.guests.modules import Module
from core.lab import acts
from core.lab.acts import MEND
from core.lab.lab import Desk, Lab, LabFuture, Rhythm, StopAt
from core.lab.records import (
    FORMAT,
    VERSION,
    ActRecord,
    DeskRecord,
    FutureRecord,
    KeptRecord,
    Manifest,
    RhythmRecord,
    StopRecord,
    VmRecord,
)
from core.lab.vm_coding import snapshot_bytes, snapshot_of, snapshot_record
from core.lab.vm_records import DiskRecord, ModuleRecord, ProgramRecord, SourceRecord
from core.timeline.actions import Action, AddVm, RemoveVm, RevertVm
from core.timeline.journal import Input, Moment
from core.vm_snapshots.divergence import from_image
from core.vm_snapshots.shelf import KeptSnapshot
from core.vm_snapshots.vm_snapshot import VmSnapshot
from core.vmm import kind_named

ADD, REVERT = AddVm.__name__, RevertVm.__name__
Fetch = Callable[[str], bytes]
LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"


# -- to records


@dataclass(slots=True)
class Blobs:
    """Collects bytes, each once, by their SHA-256."""

    held: dict[str, bytes] = field(default_factory=dict)
    snapshots: dict[int, str] = field(default_factory=dict)  # what is known by its identity already

    def keep(self, data: bytes) -> str:
        """The name under which these bytes are kept."""
        name = hashlib.sha256(data).hexdigest()
        self.held[name] = data
        return name


def to_manifest(lab: Lab, made_by: str, blobs: Blobs) -> Manifest:
    """The lab as records; its bytes go into `blobs`."""
    return Manifest(
        format=FORMAT,
        version=VERSION,
        made_by=made_by,
        first=_vm_record(lab.first, blobs),
        rhythm=RhythmRecord(instructions=lab.rhythm.instructions, departures=lab.rhythm.departures),
        futures=tuple(
            FutureRecord(
                number=each.number,
                parent=each.parent,
                forked_at=each.forked_at,
                reached=each.reached,
                journal=tuple(_act_record(one, blobs) for one in each.journal),
            )
            for each in lab.futures
        ),
        present=lab.present,
        now=lab.now,
        applied=lab.applied,
        selected=lab.selected,
        stops={
            letter: tuple(StopRecord(address=each.address, program=each.program) for each in stops)
            for letter, stops in lab.stops.items()
        },
        fingerprint=lab.fingerprint,
        desk=DeskRecord(
            open_views=lab.desk.open_views,
            in_front=lab.desk.in_front,
            lesson=lab.desk.lesson,
            step=lab.desk.step,
        ),
        snapshots=tuple(
            KeptRecord(name=each.name, snapshot=keep_snapshot(each.snapshot, blobs), machine_time=each.machine_time)
            for each in lab.snapshots
        ),
    )


def keep_snapshot(snapshot: VmSnapshot, blobs: Blobs) -> str:
    """The name of the blob that holds it."""
    known = blobs.snapshots.get(id(snapshot))
    if known is None:
        vm = _vm_record(replace(AddVm.going_on(snapshot), snapshot=None), blobs)
        known = blobs.keep(snapshot_bytes(snapshot, blobs.keep, vm.program, vm.disk, vm.modules))
        blobs.snapshots[id(snapshot)] = known
    return known


def _vm_record(vm: AddVm, blobs: Blobs) -> VmRecord:
    return VmRecord(
        kind=vm.kind,
        memory=vm.memory,
        weight=vm.weight,
        cap=vm.cap,
        command_line=vm.command_line,
        program=_program_record(vm.program, blobs),
        disk=DiskRecord(name=PurePath(vm.disk.path).name, data=blobs.keep(vm.disk.data)) if vm.disk else None,
        modules=tuple(
            ModuleRecord(name=PurePath(each.path).name, string=each.string, data=blobs.keep(each.data))
            for each in vm.modules
        ),
        snapshot=keep_snapshot(vm.snapshot, blobs) if vm.snapshot is not None else None,
    )


def _program_record(program: Program, blobs: Blobs) -> ProgramRecord:
    return ProgramRecord(
        name=program.name,
        title=program.title,
        summary=program.summary,
        file=PurePath(program.path).name,
        form="elf" if program.image.startswith(MAGIC) else "flat",
        image=blobs.keep(program.image),
        sources=_source_records(program.sources, blobs),
        carried={name: _source_records(one.sources, blobs) for name, one in program.programs.items() if one.sources},
    )


def _source_records(sources: Iterable[SourceFile], blobs: Blobs) -> tuple[SourceRecord, ...]:
    return tuple(SourceRecord(name=each.name, text=blobs.keep(each.text.encode())) for each in sources)


def _act_record(given: Input, blobs: Blobs) -> ActRecord:
    moment, action = given.moment, given.action
    if isinstance(action, AddVm):
        return ActRecord(at=moment, do=ADD, vm=_vm_record(action, blobs))
    if isinstance(action, RevertVm):
        given_to: dict[str, acts.Value] = {"vm": action.vm, "snapshot": keep_snapshot(action.snapshot, blobs)}
        return ActRecord(at=moment, do=REVERT, given=given_to)
    return ActRecord(at=moment, do=type(action).__name__, given=acts.written(action))


# -- and back


def to_lab(manifest: Manifest, fetch: Fetch) -> Lab:
    """The lab that was written down; `fetch` gives a blob by name. A UserError if it cannot be one."""
    reader = Reader(fetch)
    first = reader.vm(manifest.first)
    futures = tuple(_future(each, reader) for each in manifest.futures)
    _check_futures(futures, manifest)
    for each in futures:
        _check_letters(each.journal)
    lab = Lab(
        first=first,
        rhythm=Rhythm(manifest.rhythm.instructions, manifest.rhythm.departures),
        futures=futures,
        present=manifest.present,
        now=Moment(*manifest.now),
        applied=manifest.applied,
        selected=manifest.selected,
        stops={
            letter: tuple(StopAt(each.address, each.program) for each in stops)
            for letter, stops in manifest.stops.items()
        },
        fingerprint=manifest.fingerprint,
        desk=Desk(manifest.desk.open_views, manifest.desk.in_front, manifest.desk.lesson, manifest.desk.step),
        snapshots=tuple(reader.kept(number, each) for number, each in enumerate(manifest.snapshots, 1)),
    )
    _check_present(lab)
    return lab


@dataclass(slots=True)
class Reader:
    """Makes guests out of blobs, each program once."""

    fetch: Fetch
    programs: dict[str, Program] = field(default_factory=dict)
    snapshots: dict[str, VmSnapshot] = field(default_factory=dict)

    def vm(self, record: VmRecord) -> AddVm:
        """A VM as it is to be powered on, or to go on."""
        vm = self._powered_on(record)
        if record.snapshot is None:
            return vm
        snapshot = self.snapshot(record.snapshot)
        going_on = AddVm.going_on(snapshot, record.kind, record.weight, record.cap)
        if replace(vm, snapshot=snapshot) != going_on:
            raise LabError("A VM in the lab file is another than the one in its snapshot.", MEND)
        return going_on

    def snapshot(self, name: str) -> VmSnapshot:
        """The VM at an instant in that blob."""
        if name not in self.snapshots:
            record = snapshot_record(self.fetch(name))
            self.snapshots[name] = snapshot_of(
                record,
                self.fetch,
                program=self.program(record.program),
                disk=self.disk(record.disk) if record.disk is not None else None,
                modules=self._modules(record.modules),
            )
        return self.snapshots[name]

    def kept(self, number: int, record: KeptRecord) -> KeptSnapshot:
        """One that the person keeps."""
        snapshot = self.snapshot(record.snapshot)
        return KeptSnapshot(number, record.name, snapshot, record.machine_time, from_image(snapshot))

    def _modules(self, records: Iterable[ModuleRecord]) -> tuple[Module, ...]:
        return tuple(Module(self.fetch(each.data), each.string, each.name) for each in records)

    def _powered_on(self, record: VmRecord) -> AddVm:
        kind_named(record.kind)
        return AddVm(
            program=self.program(record.program),
            kind=record.kind,
            memory=record.memory,
            weight=record.weight,
            cap=record.cap,
            command_line=record.command_line,
            disk=self.disk(record.disk) if record.disk is not None else None,
            modules=self._modules(record.modules),
        )

    def disk(self, record: DiskRecord) -> DiskImage:
        data = self.fetch(record.data)
        if not data or len(data) % SECTOR:
            raise LabError("A disk in the lab file has no whole number of sectors.", MEND)
        return DiskImage(data)

    def program(self, record: ProgramRecord) -> Program:
        key = record.model_dump_json()
        if key not in self.programs:
            self.programs[key] = self._program(record)
        return self.programs[key]

    def _program(self, record: ProgramRecord) -> Program:
        shipped = shipped_guests().get(record.name)
        ours = shipped is not None and PurePath(shipped.path).name == record.file
        path = shipped.path if shipped is not None and ours else record.file
        load = load_elf if record.form == "elf" else load_flat
        program = load(self.fetch(record.image), record.name, path)
        carried = {
            name: replace(one, sources=self._sources(record.carried.get(name, ())))
            for name, one in program.programs.items()
        }
        return replace(
            program,
            title=record.title,
            summary=record.summary,
            sources=self._sources(record.sources),
            programs=carried,
        )

    def _sources(self, records: Iterable[SourceRecord]) -> tuple[SourceFile, ...]:
        try:
            return tuple(SourceFile(each.name, self.fetch(each.text).decode()) for each in records)
        except UnicodeDecodeError:
            raise LabError("A source in the lab file is no text.", MEND) from None


def _future(record: FutureRecord, reader: Reader) -> LabFuture:
    journal = tuple(Input(Moment(*each.at), _action(each, reader)) for each in record.journal)
    return LabFuture(record.number, record.parent, Moment(*record.forked_at), Moment(*record.reached), journal)


def _action(record: ActRecord, reader: Reader) -> Action:
    if record.do == ADD and record.vm is not None and not record.given:
        return reader.vm(record.vm)
    if record.vm is not None:
        raise LabError(f"The entry {record.do} of the lab's journal has a VM, which it cannot have.", MEND)
    if record.do == REVERT:
        letter, name = record.given.get("vm"), record.given.get("snapshot")
        if len(record.given) != 2 or not isinstance(letter, str) or not isinstance(name, str):
            raise LabError(f"The entry {REVERT} of the lab's journal has other fields than it should.", MEND)
        return RevertVm(letter, reader.snapshot(name))
    return acts.read(record.do, record.given)


def _check_futures(futures: tuple[LabFuture, ...], manifest: Manifest) -> None:
    numbers = {each.number for each in futures}
    if len(numbers) != len(futures) or manifest.present not in numbers:
        raise LabError("The futures in the lab file are not numbered as they should be.", MEND)
    for each in futures:
        moments = [*(one.moment for one in each.journal), each.reached]
        ordered = all(before <= after for before, after in pairwise(moments))
        if not ordered or any(moment.executed > moment.time for moment in (*moments, each.forked_at)):
            raise LabError(f"The journal of future {each.number} in the lab file is out of order.", MEND)
        if each.parent is not None and (each.parent not in numbers or each.parent >= each.number):
            raise LabError(f"Future {each.number} in the lab file comes from none that is there.", MEND)
        if each.forked_at > each.reached:
            raise LabError(f"Future {each.number} in the lab file begins after its end.", MEND)


def _check_letters(journal: tuple[Input, ...]) -> None:
    """Whatever is done is done to a VM that is there then."""
    there, made = {LETTERS[0]}, 1
    for each in journal:
        action = each.action
        if isinstance(action, AddVm):
            if made == len(LETTERS):
                raise LabError("The lab's journal adds more VMs than there are letters.", MEND)
            there.add(LETTERS[made])
            made += 1
        else:
            letter = getattr(action, "vm", "")
            if letter not in there:
                raise LabError("The lab's journal does something to a VM that is not there then.", MEND)
            if isinstance(action, RemoveVm):
                there.discard(letter)


def _check_present(lab: Lab) -> None:
    journal, now = lab.future.journal, lab.now
    done, to_come = journal[: lab.applied], journal[lab.applied :]
    fits = (
        lab.applied <= len(journal)
        and now <= lab.future.reached
        and now.executed <= now.time
        and all(each.moment <= now for each in done)
        and all(each.moment >= now for each in to_come)
    )
    if not fits:
        raise LabError("The lab file says that the machine stands where it cannot.", MEND)
