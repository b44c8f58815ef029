"""How far the person has come, kept in one JSON file in their data directory.

The file is replaced in one piece, so a crash leaves the old one or the new one. What cannot be understood is put aside
as ``.bad`` and told, never overwritten.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from core.whole_file import write_whole

Index = Annotated[int, Field(ge=0)]


class LessonProgress(BaseModel):
    """One lesson: the step the person was at, the furthest seen, whether it was finished, first predictions by step."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    at: Index = 0
    furthest: Index = 0
    finished: bool = False
    predictions: dict[Index, bool] = {}


class _Kept(BaseModel):
    model_config = ConfigDict(extra="forbid")

    version: Literal[1] = 1
    lessons: dict[str, LessonProgress] = {}


class Progress:
    """Progress in all lessons. `notice` is a sentence for the person if the file was foreign or cannot be written."""

    def __init__(self, file: Path) -> None:
        self.notice = ""
        self._file = file
        self._may_write = True
        self._kept = self._read()

    def of(self, lesson: str) -> LessonProgress:
        """Progress in the lesson of that name; a fresh one if it was never opened."""
        return self._kept.lessons.get(lesson, LessonProgress())

    def reach(self, lesson: str, step: int) -> None:
        """The person is at `step` now."""
        old = self.of(lesson)
        self._keep(lesson, old.model_copy(update={"at": step, "furthest": max(step, old.furthest)}))

    def predict(self, lesson: str, step: int, right: bool) -> None:
        """The machine judged the person's prediction. Only the first one a step is kept."""
        old = self.of(lesson)
        if step not in old.predictions:
            self._keep(lesson, old.model_copy(update={"predictions": {**old.predictions, step: right}}))

    def finish(self, lesson: str) -> None:
        """The person has gone through the whole lesson; the next time begins at its start."""
        self._keep(lesson, self.of(lesson).model_copy(update={"finished": True, "at": 0}))

    def forget(self, lesson: str) -> None:
        """Begin the lesson as if it had never been opened."""
        if self._kept.lessons.pop(lesson, None):
            self._take_in()
            self._kept.lessons.pop(lesson, None)
            self._write()

    def _keep(self, lesson: str, progress: LessonProgress) -> None:
        if progress != self._kept.lessons.get(lesson):
            self._take_in()
            self._kept.lessons[lesson] = progress
            self._write()

    def _take_in(self) -> None:
        """What another window has kept since: it is not to be written over."""
        if self._may_write and self._file.exists():
            self._kept = _Kept(lessons={**self._kept.lessons, **self._read().lessons})

    def _read(self) -> _Kept:
        try:
            return _Kept.model_validate_json(self._file.read_bytes())
        except FileNotFoundError:
            return _Kept()
        except OSError as error:
            self.notice = f"Your progress in the lessons cannot be read ({error.strerror}): {self._file}."
            self._may_write = False
        except ValidationError:
            aside = self._file.with_name(self._file.name + ".bad")
            self.notice = (
                f"The file with your progress in the lessons could not be understood. It is kept as {aside}, "
                f"and the lessons begin anew."
            )
            try:
                os.replace(self._file, aside)
            except OSError:
                self.notice = f"The file with your progress in the lessons could not be understood: {self._file}."
                self._may_write = False
        return _Kept()

    def _write(self) -> None:
        if not self._may_write:
            return
        try:
            self._file.parent.mkdir(parents=True, exist_ok=True)
            write_whole(self._file, self._kept.model_dump_json(indent=2).encode())
        except OSError as error:
            self.notice = f"Your progress in the lessons cannot be kept ({error.strerror}): {self._file}."
