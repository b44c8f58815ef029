"""The command line as a whole: help that teaches, faults of ours told as ours."""

from __future__ import annotations

import argparse
import io
import json
import os
import sys
from pathlib import Path

import pytest

from app.__main__ import main
from app.cli import run, statuses
from app.cli.parser import build_parser
from app.cli.version import version
from core.errors import LabFault


def commands() -> dict[str, argparse.ArgumentParser]:
    (action,) = [one for one in build_parser()._actions if isinstance(one, argparse._SubParsersAction)]
    return dict(action.choices)


def test_there_is_a_command_for_everything() -> None:
    assert set(commands()) == {
        "run",
        "compare",
        "guests",
        "kinds",
        "host",
        "rewind-check",
        "lesson",
        "assemble",
        "screenshot",
        "bench",
        "holes",
        "figure",
        "cosim",
        "disk",
        "snapshot",
        "open",
    }


@pytest.mark.parametrize("name", sorted(commands()))
def test_every_command_says_what_it_is_for(name: str) -> None:
    parser = commands()[name]
    assert parser.description
    assert all(action.help for action in parser._actions if not isinstance(action, argparse._SubParsersAction))


def test_the_help_of_run_tells_every_exit_status() -> None:
    text = " ".join(commands()["run"].format_help().split())
    for status in (statuses.LIMIT, statuses.GUEST_ERROR, statuses.USER_ERROR, statuses.LAB_FAULT):
        assert f" {status} if" in text


def test_the_version_is_the_project_s(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["--version"])
    assert ended.value.code == 0
    assert capsys.readouterr().out == f"ringside {version()}\n"


def test_a_fault_of_the_lab_is_status_3_with_its_report(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(_arguments: argparse.Namespace) -> int:
        raise LabFault("The CPU gave up.", "EIP=00100000")

    monkeypatch.setattr(run, "main", fail)
    assert main(["run", "hello"]) == statuses.LAB_FAULT
    err = capsys.readouterr().err
    assert err == "ringside: The CPU gave up.\nEIP=00100000\n"


def test_a_mistake_of_ours_is_told_as_ours(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def fail(_arguments: argparse.Namespace) -> int:
        raise ZeroDivisionError("oh")

    monkeypatch.setattr(run, "main", fail)
    assert main(["run", "hello"]) == statuses.LAB_FAULT
    err = capsys.readouterr().err
    assert err.startswith("ringside: Ringside made a mistake: ZeroDivisionError('oh')\n")
    assert "test_main.py" in err


def test_guests_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["guests"]) == 0
    listed = capsys.readouterr().out
    assert main(["guests", "--json"]) == 0
    guests = json.loads(capsys.readouterr().out)
    assert {"hello", "rings", "privileged", "hole"} <= set(guests)
    assert [line.split()[0] for line in listed.splitlines()] == list(guests)
    assert all(guest["title"] and guest["summary"] for guest in guests.values())


def test_kinds_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["kinds", "--json"]) == 0
    assert {"bare", "trap_emulate"} <= set(json.loads(capsys.readouterr().out))


def test_assembling_gives_an_image_that_runs(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    source, image = tmp_path / "seven.s", tmp_path / "seven.elf"
    source.write_text(".globl _start\n_start:\n    mov al, 7\n    out 0xf4, al\n")
    assert main(["assemble", str(source), "-o", str(image)]) == statuses.DONE
    assert main(["run", str(image), "--vmm", "bare"]) == 7
    assert str(image) in capfd.readouterr().out


def test_an_image_that_cannot_be_written_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source = tmp_path / "seven.s"
    source.write_text(".globl _start\n_start: nop\n")
    assert main(["assemble", str(source), "-o", str(tmp_path / "none" / "seven.elf")]) == statuses.USER_ERROR
    assert "none" in capsys.readouterr().err


def test_a_file_alone_opens_the_window_with_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[str] = []
    monkeypatch.setattr("app.cli.window.open_window", lambda path: opened.append(path) or 0)
    lab = tmp_path / "my.ringside"
    lab.touch()
    assert (main([str(lab)]), main(["open", str(lab)]), opened) == (0, 0, [str(lab), str(lab)])
    assert main(["open", str(tmp_path / "missing.ringside")]) == statuses.USER_ERROR


def test_a_terminal_that_cannot_spell_a_name_does_not_end_the_program(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As on Windows, where what is sent to a file is in the code page."""
    (tmp_path / "гость.s").write_text("hlt\n")
    narrow = io.TextIOWrapper(io.BytesIO(), encoding="cp1252")
    monkeypatch.setattr(sys, "stdout", narrow)
    assert main(["assemble", str(tmp_path / "гость.s"), "-o", str(tmp_path / "гость.elf")]) == statuses.DONE
    assert (tmp_path / "гость.elf").exists()


@pytest.mark.skipif(sys.platform != "linux", reason="names are text there")
def test_a_guest_whose_name_is_no_text_runs(tmp_path: Path) -> None:
    path = tmp_path / os.fsdecode(b"guest\xff.s")
    path.write_text("mov al, 0\nout 0xf4, al\n")
    assert main(["run", str(path)]) == 0
