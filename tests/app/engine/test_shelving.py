"""Snapshots of VMs by way of the engine: what the window asks, and what it is told."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from app.engine import protocol
from app.engine.client import Engine
from app.engine.protocol import Load, Refused, Shelved, Step, Updated
from core.devices.disk_image import SECTOR
from core.guests.start import StartWith
from core.lab.files import open_lab
from core.lab.lab import Desk
from core.looks import Look
from core.session import Session
from core.timeline.timeline import Recording
from core.vm_snapshots.divergence import Diverged
from tests.app.engine.test_client import Await, kill, load
from tests.app.engine.test_hosting import last, play

PATIENCE = 30_000  # milliseconds


@pytest.fixture
def session() -> Iterator[Session]:
    lab = Session(history=Recording())
    yield lab
    lab.close()


@pytest.fixture
def engine(qtbot: QtBot) -> Iterator[Engine]:
    engine = Engine()
    yield engine
    engine.close()


@pytest.fixture
def await_(qtbot: QtBot) -> Callable[[Callable[[], bool]], None]:
    return lambda condition: qtbot.waitUntil(condition, timeout=PATIENCE)


def test_the_list_is_told_when_it_has_changed_and_each_snapshot_once(session: Session) -> None:
    told = [
        message
        for message in play(
            session,
            Load("hello", "bare"),
            Step(50),
            protocol.TakeSnapshot("early"),
            Step(20),
            protocol.TakeSnapshot(),
            protocol.RenameSnapshot("early", "earliest"),
            Step(1),
            protocol.DeleteSnapshot("hello 1"),
        )
        if isinstance(message, Shelved)
    ]
    assert [[fact.name for fact in each.facts] for each in told] == [
        ["early"],
        ["early", "hello 1"],
        ["earliest", "hello 1"],
        ["earliest"],
    ]
    assert [len(each.new) for each in told] == [1, 1, 0, 0]
    assert told[1].facts[1].executed == 70


def test_a_revert_shows_the_vm_as_it_was_and_its_console_anew(session: Session) -> None:
    messages = play(
        session,
        Load("hello", "hardware"),
        Step(100),
        protocol.TakeSnapshot("early"),
        Step(100_000),
        protocol.RevertVm("early"),
    )
    before, after = [each.snapshot for each in messages if isinstance(each, Updated)][-2:]
    assert after.executed == 100
    assert after.generation > before.generation
    assert len(after.console) == after.console_length < before.console_length
    assert (after.end, after.running) == (None, False)


def test_a_clone_a_question_and_a_refusal(session: Session) -> None:
    messages = play(
        session,
        Load("hello", "hardware"),
        Step(100),
        protocol.TakeSnapshot("early"),
        protocol.CloneVm("early", "translation"),
        protocol.AskDiverged("B"),
        protocol.RevertVm("late"),
    )
    assert [(vm.letter, vm.kind) for vm in last(messages).vms] == [("A", "hardware"), ("B", "translation")]
    (found,) = [each for each in messages if isinstance(each, Diverged)]
    assert found.from_snapshots[0][1].pages == 0
    assert 0 < found.from_image.pages < found.from_image.of_pages
    (refused,) = [each for each in messages if isinstance(each, Refused)]
    assert "no snapshot “late”" in refused.error.problem


def test_a_vm_goes_out_into_a_file_and_comes_in_again(session: Session, tmp_path: Path) -> None:
    path = tmp_path / "early.ringvm"
    disk = tmp_path / "disk.img"
    disk.write_bytes(b"\x55" * 2 * SECTOR)
    messages = play(
        session,
        Load("hello", "hardware", StartWith(disk=str(disk))),
        Step(100),
        protocol.TakeSnapshot("early"),
        protocol.ExportSnapshot("early", str(path)),
        protocol.ExportDisk("early", str(tmp_path / "out.img")),
        protocol.DeleteSnapshot("early"),
        protocol.ImportSnapshot(str(path)),
        protocol.AddVm(str(path), "trap_emulate"),
        Load(str(path), "bare"),
    )
    assert protocol.SnapshotSaved(str(path)) in messages
    assert (tmp_path / "out.img").read_bytes() == disk.read_bytes()
    shelved = [each for each in messages if isinstance(each, Shelved)]
    assert [fact.name for fact in shelved[-1].facts] == ["early"]
    assert (last(messages).executed, last(messages).kind) == (100, "bare")
    assert not [each for each in messages if isinstance(each, Refused)]


def test_snapshots_outlive_the_engine(engine: Engine, await_: Await) -> None:
    load(engine, await_, "hello")
    engine.step(100)
    engine.snapshots(protocol.TakeSnapshot("early"))
    await_(lambda: bool(engine.shelf))
    engine.step(1_000_000)
    await_(lambda: engine.latest is not None and engine.latest.end is not None)
    back: list[object] = []
    engine.recovered.connect(lambda: back.append(None))
    kill(engine)
    await_(lambda: bool(back))
    engine.snapshots(protocol.RevertVm("early"))
    await_(lambda: engine.latest is not None and engine.latest.executed == 100)


def test_a_snapshot_alone_is_worth_keeping_the_lab_for(session: Session, tmp_path: Path) -> None:
    waits = [protocol.LookAt(Look())] * 12
    play(
        session,
        Load("hello", "bare"),
        protocol.KeepLab(str(tmp_path / "kept"), Desk()),
        *waits,
        protocol.TakeSnapshot("early"),
        *waits,
    )
    assert [each.name for each in open_lab(tmp_path / "kept").snapshots] == ["early"]
