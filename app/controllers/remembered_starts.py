"""What each guest was started with last, kept in the settings."""

from __future__ import annotations

import json
from dataclasses import asdict

from PySide6.QtCore import QSettings

from core.guests.start import NOTHING, StartWith

KEY = "program/starts"
MOST = 32  # guests; the one started longest ago is forgotten


class RememberedStarts:
    """By the guest's name or path. What cannot be read in the settings counts as never written."""

    def __init__(self, settings: QSettings) -> None:
        self._settings = settings

    def of(self, guest: str) -> StartWith:
        """What it was given last; nothing at first."""
        return self._read().get(guest, NOTHING)

    def remember(self, guest: str, start: StartWith) -> None:
        """It was given this now."""
        starts = self._read()
        starts.pop(guest, None)
        if start != NOTHING:
            starts[guest] = start
        newest = list(starts.items())[-MOST:]
        self._settings.setValue(KEY, json.dumps({name: asdict(one) for name, one in newest}))

    def _read(self) -> dict[str, StartWith]:
        try:
            saved = json.loads(str(self._settings.value(KEY, "{}")))
            return {
                str(guest): StartWith(str(one["command_line"]), str(one["disk"]), tuple(map(str, one["modules"])))
                for guest, one in saved.items()
            }
        except (ValueError, KeyError, TypeError, AttributeError):
            return {}
