"""The documents tell the truth: their links lead somewhere, and the keys they name are the window's."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from app.controllers.actions import ACTIONS

ROOT = Path(__file__).parents[2]
DOCUMENTS = ["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "CHANGELOG.md"]


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_link_leads_to_a_file(document: str) -> None:
    text = (ROOT / document).read_text(encoding="utf-8")
    targets = [target for target in re.findall(r"\]\(([^)\s]+)\)", text) if "://" not in target]
    assert targets or document == "CHANGELOG.md"
    assert not [target for target in targets if not (ROOT / target.partition("#")[0]).is_file()]


def test_the_readme_names_the_keys_of_the_window() -> None:
    table = (ROOT / "README.md").read_text(encoding="utf-8").partition("## Keys")[2].partition("\n## ")[0]
    told = {key for row in re.findall(r"^\| ([^|]+) \|", table, re.MULTILINE)[1:] for key in row.split(", ")}
    assert told == {key for spec in ACTIONS.values() for key in spec.keys}
