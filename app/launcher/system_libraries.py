"""What Qt needs of a Linux system, and which package brings it.

PySide6 carries Qt itself but not the libraries of the desktop beneath; without one of them the import fails, or Qt
ends the process. Asked beforehand, the loader tells which one it is. A test that reads what the installed Qt links to
holds the table complete.

    python3 -m app.launcher.system_libraries offscreen      prints the Debian packages that are missing
"""

from __future__ import annotations

import ctypes
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from core.errors import UserError


class MissingLibrary(UserError):
    """A library of the system that Qt needs is not installed."""


class NoDisplay(UserError):
    """There is nowhere to open a window."""


@dataclass(frozen=True, slots=True)
class Library:
    """A shared library, and the packages that bring it."""

    soname: str
    debian: str
    fedora: str


EVERYWHERE = (
    Library("libEGL.so.1", "libegl1", "libglvnd-egl"),
    Library("libGL.so.1", "libgl1", "libglvnd-glx"),
    Library("libX11.so.6", "libx11-6", "libX11"),
    Library("libdbus-1.so.3", "libdbus-1-3", "dbus-libs"),
    Library("libfontconfig.so.1", "libfontconfig1", "fontconfig"),
    Library("libfreetype.so.6", "libfreetype6", "freetype"),
    Library("libglib-2.0.so.0", "libglib2.0-0", "glib2"),
    Library("libgthread-2.0.so.0", "libglib2.0-0", "glib2"),
    Library("libxkbcommon.so.0", "libxkbcommon0", "libxkbcommon"),
    Library("libz.so.1", "zlib1g", "zlib"),
    Library("libzstd.so.1", "libzstd1", "libzstd"),
)
XCB = (
    Library("libX11-xcb.so.1", "libx11-xcb1", "libX11-xcb"),
    Library("libxcb.so.1", "libxcb1", "libxcb"),
    Library("libxcb-cursor.so.0", "libxcb-cursor0", "xcb-util-cursor"),
    Library("libxcb-icccm.so.4", "libxcb-icccm4", "xcb-util-wm"),
    Library("libxcb-image.so.0", "libxcb-image0", "xcb-util-image"),
    Library("libxcb-keysyms.so.1", "libxcb-keysyms1", "xcb-util-keysyms"),
    Library("libxcb-randr.so.0", "libxcb-randr0", "libxcb"),
    Library("libxcb-render.so.0", "libxcb-render0", "libxcb"),
    Library("libxcb-render-util.so.0", "libxcb-render-util0", "xcb-util-renderutil"),
    Library("libxcb-shape.so.0", "libxcb-shape0", "libxcb"),
    Library("libxcb-shm.so.0", "libxcb-shm0", "libxcb"),
    Library("libxcb-sync.so.1", "libxcb-sync1", "libxcb"),
    Library("libxcb-util.so.1", "libxcb-util1", "xcb-util"),
    Library("libxcb-xfixes.so.0", "libxcb-xfixes0", "libxcb"),
    Library("libxcb-xkb.so.1", "libxcb-xkb1", "libxcb"),
    Library("libxkbcommon-x11.so.0", "libxkbcommon-x11-0", "libxkbcommon-x11"),
)
WAYLAND = (
    Library("libwayland-client.so.0", "libwayland-client0", "libwayland-client"),
    Library("libwayland-cursor.so.0", "libwayland-cursor0", "libwayland-cursor"),
)
OF_PLATFORM = {"xcb": XCB, "wayland": WAYLAND}


def loads(soname: str) -> bool:
    """Whether the system's loader finds this library and all that it needs."""
    try:
        ctypes.CDLL(soname)
    except OSError:
        return False
    return True


def missing(platform: str, present: Callable[[str], bool] = loads) -> list[Library]:
    """What is not there of what Qt's `platform` ("xcb", "wayland", "offscreen" …) needs."""
    return [lib for lib in EVERYWHERE + OF_PLATFORM.get(platform, ()) if not present(lib.soname)]


def platforms(settings: Mapping[str, str]) -> list[str]:
    """The platforms that Qt may use under these environment variables, best first; none without a display."""
    if chosen := settings.get("QT_QPA_PLATFORM"):
        return [name.partition(":")[0] for name in chosen.split(";")]
    return [name for name, display in (("wayland", "WAYLAND_DISPLAY"), ("xcb", "DISPLAY")) if settings.get(display)]


def require(settings: Mapping[str, str], present: Callable[[str], bool] = loads) -> None:
    """Raise MissingLibrary or NoDisplay if Qt cannot start under these environment variables."""
    candidates = platforms(settings)
    if not candidates:
        raise NoDisplay(
            "There is no display to open a window on: neither DISPLAY nor WAYLAND_DISPLAY is set.",
            "Start it from a desktop; its commands work without one, such as 'run rings', and '--help' names them.",
        )
    lacking = [missing(platform, present) for platform in candidates]
    if not all(lacking):
        return
    libraries = min(lacking, key=len)
    names = ", ".join(library.soname for library in libraries)
    raise MissingLibrary(
        f"Qt needs of this system what is not installed: {names}.",
        f"{_command(libraries, _distribution())}; then start again.",
    )


def _command(libraries: Sequence[Library], distribution: str) -> str:
    debian = "sudo apt install " + " ".join(dict.fromkeys(library.debian for library in libraries))
    fedora = "sudo dnf install " + " ".join(dict.fromkeys(library.fedora for library in libraries))
    if "debian" in distribution or "ubuntu" in distribution:
        return f"Install them: {debian}"
    if "fedora" in distribution or "rhel" in distribution:
        return f"Install them: {fedora}"
    return f"Install them (on Debian: {debian}; on Fedora: {fedora})"


def _distribution() -> str:
    try:
        lines = Path("/etc/os-release").read_text(encoding="utf-8").splitlines()
    except OSError:
        return ""
    return " ".join(line.partition("=")[2].strip('"') for line in lines if line.startswith(("ID=", "ID_LIKE=")))


if __name__ == "__main__":
    print(" ".join(dict.fromkeys(library.debian for library in missing(sys.argv[1]))))
