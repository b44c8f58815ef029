"""``ringside run``: the guest's output and status, the JSON that scripts rely on, and what is refused."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from app.__main__ import main
from app.cli import statuses
from app.cli.run import Outcome
from core.events import Cause, EndHow
from core.session import Session
from tests.bench import loops

PATIENCE = 30.0

# out 0xf4, al: ends the run with AL
EXIT_42 = b"\xb0\x2a\xe6\xf4"
HALT = b"\xfa\xf4"
TRIPLE_FAULT = b"\x0f\x0b"  # ud2, and no IDT
# mov dx, 0x3f8; in al, dx … echo one byte: wait until LSR.DR, read, write, exit with it
ECHO = bytes.fromhex("66bafd03 ec a801 74fb 66baf803 ec ee e6f4")


@pytest.fixture
def image(tmp_path: Path) -> Path:
    return tmp_path / "guest.elf"


def run(capfd: pytest.CaptureFixture[str], *arguments: str | Path) -> tuple[int, str, str]:
    status = main(["run", *map(str, arguments)])
    out, err = capfd.readouterr()
    return status, out, err


@pytest.mark.parametrize("kind", ["bare", "trap_emulate"])
def test_the_guest_s_status_is_the_process_s(kind: str, image: Path, capfd: pytest.CaptureFixture[str]) -> None:
    image.write_bytes(loops.elf(EXIT_42))
    status, out, err = run(capfd, image, "--vmm", kind)
    assert status == 42
    assert out == ""
    assert "42" in err
    assert f"under {kind}" in err


def test_json_has_the_shape_that_scripts_rely_on(image: Path, capfd: pytest.CaptureFixture[str]) -> None:
    image.write_bytes(loops.elf(EXIT_42))
    status, out, err = run(capfd, image, "--vmm", "trap_emulate", "--json")
    assert (status, err) == (42, "")
    outcome = json.loads(out)
    assert list(outcome) == ["kind", "end", "instructions", "console", "traps", "wall_s", "mips", "modelled_cycles"]
    assert outcome["kind"] == "trap_emulate"
    assert outcome["end"] == {"how": "exit", "status": 42}
    assert outcome["instructions"] == 2
    assert outcome["console"] == ""
    assert outcome["modelled_cycles"] is None
    assert set(outcome["traps"]) <= {cause.value for cause in Cause}
    assert outcome["wall_s"] > 0
    assert outcome["mips"] == pytest.approx(2 / outcome["wall_s"] / 1e6, abs=0.001)


@pytest.mark.parametrize(
    ("code", "arguments", "how", "status"),
    [
        (HALT, (), "halted", statuses.DONE),
        (loops.ENDLESS, ("--max-instructions", "1000"), "limit", statuses.LIMIT),
        (TRIPLE_FAULT, (), "error", statuses.GUEST_ERROR),
    ],
)
def test_every_way_to_end_has_its_status(
    code: bytes,
    arguments: tuple[str, ...],
    how: str,
    status: int,
    image: Path,
    capfd: pytest.CaptureFixture[str],
) -> None:
    image.write_bytes(loops.elf(code))
    got, out, _ = run(capfd, image, "--json", *arguments)
    assert got == status
    assert json.loads(out)["end"] == {"how": how, "status": None}


def test_the_limit_is_exact(image: Path, capfd: pytest.CaptureFixture[str]) -> None:
    image.write_bytes(loops.elf(loops.ENDLESS))
    _, out, _ = run(capfd, image, "--json", "--max-instructions", "12,345,678")
    assert json.loads(out)["instructions"] == 12_345_678


def test_input_reaches_the_guest_and_its_output_is_ours(image: Path, capfd: pytest.CaptureFixture[str]) -> None:
    image.write_bytes(loops.elf(ECHO))
    status, out, _ = run(capfd, image, "--input", "K")
    assert out == "K"
    assert status == ord("K")


def test_the_same_run_twice_is_the_same(capfd: pytest.CaptureFixture[str]) -> None:
    first, second = (json.loads(run(capfd, "rings", "--vmm", "trap_emulate", "--json")[1]) for _ in range(2))
    for measured in ("wall_s", "mips"):
        del first[measured], second[measured]
    assert first == second


def test_running_needs_no_screen(image: Path) -> None:
    image.write_bytes(loops.elf(EXIT_42))
    code = "import sys; from app.__main__ import main; main(sys.argv[1:]); sys.exit('PySide6' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code, "run", str(image)], check=False).returncode == 0


@pytest.mark.skipif(sys.platform == "win32", reason="there Ctrl-C goes to the whole console")
def test_ctrl_c_ends_an_endless_guest_and_says_how_far_it_was(image: Path) -> None:
    # out 0x3f8, al; jmp $
    image.write_bytes(loops.elf(bytes.fromhex("b02e 66baf803 ee ebfe")))
    with subprocess.Popen(
        [sys.executable, "-m", "app", "run", str(image)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as guest:
        assert guest.stdout is not None
        assert guest.stdout.read(1) == "."
        guest.send_signal(signal.SIGINT)
        _, err = guest.communicate(timeout=PATIENCE)
    assert guest.returncode == statuses.INTERRUPTED
    assert "interrupted" in err
    assert "Traceback" not in err


def test_an_end_that_is_the_lab_s_fault_is_told_as_one(
    image: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    image.write_bytes(loops.elf(TRIPLE_FAULT))
    monkeypatch.setattr(Session, "report", "EIP=00100000")
    status, out, err = run(capfd, image, "--json")
    assert status == statuses.LAB_FAULT
    assert json.loads(out)["end"]["how"] == "error"
    assert err == "EIP=00100000\n"


@pytest.mark.parametrize(
    ("how", "status", "expected"),
    [
        (EndHow.EXIT, 7, 7),
        (EndHow.EXIT, 0, 0),
        (EndHow.EXIT, 0x1FF, 0xFF),
        (EndHow.HALTED, None, 0),
        (EndHow.LIMIT, None, 124),
        (EndHow.ERROR, None, 125),
        (None, None, 130),
    ],
)
def test_exit_statuses(how: EndHow | None, status: int | None, expected: int) -> None:
    assert Outcome("bare", how, status, "", 0, b"", {}, 0.0).exit_status == expected


def test_output_that_is_no_text_is_still_json() -> None:
    outcome = Outcome("bare", EndHow.EXIT, 0, "", 1, b"a\xff\x00", {}, 0.5).as_json()
    assert json.loads(json.dumps(outcome))["console"] == "a\\xff\x00"


def test_modelled_cycles_are_the_counts_times_the_published_costs(capfd: pytest.CaptureFixture[str]) -> None:
    status, out, _ = run(capfd, "privileged", "--vmm", "trap_emulate", "--costs", "pentium4-2006", "--json")
    assert status == 0
    outcome = json.loads(out)
    modelled = outcome["modelled_cycles"]
    assert modelled["generation"] == "pentium4-2006"
    assert modelled["parts"]["direct"] == outcome["instructions"]
    halts_and_refusals = outcome["traps"]["privileged"] + outcome["traps"].get("halt", 0)
    assert modelled["parts"]["emulating"] >= 1141 * halts_and_refusals
    assert modelled["total"] == sum(modelled["parts"].values())


def test_modelled_cycles_are_called_so_for_people(image: Path, capfd: pytest.CaptureFixture[str]) -> None:
    image.write_bytes(loops.elf(EXIT_42))
    _, _, err = run(capfd, image, "--costs", "pentium4-2006")
    assert "Modelled on a Pentium 4, 2006: 3,211 cycles (0 % direct, 100 % io)." in err


def test_costs_of_an_unknown_processor_are_refused(image: Path, capfd: pytest.CaptureFixture[str]) -> None:
    image.write_bytes(loops.elf(EXIT_42))
    status, _, err = run(capfd, image, "--costs", "abacus")
    assert status == statuses.USER_ERROR
    assert "pentium4-2006" in err


def test_translating_ahead_or_without_adapting_is_the_same_run(capfd: pytest.CaptureFixture[str]) -> None:
    outcomes = []
    for options in ((), ("--translate", "ahead"), ("--no-adaptive",)):
        status, out, _ = run(capfd, "privileged", "--vmm", "translation", "--json", *options)
        outcome = json.loads(out)
        outcomes.append((status, outcome["end"], outcome["instructions"], outcome["console"]))
    assert outcomes[0] == outcomes[1] == outcomes[2]


def test_a_kind_that_translates_nothing_cannot_translate_ahead(capfd: pytest.CaptureFixture[str]) -> None:
    status, _, err = run(capfd, "hello", "--vmm", "trap_emulate", "--translate", "ahead")
    assert status != 0
    assert "nothing is translated" in err
