"""The launcher: from a fresh checkout to a running program, and a clear sentence wherever that fails."""

from __future__ import annotations

import ast
import io
import runpy
import subprocess
import sys
import zipfile
from hashlib import sha256
from importlib.util import find_spec
from pathlib import Path

import pytest
from elftools.elf.elffile import ELFFile

from app.launcher import start, system_libraries
from app.launcher.environment import Environment, Extent, SetUpError
from app.launcher.pip_faults import explain
from app.launcher.pip_progress import PipProgress, ProgressLine
from app.launcher.start import Screen, settings_for, understand
from app.launcher.system_libraries import MissingLibrary, NoDisplay, missing, platforms, require

ROOT = Path(__file__).parents[1]


# -- ringside.py


def test_an_old_python_is_told_in_words(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(sys, "version_info", (3, 9, 18, "final", 0))
    with pytest.raises(SystemExit) as left:
        runpy.run_path(str(ROOT / "ringside.py"), run_name="__main__")
    assert left.value.code == 2
    assert "needs Python 3.11 or newer, and this is Python 3.9" in capsys.readouterr().err


def test_an_old_python_can_read_the_file_that_tells_it() -> None:
    ast.parse((ROOT / "ringside.py").read_text(encoding="utf-8"), feature_version=(3, 4))


def test_the_launcher_needs_only_the_standard_library() -> None:
    program = f"import sys; sys.path.insert(0, {str(ROOT)!r}); import app.launcher.start; print(*sys.modules)"
    ran = subprocess.run([sys.executable, "-I", "-S", "-c", program], capture_output=True, text=True, check=True)
    foreign = {name.partition(".")[0] for name in ran.stdout.split()} - sys.stdlib_module_names - {"app", "core"}
    assert foreign <= {"__main__"}


# -- what was asked for


def test_no_arguments_open_the_window() -> None:
    wish = understand([])
    assert (wish.arguments, wish.extent, wish.screen) == (("-P", "-m", "app"), Extent.RUN, Screen.REAL)


def test_test_runs_pytest_in_the_checkout_without_a_screen() -> None:
    wish = understand(["test", "-k", "delivery"])
    assert wish.arguments == ("-P", "-m", "pytest", "-k", "delivery")
    assert wish.extent is Extent.DEV
    assert wish.from_checkout
    assert settings_for(wish, {})["QT_QPA_PLATFORM"] == "offscreen"


@pytest.mark.parametrize("arguments", [["run", "hello", "--vmm", "bare"], ["--help"], ["lesson", "check"]])
def test_everything_else_is_the_command_line_and_needs_no_screen(arguments: list[str]) -> None:
    wish = understand(arguments)
    assert wish.arguments == ("-P", "-m", "app", *arguments)
    assert wish.screen is Screen.NONE


def test_a_platform_that_the_person_chose_stays() -> None:
    assert settings_for(understand(["test"]), {"QT_QPA_PLATFORM": "xcb"})["QT_QPA_PLATFORM"] == "xcb"


def test_settings_for_other_pythons_do_not_reach_the_program() -> None:
    assert settings_for(understand([]), {"PYTHONPATH": "/elsewhere", "LANG": "C"}) == {"LANG": "C"}


@pytest.mark.skipif(sys.platform == "win32", reason="Windows waits instead")
def test_the_launcher_becomes_the_program_and_so_has_its_status() -> None:
    program = (
        f"import sys; sys.path.insert(0, {str(ROOT)!r}); from app.launcher.start import hand_over; "
        "hand_over([sys.executable, '-c', 'import os; print(os.getpid()); raise SystemExit(7)'], {}); print('back')"
    )
    launcher = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True)
    said, _ = launcher.communicate()
    assert (said, launcher.returncode) == (f"{launcher.pid}\n", 7)


# -- pip's output

LOCK = ["# made by", "numpy==2.4.6 \\", "    --hash=sha256:00", "six==1.0 \\", "colorama==1 ; sys_platform == 'x' \\"]


def test_pip_is_told_as_which_package_of_how_many() -> None:
    progress = PipProgress(LOCK)
    told = [
        progress.sentence()
        for line in (
            "Looking in indexes: somewhere\n",
            "Ignoring colorama: markers \"sys_platform == 'x'\" don't match your environment\n",
            "Collecting numpy==2.4.6 (from -r requirements.lock (line 2))\n",
            "  Downloading numpy-2.4.6-cp311.whl (16.8 MB)\n",
            "Progress 8400000 of 16800000\n",
            "Processing ./wheels/six-1.0-py3-none-any.whl (from -r requirements.lock (line 4))\n",
            "Progress 500 of 9000\n",
            "  Building wheel for six (pyproject.toml): started\n",
            "Installing collected packages: six, numpy\n",
        )
        if progress.read(line)
    ]
    assert told == [
        "Setting up: 1 of 2, numpy",
        "Setting up: 1 of 2, numpy (8 of 17 MB)",
        "Setting up: 2 of 2, six",
        "Setting up: building six",
        "Setting up: installing 2 packages",
    ]


def test_what_is_installed_already_counts() -> None:
    progress = PipProgress(LOCK)
    assert progress.read("Requirement already satisfied: six==1.0 in ./p (from -r requirements.lock (line 4)) (1.0)\n")
    assert progress.sentence() == "Setting up: 1 of 3, six"


def test_off_a_terminal_each_package_is_one_line() -> None:
    out = io.StringIO()
    with ProgressLine(out) as line:
        for sentence in ("a, numpy", "a, numpy (1 of 16 MB)", "a, numpy (2 of 16 MB)", "b, six"):
            line.show(sentence)
    assert out.getvalue() == "a, numpy\nb, six\n"


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_on_a_terminal_one_line_is_repainted_and_wiped() -> None:
    out = Terminal()
    with ProgressLine(out) as line:
        line.show("a, numpy")
        line.show("b, six")
    painted = [text.strip() for text in out.getvalue().split("\r") if text.strip()]
    assert painted == ["a, numpy, 0 s", "b, six, 0 s"]
    assert "\n" not in out.getvalue()


# -- pip's failures


@pytest.mark.parametrize(
    ("output", "word"),
    [
        ("NewConnectionError(': Name or service not known')\nERROR: No matching distribution found for a", "network"),
        ("SSLError('[SSL: CERTIFICATE_VERIFY_FAILED]')\nERROR: No matching distribution found for a", "certificate"),
        ("ERROR: THESE PACKAGES DO NOT MATCH THE HASHES FROM THE REQUIREMENTS FILE.", "not the one"),
        ("OSError: [Errno 28] No space left on device", "disk is full"),
        ("ERROR: No matching distribution found for unicorn==2.1.4", "no package unicorn"),
        ("error: can't find Rust compiler\nERROR: Failed to build 'iced-x86'", "Rust"),
        ("ERROR: Failed building wheel for llvmlite", "llvmlite"),
        ("PermissionError: [WinError 5] Access is denied", "cannot be written"),
        ("something new", "could not be installed"),
    ],
)  # fmt: skip
def test_a_failure_is_one_sentence_and_the_place_of_the_log(output: str, word: str) -> None:
    problem, mend = explain(output, Path("setup.log"))
    assert word in problem
    assert "{" not in problem
    assert mend.endswith("The full log is setup.log.")


# -- the environment, made for real of one small package


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkout whose locks name the packages "tiny" and, for development, "extra"; both lie beside it."""
    root = tmp_path_factory.mktemp("check out é")
    tiny, extra = wheel(root, "tiny"), wheel(root, "extra")
    (root / Extent.RUN).write_text(f"# a lock\n{tiny}", encoding="utf-8")
    (root / Extent.DEV).write_text(f"# a lock\n{tiny}{extra}", encoding="utf-8")
    (root / "ours.py").touch()
    return root


def wheel(root: Path, name: str) -> str:
    """Build a package of one empty module. Returns its entry in a lock."""
    built = io.BytesIO()
    info = f"{name}-1.0.dist-info"
    with zipfile.ZipFile(built, "w") as archive:
        archive.writestr(zipfile.ZipInfo(f"{name}.py"), "")
        archive.writestr(zipfile.ZipInfo(f"{info}/METADATA"), f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
        archive.writestr(
            zipfile.ZipInfo(f"{info}/WHEEL"), "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        archive.writestr(zipfile.ZipInfo(f"{info}/RECORD"), "")
    (root / f"{name}-1.0-py3-none-any.whl").write_bytes(built.getvalue())
    return f"{name}==1.0 \\\n    --hash=sha256:{sha256(built.getvalue()).hexdigest()}\n"


@pytest.fixture(autouse=True)
def index(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if "checkout" in request.fixturenames:
        monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null" if sys.platform != "win32" else "nul")
        monkeypatch.setenv("PIP_NO_INDEX", "1")
        monkeypatch.setenv("PIP_FIND_LINKS", request.getfixturevalue("checkout").as_uri())


def imports(made: Environment, names: str) -> bool:
    return not subprocess.run([made.python, "-c", f"import {names}"], cwd="/", capture_output=True).returncode


def test_from_nothing_to_ready_and_from_run_to_development(checkout: Path) -> None:
    made = Environment(checkout)
    made.make_ready(Extent.RUN)
    assert imports(made, "tiny, ours")
    assert not imports(made, "extra")

    untouched = made.python.lstat().st_mtime_ns, (made.folder / "pyvenv.cfg").stat().st_mtime_ns
    made.make_ready(Extent.DEV)
    assert imports(made, "tiny, extra, ours")
    assert made.holds(Extent.RUN)
    assert untouched == (made.python.lstat().st_mtime_ns, (made.folder / "pyvenv.cfg").stat().st_mtime_ns)
    assert "Successfully installed extra-1.0" in made.log.read_text(encoding="utf-8")


def test_a_ready_environment_starts_no_process(checkout: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = Environment(checkout)
    made.make_ready(Extent.DEV)
    monkeypatch.setattr(subprocess, "Popen", None)
    monkeypatch.setattr(subprocess, "run", None)
    made.make_ready(Extent.RUN)
    made.make_ready(Extent.DEV)


def test_another_lock_or_another_python_makes_it_unready(checkout: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = Environment(checkout)
    made.make_ready(Extent.RUN)
    lock = checkout / Extent.RUN
    before = lock.read_bytes()
    lock.write_bytes(before + b"# another\n")
    assert not made.holds(Extent.RUN)
    lock.write_bytes(before.replace(b"\n", b"\r\n"))
    assert made.holds(Extent.RUN)
    lock.write_bytes(before)
    monkeypatch.setattr(sys, "version_info", type("Newer", (), {"major": 4, "minor": 0}))
    assert not made.holds(Extent.RUN)


def test_what_failed_half_way_is_told_and_made_anew(checkout: Path) -> None:
    made = Environment(checkout)
    made.make_ready(Extent.RUN)
    lock = checkout / Extent.DEV
    good = lock.read_bytes()
    lock.write_bytes(good.replace(b"--hash=sha256:", b"--hash=sha256:0000"))
    with pytest.raises(SetUpError, match="not the one that Ringside was tested with"):
        made.make_ready(Extent.DEV)
    assert not made.holds(Extent.RUN), "what failed half-way is not trusted"

    half_installed = made.folder / "half-installed"
    half_installed.touch()
    lock.write_bytes(good)
    made.make_ready(Extent.RUN)
    assert made.holds(Extent.RUN)
    assert not half_installed.exists()


@pytest.fixture
def bare(tmp_path: Path) -> Path:
    """A checkout with locks and nothing else."""
    for extent in Extent:
        (tmp_path / extent).touch()
    return tmp_path


def test_an_environment_of_somebody_else_is_left_alone(bare: Path) -> None:
    theirs = bare / ".venv" / "pyvenv.cfg"
    theirs.parent.mkdir()
    theirs.touch()
    with pytest.raises(SetUpError, match="did not make"):
        Environment(bare).make_ready(Extent.RUN)
    assert theirs.exists()


def test_a_python_without_venv_is_told_the_package(bare: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(SetUpError, match=r"sudo apt install python3\.\d+-venv"):
        Environment(bare).make_ready(Extent.RUN)


def test_a_checkout_that_is_not_whole_is_told_by_the_file_that_is_missing(bare: Path) -> None:
    (bare / Extent.RUN).unlink()
    with pytest.raises(SetUpError, match=r"requirements\.lock: The environment cannot be made: No such file"):
        Environment(bare).make_ready(Extent.RUN)


def test_a_stamp_that_was_damaged_is_none(bare: Path) -> None:
    environment = Environment(bare)
    environment.folder.mkdir()
    (environment.folder / "ready").write_bytes(b"\xff\xfe")
    assert not environment.holds(Extent.RUN)


def test_a_failure_is_told_on_stderr_and_by_the_status(bare: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (bare / ".venv").write_text("a file")
    assert start.start(str(bare), []) == start.FAILED
    assert capsys.readouterr().err.startswith("ringside: ")


# -- libraries of the system


def all_but(*sonames: str) -> object:
    return lambda soname: soname not in sonames


def test_a_missing_library_is_named_with_its_packages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(system_libraries, "_distribution", lambda: "debian")
    with pytest.raises(MissingLibrary, match=r"libxcb-cursor\.so\.0\. .*sudo apt install libxcb-cursor0;"):
        require({"DISPLAY": ":0"}, all_but("libxcb-cursor.so.0"))
    monkeypatch.setattr(system_libraries, "_distribution", lambda: "rocky rhel fedora")
    with pytest.raises(MissingLibrary, match="sudo dnf install glib2;"):
        require({"DISPLAY": ":0"}, all_but("libglib-2.0.so.0", "libgthread-2.0.so.0"))


def test_only_what_the_platform_needs_is_asked_for() -> None:
    require({"QT_QPA_PLATFORM": "offscreen"}, all_but("libxcb-cursor.so.0", "libwayland-client.so.0"))
    with pytest.raises(MissingLibrary, match="libEGL"):
        require({"QT_QPA_PLATFORM": "offscreen"}, all_but("libEGL.so.1"))


def test_one_usable_display_of_two_is_enough() -> None:
    require({"WAYLAND_DISPLAY": "wayland-0", "DISPLAY": ":0"}, all_but("libwayland-client.so.0"))


def test_without_a_display_the_window_is_refused_in_words() -> None:
    with pytest.raises(NoDisplay, match="neither DISPLAY nor WAYLAND_DISPLAY"):
        require({})


def test_a_chosen_platform_may_carry_fallbacks_and_options() -> None:
    assert platforms({"QT_QPA_PLATFORM": "wayland:foo=1;xcb", "DISPLAY": ":0"}) == ["wayland", "xcb"]


@pytest.mark.skipif(sys.platform != "linux", reason="Qt brings all it needs elsewhere")
@pytest.mark.parametrize(
    ("platform", "files"),
    [
        ("offscreen", ["QtWidgets.abi3.so", "QtSvg.abi3.so", "Qt/plugins/platforms/libqoffscreen.so"]),
        ("xcb", ["Qt/plugins/platforms/libqxcb.so"]),
        ("wayland", ["Qt/plugins/platforms/libqwayland.so"]),
    ],
)
def test_the_table_names_all_that_the_installed_qt_links_to(platform: str, files: list[str]) -> None:
    spec = find_spec("PySide6")
    assert spec is not None
    assert spec.origin is not None
    package = Path(spec.origin).parent
    of_every_linux = {"libc.so.6", "libm.so.6", "libdl.so.2", "libpthread.so.0", "librt.so.1", "libgcc_s.so.1"}
    of_every_linux |= {"libstdc++.so.6", "ld-linux-x86-64.so.2", "ld-linux-aarch64.so.1"}
    tabled = {library.soname for library in missing(platform, lambda soname: False)}
    assert not outside(package, files) - of_every_linux - tabled


def outside(package: Path, files: list[str]) -> set[str]:
    """The libraries that these files of PySide6 link to, however deep, and that PySide6 does not bring."""
    brought = {file.name: file for folder in (package, package / "Qt/lib") for file in folder.glob("*.so*")}
    seen: set[str] = set()
    left = [package / name for name in files]
    while left:
        with left.pop().open("rb") as stream:
            dynamic = ELFFile(stream).get_section_by_name(".dynamic")
            needed = {tag.needed for tag in dynamic.iter_tags("DT_NEEDED")} - seen
        seen |= needed
        left += [brought[name] for name in needed & brought.keys()]
    return {name for name in seen - brought.keys() if not name.startswith("libshiboken6")}
