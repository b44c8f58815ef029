"""Packages of tests that a command needs: they are in the checkout, not in an installed Ringside."""

from __future__ import annotations

import importlib
import importlib.util
import sys
from pathlib import Path
from types import ModuleType

from core.errors import RequestError

TESTS = Path(__file__).resolve().parents[2] / "tests"


def from_checkout(place: Path, module: str, what: str, command: str) -> ModuleType:
    """`module` of the package in folder `place`; a RequestError saying that `what` is for `command` in a checkout."""
    if not (place / f"{module}.py").is_file():
        raise RequestError(
            f"{what} are not part of an installed Ringside.",
            f"Clone its repository and run 'python3 ringside.py {command}' there.",
        )
    name = f"ringside_{place.name}"
    if name not in sys.modules:
        spec = importlib.util.spec_from_file_location(
            name, place / "__init__.py", submodule_search_locations=[str(place)]
        )
        assert spec is not None
        assert spec.loader is not None
        package = importlib.util.module_from_spec(spec)
        sys.modules[name] = package
        spec.loader.exec_module(package)
    return importlib.import_module(f"{name}.{module}")
