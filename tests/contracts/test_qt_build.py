"""The Qt binding keeps count of None.

PySide6 6.12.0 gives None back without having taken it, at every call that returns nothing; below Python 3.12, where
None can die, the process ends after some thousands of calls, anywhere. Whoever raises the version runs this on 3.11.
"""

from __future__ import annotations

import sys

import pytest
from PySide6.QtCore import QObject


@pytest.mark.skipif(sys.version_info >= (3, 12), reason="None cannot die in this Python")
def test_a_call_that_returns_nothing_costs_no_reference_to_none() -> None:
    thing = QObject()
    before = sys.getrefcount(None)
    for _ in range(100):
        thing.setObjectName("a")
    assert sys.getrefcount(None) > before - 50
