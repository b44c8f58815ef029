"""The environment in .venv: when it is good, how it is made and mended.

A stamp says which Python made it and which locks it holds. The stamp goes before anything is changed and comes back
after all went well, so a set-up that was cut short leaves none, and the next start makes the environment anew. Only a
folder that carries our mark is ever emptied.
"""

from __future__ import annotations

import contextlib
import errno
import importlib.util
import os
import re
import shutil
import subprocess
import sys
import sysconfig
import time
from collections.abc import Iterator
from enum import StrEnum
from hashlib import sha256
from pathlib import Path
from typing import IO

from app.launcher.pip_faults import explain
from app.launcher.pip_progress import PipProgress, ProgressLine
from core.errors import UserError

MARK = "made-by-ringside"
STAMP = "ready"
GUARD = "setup.lock"
LOG = "setup.log"
KEPT = {MARK, GUARD}
HELD_BY_ANOTHER = (errno.EACCES, errno.EDEADLK)  # else it is a file system without locks


class Extent(StrEnum):
    """How much is installed. The development lock holds the other whole, at the same versions."""

    RUN = "requirements.lock"
    DEV = "requirements-dev.lock"


class SetUpError(UserError):
    """The environment cannot be made."""


class Environment:
    """The environment of the checkout at `root`."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.folder = root / ".venv"
        self.python = self.folder.joinpath(*(("Scripts", "python.exe") if os.name == "nt" else ("bin", "python")))
        self.log = self.folder / LOG

    def make_ready(self, extent: Extent) -> None:
        """See to it that everything of `extent` is installed. Raises SetUpError."""
        try:
            self._make_ready(extent)
        except OSError as error:  # a full disk, most likely, or a checkout that is not whole
            place = str(error.filename or self.folder)
            mend = "See that there is room and that you may write there; then start again."
            raise SetUpError(f"The environment cannot be made: {error.strerror or error}.", mend, place) from error

    def _make_ready(self, extent: Extent) -> None:
        if self.holds(extent):
            return
        self._take_folder()
        with one_at_a_time(self.folder / GUARD):
            if self.holds(extent):  # another start did it meanwhile
                return
            began = time.monotonic()
            # Only a whole and present RUN is added to; anything else may hold what an older lock named.
            extends = self.python.exists() and self._stamp() == self._stamp_of(Extent.RUN)
            (self.folder / STAMP).unlink(missing_ok=True)
            if not extends:
                self._make_anew()
            self._install(extent)
            took = time.monotonic() - began
            print(f"Set up in {took:.0f} s; later starts go straight on.", flush=True)

    def holds(self, extent: Extent) -> bool:
        """Whether everything of `extent` is installed, by this Python, from the present lock."""
        return set(self._stamp_of(extent)) <= set(self._stamp()) and self.python.exists()

    def _stamp(self) -> list[str]:
        """What the environment holds; nothing while it is not whole."""
        try:
            return (self.folder / STAMP).read_text(encoding="utf-8").splitlines()
        except (OSError, UnicodeDecodeError):
            return []

    def _stamp_of(self, extent: Extent) -> list[str]:
        """What the stamp says when everything of `extent` is installed."""
        held = [Extent.RUN] if extent is Extent.RUN else [Extent.RUN, Extent.DEV]
        # Read as text, since Git may have given the locks Windows line endings.
        locks = [(each, (self.root / each).read_text(encoding="utf-8").encode()) for each in held]
        python = f"{sys.implementation.name} {sys.version_info.major}.{sys.version_info.minor}"
        return [python, *(f"{each} {sha256(lock).hexdigest()}" for each, lock in locks)]

    def _take_folder(self) -> None:
        """Make the folder ours, unless it is somebody else's."""
        if self.folder.is_dir() and any(self.folder.iterdir()) and not (self.folder / MARK).exists():
            raise SetUpError(
                "This folder holds an environment that Ringside did not make.",
                "Move it away or delete it, then start again.",
                str(self.folder),
            )
        try:
            self.folder.mkdir(exist_ok=True)
            (self.folder / MARK).touch()
        except OSError as error:
            raise SetUpError(
                f"The environment cannot be made here: {error.strerror}.",
                "Put the checkout where you may write.",
                str(self.folder),
            ) from error

    def _make_anew(self) -> None:
        if importlib.util.find_spec("venv") is None or importlib.util.find_spec("ensurepip") is None:
            version = f"python3.{sys.version_info.minor}"
            raise SetUpError(
                "This Python cannot make environments: its modules venv and ensurepip are missing.",
                f"On Debian and Ubuntu: sudo apt install {version}-venv (or python3-venv); then start again.",
            )
        print("Setting up Ringside in .venv, for the first time or anew; up to 200 MB are downloaded.", flush=True)
        self._empty()
        # The interpreter beneath, since the one that runs may be of the environment that was just emptied.
        python = getattr(sys, "_base_executable", sys.executable)
        made = subprocess.run(
            [python, "-m", "venv", str(self.folder)],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
        )
        self.log.write_text(made.stdout + made.stderr, encoding="utf-8")
        if made.returncode:
            raise SetUpError("Python could not make an environment.", "Its own words are in this file.", str(self.log))
        self._put_checkout_on_path()

    def _empty(self) -> None:
        try:
            for entry in self.folder.iterdir():
                if entry.name in KEPT:
                    continue
                if entry.is_dir() and not entry.is_symlink():
                    shutil.rmtree(entry)
                else:
                    entry.unlink()
        except OSError as error:
            raise SetUpError(
                "The old environment cannot be removed: something still uses it.",
                "Close every Ringside window and start again.",
                str(error.filename or self.folder),
            ) from error

    def _put_checkout_on_path(self) -> None:
        packages = sysconfig.get_path("purelib", "venv", {"base": str(self.folder), "platbase": str(self.folder)})
        # Relative, so that the checkout may be moved, and plain ASCII whatever the folders above are called.
        way_up = os.path.relpath(os.path.realpath(self.root), os.path.realpath(packages))
        Path(packages, "ringside.pth").write_text(way_up + "\n", encoding="utf-8")

    def _install(self, extent: Extent) -> None:
        lock = self.root / extent
        progress = PipProgress(lock.read_text(encoding="utf-8").splitlines())
        command = [str(self.python), "-u", "-m", "pip", "install", "--no-input", "--disable-pip-version-check"]
        command += ["--no-deps", "--require-hashes", "--progress-bar", self._progress_style(), "-r", str(lock)]
        with self.log.open("a", encoding="utf-8") as log, ProgressLine() as line:
            status = _run_pip(command, progress, line, log)
        if status:
            raise SetUpError(*explain(self.log.read_text(encoding="utf-8"), self.log))
        (self.folder / STAMP).write_text("\n".join(self._stamp_of(extent)) + "\n", encoding="utf-8")

    def _progress_style(self) -> str:
        """Since 24.1 pip counts bytes for programs."""
        for info in self.folder.glob("**/site-packages/pip-*.dist-info"):
            version = re.match(r"pip-(\d+)\.(\d+)", info.name)
            if version and (int(version[1]), int(version[2])) >= (24, 1):
                return "raw"
        return "off"


def _run_pip(command: list[str], progress: PipProgress, line: ProgressLine, log: IO[str]) -> int:
    settings = {name: value for name, value in os.environ.items() if name not in {"PYTHONPATH", "PYTHONHOME"}}
    # A person's pip may be set to install elsewhere; the index, proxy and certificates they set do count.
    for elsewhere in ("PIP_TARGET", "PIP_PREFIX", "PIP_ROOT"):
        settings.pop(elsewhere, None)
    settings |= {"PIP_USER": "0", "PYTHONIOENCODING": "utf-8"}
    pip = subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env=settings,
        encoding="utf-8",
        errors="replace",
    )
    assert pip.stdout is not None
    try:
        with pip.stdout as output:
            for said in output:
                if progress.read(said):
                    line.show(progress.sentence())
                if not said.startswith("Progress "):
                    log.write(said)
        return pip.wait()
    except BaseException:
        pip.kill()
        pip.wait()
        raise


@contextlib.contextmanager
def one_at_a_time(path: Path) -> Iterator[None]:
    """Hold this file's lock; the system lets go of it however the process ends."""
    with path.open("a+b") as file:
        if not _try_to_hold(file):
            print("Another start is setting Ringside up; waiting for it.", flush=True)
            while not _try_to_hold(file):
                time.sleep(0.2)
        yield


def _try_to_hold(file: IO[bytes]) -> bool:
    if sys.platform == "win32":
        import msvcrt

        file.seek(0)
        try:
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        except OSError as error:
            return error.errno not in HELD_BY_ANOTHER
        return True
    import fcntl

    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        return True  # a file system without locks: better unguarded than never
    return True
