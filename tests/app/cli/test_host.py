"""``ringside host``: consoles marked by letter, shares at the end, JSON, and what is refused."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from app.__main__ import main
from app.cli import statuses
from app.cli.host import Wish, parse
from core.errors import RequestError
from tests.bench import loops


def host(capfd: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    status = main(["host", *arguments])
    out, err = capfd.readouterr()
    return status, out, err


@pytest.fixture
def greedy(tmp_path: Path) -> str:
    image = tmp_path / "greedy.elf"
    image.write_bytes(loops.elf(loops.ENDLESS))
    return str(image)


def test_each_line_of_a_console_is_marked_and_the_shares_come_at_the_end(capfd: pytest.CaptureFixture[str]) -> None:
    status, out, err = host(capfd, "hello", "pebble-clean:append=run=counter 2,weight=3")
    assert status == statuses.DONE
    assert "A| Hello" in out
    assert "B| counter: 1\nB| counter: 2\n" in out
    assert "shared by 2:" in err
    assert "B  pebble-clean under trap_emulate, weight 3:" in err


def test_json_tells_all_of_each(capfd: pytest.CaptureFixture[str], greedy: str) -> None:
    status, out, _ = host(capfd, greedy, f"{greedy}:weight=3", "--json", "--max-instructions", "400000")
    told = json.loads(out)
    assert status == statuses.LIMIT
    assert (told["stop"], told["instructions"]) == ("budget", 400_000)
    assert told["world_switches"] > 5
    assert told["vms"]["A"]["share"] == pytest.approx(0.25, abs=0.05)
    assert (told["vms"]["B"]["weight"], told["vms"]["B"]["end"]) == (3, None)


def test_what_is_typed_goes_to_each(capfd: pytest.CaptureFixture[str]) -> None:
    arguments = ("pebble-clean", "pebble-clean", "--input", "echo hi\\n", "--max-instructions", "2600000")
    _, out, _ = host(capfd, *arguments)
    assert "A| $ hi\n" in out
    assert "B| $ hi\n" in out


def test_a_wish_is_understood_or_refused_with_a_mend() -> None:
    assert parse("pebble-clean:append=run=primes 100,cap=20,memory=8", "hardware") == Wish(
        "pebble-clean", "hardware", 8 << 20, 1, 20, "run=primes 100"
    )
    for text, why in (("hello:colour=red", "not understood"), ("hello:cap=much", "no whole number")):
        with pytest.raises(RequestError, match=why):
            parse(text, "bare")


def test_what_cannot_be_is_told_in_a_sentence(capfd: pytest.CaptureFixture[str]) -> None:
    for arguments, why in (
        (("hello", "hello:kind=bare"), "has it for itself"),
        (("hello", "hello:memory=500"), "are free for it"),
        (("hello:weight=0",), "A weight of 0"),
    ):
        status, out, err = host(capfd, *arguments)
        assert status == statuses.USER_ERROR
        assert out == ""
        assert why in err


def test_a_vms_file_goes_on_twice_beside_itself(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "early.ringvm"
    given = ["run", "hello", "--vmm", "bare", "--max-instructions", "100", "--snapshot", str(file)]
    assert main(given) == statuses.LIMIT
    capfd.readouterr()
    status, out, _ = host(capfd, str(file), f"{file}:kind=hardware,weight=2", "--json")
    vms = json.loads(out)["vms"]
    assert status == statuses.DONE
    assert [(vm["kind"], vm["end"]["status"]) for vm in vms.values()] == [("trap_emulate", 0), ("hardware", 0)]
    assert vms["A"]["console"] == vms["B"]["console"]
    assert host(capfd, f"{file}:memory=4")[0] == statuses.USER_ERROR
