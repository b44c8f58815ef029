"""Every error Ringside raises on purpose, as one tree.

    RingsideError
    ├── UserError            the person's input is wrong: one sentence, with the place and the mend
    │   ├── UnknownName      no guest, kind, lesson or view of that name
    │   ├── ImageError       a guest image that cannot be loaded
    │   ├── AssemblyError    guest source that does not assemble
    │   ├── LessonError      a lesson that does not follow the format
    │   ├── CostError        a table of costs that does not follow its format
    │   ├── LabError         a lab file that cannot be opened, or not be written
    │   └── RequestError     a command that makes no sense in the machine's present state
    └── LabFault             Ringside itself, or the CPU it stands on, is wrong: a report worth saving
        ├── CpuLayoutError   the emulated CPU's state is not laid out as this version expects
        ├── UnknownDeparture the CPU left direct execution for a reason nobody handles
        └── EngineLost       the engine process died

A fault *of the guest* (#GP, #PF …) is not an error of ours; see `core.cpu.faults.GuestFault`.
"""

from __future__ import annotations

from dataclasses import dataclass


class RingsideError(Exception):
    """Root of all errors raised on purpose."""


@dataclass
class UserError(RingsideError):
    """Something the person gave cannot be used.

    `problem` says what is wrong, `mend` what to do about it, `place` where it is (``file:line:column`` if known).
    """

    problem: str
    mend: str
    place: str = ""

    def __str__(self) -> str:
        where = f"{self.place}: " if self.place else ""
        return f"{where}{self.problem} {self.mend}".strip()

    def __reduce__(self) -> tuple[type[UserError], tuple[str, str, str]]:
        return type(self), (self.problem, self.mend, self.place)


class UnknownName(UserError):
    """No guest, kind, lesson or view of that name."""


class ImageError(UserError):
    """A guest image that cannot be loaded."""


class AssemblyError(UserError):
    """Guest source that does not assemble."""


class LessonError(UserError):
    """A lesson that does not follow the format."""


class CostError(UserError):
    """A table of costs that does not follow its format."""


class LabError(UserError):
    """A lab file that cannot be opened, or not be written."""


class RequestError(UserError):
    """A command that makes no sense in the machine's present state."""


@dataclass
class LabFault(RingsideError):
    """Ringside, or the CPU it stands on, is wrong. `report` is text worth saving: registers, instruction, cause."""

    problem: str
    report: str = ""

    def __str__(self) -> str:
        return self.problem

    def __reduce__(self) -> tuple[type[LabFault], tuple[str, str]]:
        return type(self), (self.problem, self.report)


class CpuLayoutError(LabFault):
    """The emulated CPU's state is not laid out as this version expects."""


class UnknownDeparture(LabFault):
    """The CPU left direct execution for a reason nobody handles."""


class EngineLost(LabFault):
    """The engine process died."""
