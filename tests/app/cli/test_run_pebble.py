"""`ringside run` with a command line and a disk, as a script would call it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from app.__main__ import main


def ran(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str, str]:
    """Exit status, standard output, standard error."""
    status = main(["run", *words])
    said = capsys.readouterr()
    return status, said.out, said.err


@pytest.mark.parametrize(("image", "kind"), [("pebble", "bare"), ("pebble-clean", "trap_emulate")])
def test_a_program_is_named_on_the_guests_command_line(
    capsys: pytest.CaptureFixture[str], image: str, kind: str
) -> None:
    status, out, _ = ran(capsys, image, "--vmm", kind, "--append", "run=primes 1000", "--json")
    told = json.loads(out)
    assert status == 0
    assert told["end"] == {"how": "exit", "status": 0}
    assert told["console"].endswith("primes: 168 up to 1000\r\n")


def test_the_guests_status_is_the_commands(capsys: pytest.CaptureFixture[str]) -> None:
    assert ran(capsys, "pebble", "--append", "run=fault invalid", "--json")[0] == 134


def test_a_disk_is_read_and_its_file_stays_as_it_was(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    disk = tmp_path / "disk.img"
    disk.write_bytes(bytes(1024 * 512))
    status, out, _ = ran(capsys, "pebble", "--append", "run=writer", "--disk", str(disk), "--json")
    assert status == 0
    assert "2000 bytes written and read, 0 wrong" in json.loads(out)["console"]
    assert disk.read_bytes() == bytes(1024 * 512)


def test_a_command_line_that_only_the_guest_finds_too_long_is_told_by_the_guest(
    capsys: pytest.CaptureFixture[str],
) -> None:
    status, out, _ = ran(capsys, "pebble", "--append", "x" * 300)
    assert status == 127
    assert "panic: the command line has 300 characters, more than 255" in out


def test_modules_are_given_under_any_kind_and_compared(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    (tmp_path / "one.txt").write_bytes(b"x" * 100)
    words = ["pebble-clean", "--append", "run=modules", "--module", str(tmp_path / "one.txt"), "--json"]
    assert "modules: one.txt, 100 bytes" in json.loads(ran(capsys, *words)[1])["console"]
    assert main(["compare", *words, "--kinds", "trap_emulate"]) == 0
    compared = json.loads(capsys.readouterr().out)["kinds"]["trap_emulate"]
    assert compared["first_difference"] is None
    assert "modules: one.txt, 100 bytes" in compared["console"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["pebble", "--disk", "missing.img"], "cannot be read"),
        (["pebble", "--disk", "odd.img"], "no whole number of sectors"),
        (["hello", "--append", "run=x"], "no multiboot header"),
        (["pebble", "--append", "x" * 5000], "room for 4096"),
        (["pebble", "--disk", "."], "is a folder"),
        (["pebble", "--disk", "empty.img"], "is empty"),
        (["pebble", "--module", "missing.bin"], "The module is not there"),
        (["pebble", "--module", "big.bin"], "are left for it"),
        (["hello", "--module", "odd.img"], "no multiboot header"),
    ],
)
def test_bad_input_is_one_sentence_and_status_2(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: list[str], said: str
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("odd.img").write_bytes(b"x" * 700)
    Path("empty.img").touch()
    Path("big.bin").write_bytes(bytes(20 << 20))
    status, _, err = ran(capsys, *words)
    assert status == 2
    assert said in err
    assert err.count("\n") == 1


def test_a_disk_is_made_written_by_the_guest_and_saved_when_asked(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    disk, other = str(tmp_path / "disk.img"), str(tmp_path / "other.img")
    assert main(["disk", disk]) == 0
    assert "2,048 sectors" in capsys.readouterr().out
    words = ["pebble", "--append", "run=writer", "--disk", disk, "--json"]
    assert ran(capsys, *words, "--save-disk", other)[0] == 0
    assert Path(disk).read_bytes() == bytes(1 << 20)
    assert ran(capsys, *words, "--save-disk", disk)[0] == 0
    assert Path(disk).read_bytes() == Path(other).read_bytes() != bytes(1 << 20)
    status, _, err = ran(capsys, *words, "--save-disk", other)
    assert (status, "There is a file already" in err) == (2, True)
    status, _, err = ran(capsys, "pebble", "--save-disk", other)
    assert (status, "no disk to save" in err) == (2, True)
    assert main(["disk", disk]) == 2
