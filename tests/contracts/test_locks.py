"""What is installed is what was tested: the locks follow pyproject.toml, name every file's hash, and no address."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
RUN, DEV = "requirements.lock", "requirements-dev.lock"

# The computers that README.md promises, as their markers see them.
COMPUTERS = [
    {"sys_platform": system, "platform_system": name, "platform_machine": machine, "python_full_version": f"{python}.1"}
    | {"python_version": python, "platform_python_implementation": "CPython", "implementation_name": "cpython"}
    for system, name, machine in (
        ("linux", "Linux", "x86_64"),
        ("linux", "Linux", "aarch64"),
        ("darwin", "Darwin", "arm64"),
        ("darwin", "Darwin", "x86_64"),
        ("win32", "Windows", "AMD64"),
    )
    for python in ("3.11", "3.12", "3.13", "3.14")
]


def pins(lock: str) -> list[Requirement]:
    text = (ROOT / lock).read_text(encoding="utf-8")
    return [Requirement(line.rstrip(" \\")) for line in text.splitlines() if re.match(r"[a-z0-9]", line)]


@pytest.mark.parametrize(
    "computer", COMPUTERS, ids=lambda c: f"{c['sys_platform']}-{c['platform_machine']}-{c['python_version']}"
)
@pytest.mark.parametrize(
    ("lock", "wanted"),
    [
        (RUN, PROJECT["dependencies"]),
        (DEV, PROJECT["dependencies"] + PROJECT["optional-dependencies"]["dev"]),
    ],
    ids=["run", "dev"],
)
def test_a_lock_satisfies_what_the_project_asks_for(lock: str, wanted: list[str], computer: dict[str, str]) -> None:
    locked: dict[str, str] = {}
    for pin in pins(lock):
        if pin.marker is None or pin.marker.evaluate(computer):
            name = canonicalize_name(pin.name)
            assert name not in locked, f"{name} is pinned twice for one computer"
            locked[name] = str(pin.specifier).removeprefix("==")
    for wish in map(Requirement, wanted):
        if wish.marker is None or wish.marker.evaluate(computer):
            version = locked.get(canonicalize_name(wish.name), "nothing")
            assert version in wish.specifier, (
                f"{wish} is asked for, {version} is locked; CONTRIBUTING.md says how to lock"
            )


def test_the_development_lock_holds_the_other_whole() -> None:
    assert {str(pin) for pin in pins(RUN)} <= {str(pin) for pin in pins(DEV)}


@pytest.mark.parametrize("lock", [RUN, DEV])
def test_a_lock_names_hashes_and_no_address(lock: str) -> None:
    text = (ROOT / lock).read_text(encoding="utf-8")
    for entry in re.split(r"\n(?=[a-z0-9])", text)[1:]:
        assert "--hash=sha256:" in entry, entry
    assert not re.search(r"://|@ |^-|(?:^|\s)/\w|\.whl|[a-z]:\\", text, re.MULTILINE | re.IGNORECASE)


def test_the_hooks_before_a_commit_use_the_locked_ruff() -> None:
    hooks = (ROOT / ".pre-commit-config.yaml").read_text(encoding="utf-8")
    locked = next(str(pin) for pin in pins(DEV) if pin.name == "ruff")
    assert set(re.findall(r"ruff==[\d.]+", hooks)) == {locked}
