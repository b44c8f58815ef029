"""What a person gets wrong is one clear sentence with place and mend, and status 2; never a traceback."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest

from app.__main__ import main
from app.cli import statuses
from tests.bench import loops


def refused(capfd: pytest.CaptureFixture[str], *arguments: str | Path) -> str:
    assert main([str(argument) for argument in arguments]) == statuses.USER_ERROR
    out, err = capfd.readouterr()
    assert out == ""
    assert err.startswith("ringside: ")
    assert err.count("\n") == 1
    assert "Traceback" not in err
    assert err.rstrip().endswith(".")
    return err


def test_a_missing_image(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "missing.elf"
    assert str(path) in refused(capfd, "run", path)


def test_no_guest_of_that_name(capfd: pytest.CaptureFixture[str]) -> None:
    sentence = refused(capfd, "run", "helo")
    assert "helo" in sentence
    assert "hello" in sentence


@pytest.mark.parametrize("length", [3, 20, 60, 84])
def test_a_truncated_elf(length: int, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "short.elf"
    path.write_bytes(loops.elf(loops.WORK)[:length])
    assert str(path) in refused(capfd, "run", path)


def test_a_64_bit_elf(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "wide.elf"
    header = struct.pack("<16sHHIQQQIHHHHHH", b"\x7fELF\x02\x01\x01", 2, 62, 1, 0, 64, 0, 0, 64, 56, 0, 0, 0, 0)
    path.write_bytes(header)
    sentence = refused(capfd, "run", path)
    assert "64-bit" in sentence
    assert str(path) in sentence


def test_an_image_larger_than_memory(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "large.elf"
    path.write_bytes(loops.elf(loops.ENDLESS, size=1 << 30))
    assert "MiB" in refused(capfd, "run", path)


@pytest.mark.parametrize("command", ["run", "assemble"])
def test_assembly_with_an_error(command: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "wrong.s"
    path.write_text("_start:\n    nop\n    mov eax,\n")
    output = tmp_path / "wrong.elf"
    sentence = refused(capfd, command, path, *(("-o", output) if command == "assemble" else ()))
    assert "wrong.s:3:" in sentence
    assert not output.exists()


def test_an_unknown_kind(capfd: pytest.CaptureFixture[str]) -> None:
    sentence = refused(capfd, "run", "hello", "--vmm", "magic")
    assert "magic" in sentence
    assert "trap_emulate" in sentence


def test_an_unknown_lesson(capfd: pytest.CaptureFixture[str]) -> None:
    assert "no such lesson" in refused(capfd, "lesson", "check", "no such lesson")


def test_a_lesson_with_an_unknown_field(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "lesson.toml").write_text('title = "T"\nsumary = "S"\n')
    sentence = refused(capfd, "lesson", "check", tmp_path)
    assert "sumary" in sentence
    assert "lesson.toml:2" in sentence


def test_an_unknown_benchmark(capfd: pytest.CaptureFixture[str]) -> None:
    assert "run.raw" in refused(capfd, "bench", "run.rwa")


def test_an_unknown_theme(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    sentence = refused(capfd, "screenshot", "--guest", "hello", "--theme", "pink", tmp_path / "x.png")
    assert "pink" in sentence
    assert "dark" in sentence


@pytest.mark.parametrize(
    "arguments",
    [
        ("run",),
        ("run", "hello", "--max-instructions", "0"),
        ("run", "hello", "--max-instructions", "many"),
        ("walk", "hello"),
        ("assemble", "x.s"),
        ("screenshot", "--guest", "hello", "--size", "big", "x.png"),
        ("screenshot", "--guest", "hello", "--size", "0x10", "x.png"),
        ("screenshot", "--guest", "hello", "--after", "-1", "x.png"),
    ],
)
def test_arguments_that_cannot_be_understood(arguments: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == statuses.USER_ERROR
    assert "usage: ringside" in capsys.readouterr().err
