"""`ringside snapshot`, and runs that end in a VM's file or begin with one."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from app.__main__ import main
from app.cli import statuses
from core.devices.disk_image import SECTOR
from core.lab.vm_files import open_vm
from core.vmm import kinds_for
from tests.guests.test_pebble import after_head, needs_qemu, qemu

PEBBLE = ("pebble-clean", "--append", "run=writer", "--vmm", "trap_emulate")


def said(capsys: pytest.CaptureFixture[str], *arguments: str | Path) -> Any:
    """The JSON object that a command prints."""
    capsys.readouterr()
    main([str(each) for each in arguments])
    return json.loads(capsys.readouterr().out)


@pytest.fixture
def early(tmp_path: Path) -> Path:
    """Pebble in the middle of writing to its disk."""
    disk = tmp_path / "blank.img"
    disk.write_bytes(bytes(2048 * SECTOR))
    file = tmp_path / "early.ringvm"
    given = ["run", *PEBBLE, "--disk", str(disk), "--until", "700000", "--snapshot", str(file), "--json"]
    assert main(given) == statuses.LIMIT
    return file


def test_a_vm_goes_on_in_another_process_under_another_kind(
    early: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    late = tmp_path / "late.ringvm"
    command = [sys.executable, "-m", "app", "run", str(early), "--vmm", "hardware", "--snapshot", str(late), "--json"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    found = json.loads(done.stdout)
    whole = said(capsys, "run", *PEBBLE, "--disk", tmp_path / "blank.img", "--json")
    assert (done.returncode, found["kind"], found["console"]) == (0, "hardware", whole["console"])
    assert found["instructions"] + 700_000 == whole["instructions"]
    info = said(capsys, "snapshot", "info", late, "--json")
    assert (info["instructions"], info["end"]) == (whole["instructions"], {"how": "exit", "status": 0})
    apart = said(capsys, "snapshot", "diff", early, late, "--json")
    assert 0 < apart["diverged"]["pages"] < 30
    assert main(["snapshot", "diff", str(late), str(late)]) == statuses.DONE


def test_what_is_in_a_file_is_told_to_people(early: Path, capsys: pytest.CaptureFixture[str]) -> None:
    capsys.readouterr()
    assert main(["snapshot", "info", str(early)]) == statuses.DONE
    words = capsys.readouterr().out
    assert "early: pebble-clean with 16 MiB, taken under trap_emulate as VM A" in words
    assert "of 4,096 pages, " in words
    assert f"It can go on under: {', '.join(kinds_for())}." in words


@needs_qemu
def test_its_disk_boots_elsewhere(early: Path, tmp_path: Path) -> None:
    late, image, again = tmp_path / "late.ringvm", tmp_path / "disk.img", tmp_path / "again.ringvm"
    assert main(["run", str(early), "--snapshot", str(late), "--json"]) == 0
    assert main(["snapshot", "disk", str(late), str(image)]) == statuses.DONE
    written = image.read_bytes()
    there, ended = qemu("pebble-clean", "-append", "run=writer", "-drive", f"file={image},format=raw,if=ide")
    assert ended == 1  # that is status 0
    image.write_bytes(written)
    given = ["run", *PEBBLE, "--disk", str(image), "--snapshot", str(again), "--json"]
    assert main(given) == 0
    assert after_head(there) == after_head(open_vm(again)[1].console.decode().replace("\r\n", "\n"))
    assert "blank" not in there


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        (["run", "{early}", "--append", "x"], "A VM that goes on has its command line, disk and modules already."),
        (["run", "{early}", "--vmm", "paravirt"], "was written for"),
        (["run", "hello", "--snapshot", "{early}"], "There is a file already."),
        (["snapshot", "info", "{early}.none"], "The VM cannot be read: No such file"),
        (["snapshot", "info", "pyproject.toml"], "This is no VM file."),
        (["snapshot", "disk", "{early}", "{early}"], "there is a file already"),
    ],
)
def test_bad_input_is_one_sentence(
    early: Path, given: list[str], sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    capsys.readouterr()
    assert main([each.format(early=early) for each in given]) == statuses.USER_ERROR
    words = capsys.readouterr().err
    assert sentence in words
    assert words.count("\n") == 1
