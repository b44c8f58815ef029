"""Which version this is: of the installed package, or of the checkout."""

from __future__ import annotations

import tomllib
from importlib import metadata
from pathlib import Path

PROJECT_FILE = Path(__file__).resolve().parents[2] / "pyproject.toml"


def version() -> str:
    """The version as a person would name it. A checkout comes first: what is installed may be another one."""
    if PROJECT_FILE.is_file():
        found: str = tomllib.loads(PROJECT_FILE.read_text(encoding="utf-8"))["project"]["version"]
        return found
    return metadata.version("ringside")
