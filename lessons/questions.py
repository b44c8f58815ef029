"""What the window asks the machine about a lesson, and the answer, as they cross the border of processes.

The window sends a `CheckLesson` between its ordinary commands; whoever holds the laboratory answers it by
`lessons.checks.answer`. The answer also says whether the machine is still running, so that the window knows when the
commands before it are done. Both only name what lessons are made of, so that an engine starts without loading it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from core.errors import UserError
    from lessons.acts import Until
    from lessons.asking import Finding
    from lessons.predicates import Predicate


@dataclass(frozen=True, slots=True)
class CheckLesson:
    """Examine `checks` and `options` on the machine as it is now, and fill `explain` with its values.

    `ticket` comes back with the answer. `until` is performed first, bounded in instructions: the one act of a lesson
    that no other command can carry out. Only with it does a `CheckLesson` change the machine.
    """

    ticket: int
    checks: tuple[Predicate, ...] = ()
    options: tuple[Predicate, ...] = ()
    explain: str = ""
    until: Until | None = None


@dataclass(frozen=True, slots=True)
class LessonChecked:
    """The answer, in the order asked.

    running  the machine was still running on its own when it was looked at, and not waiting for input
    error    why nothing could be examined; the findings are then empty
    """

    ticket: int
    checks: tuple[Finding, ...] = ()
    options: tuple[Finding, ...] = ()
    explanation: str = ""
    running: bool = False
    error: UserError | None = None

    @property
    def hold(self) -> bool:
        """Do all checks hold?"""
        return self.error is None and all(finding.holds for finding in self.checks)
