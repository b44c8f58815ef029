"""Every action of the window in one table: its words, its keys, its icon, what it is for.

Menus, toolbar, tooltips and Help → Keyboard all read this table, so that they cannot contradict each other.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from PySide6.QtCore import QObject
from PySide6.QtGui import QAction, QKeySequence

from app.theme import Theme
from app.theme.icons import Icon, icon


class Act(StrEnum):
    """The actions; the value names them in the window's object tree."""

    OPEN = "open"
    SAVE_LAB = "save-lab"
    SAVE_LAB_AS = "save-lab-as"
    START_WITH = "start-with"
    SAVE_DISK = "save-disk"
    IMPORT_VM = "import-vm"
    EXPORT_VM = "export-vm"
    QUIT = "quit"
    RUN = "run"
    STOP = "stop"
    STEP = "step"
    STEP_OVER = "step-over"
    STEP_OUT = "step-out"
    BY_LINE = "by-line"
    RUN_TO_CURSOR = "run-to-cursor"
    STEP_BACK = "step-back"
    RUN_BACK = "run-back"
    BACK_OVER = "back-over"
    BACK_OUT = "back-out"
    BACK_TO_DEPARTURE = "back-to-departure"
    BACK_TO_RING = "back-to-ring"
    BACK_TO_SWITCH = "back-to-switch"
    ON_TO_DEPARTURE = "on-to-departure"
    ON_TO_RING = "on-to-ring"
    ON_TO_SWITCH = "on-to-switch"
    GO_TO_INSTRUCTION = "go-to-instruction"
    UNDO = "undo"
    TAKE_SNAPSHOT = "take-snapshot"
    REVERT = "revert"
    RESET = "reset"
    BREAKPOINT = "breakpoint"
    CLEAR_BREAKPOINTS = "clear-breakpoints"
    SLOWER = "slower"
    FASTER = "faster"
    FULL_SPEED = "full-speed"
    FOLLOW_PC = "follow-pc"
    NEXT_VM = "next-vm"
    PREVIOUS_VM = "previous-vm"
    SWITCH_THEME = "switch-theme"
    TEXT_LARGER = "text-larger"
    TEXT_SMALLER = "text-smaller"
    TEXT_RESET = "text-reset"
    REDUCED_MOTION = "reduced-motion"
    ENLARGE = "enlarge"
    RESET_LAYOUT = "reset-layout"
    KEYBOARD = "keyboard"
    PORTING = "porting"
    ABOUT = "about"


@dataclass(frozen=True, slots=True)
class ActionSpec:
    """`menu` is where it stands; `keys` are portable key sequences, the first one shown; `tip` is one sentence."""

    menu: str
    text: str
    tip: str
    keys: tuple[str, ...] = ()
    icon: Icon | None = None
    checkable: bool = False
    wordless: bool = False  # in the toolbar the icon stands alone


FILE, RUN, TIME, VIEW, HELP = "&File", "&Run", "&Time", "&View", "&Help"

ACTIONS: dict[Act, ActionSpec] = {
    Act.OPEN: ActionSpec(
        FILE,
        "&Open…",
        "Open a lab, a VM that goes on, or a guest: an ELF or flat image, or assembly source.",
        ("Ctrl+O",),
        Icon.OPEN,
    ),
    Act.SAVE_LAB: ActionSpec(
        FILE,
        "&Save lab",
        "Write the whole lab to its file: guests, all that was done to them, where they stand, breakpoints, lesson.",
        ("Ctrl+S",),
    ),
    Act.SAVE_LAB_AS: ActionSpec(FILE, "Save lab &as…", "Write the whole lab to another file.", ("Ctrl+Shift+S",)),
    Act.START_WITH: ActionSpec(
        FILE,
        "Start &with…",
        "Give the guest a command line, a disk or modules, and power it on.",
        ("Ctrl+Shift+O",),
        Icon.START_WITH,
        wordless=True,
    ),
    Act.SAVE_DISK: ActionSpec(
        FILE, "Save &disk…", "Write what is on the guest's disk now to a file: its own, or another.", ("Ctrl+Shift+D",)
    ),
    Act.IMPORT_VM: ActionSpec(FILE, "&Import VM…", "Keep the VM in a file among the snapshots."),
    Act.EXPORT_VM: ActionSpec(
        FILE,
        "&Export VM…",
        "Write the snapshot that is chosen to a file, which goes on wherever it is opened.",
        ("Ctrl+E",),
    ),
    Act.QUIT: ActionSpec(FILE, "&Quit", "Close Ringside; the layout is kept.", ("Ctrl+Q",)),
    Act.RUN: ActionSpec(RUN, "&Run", "Run at the set speed.", ("F5",), Icon.RUN),
    Act.STOP: ActionSpec(RUN, "S&top", "Stop after the present instruction.", ("Shift+F5", "Esc"), Icon.STOP),
    Act.STEP: ActionSpec(
        RUN, "&Step", "Execute one instruction; by line: go to the next line, into calls.", ("F11",), Icon.STEP
    ),
    Act.STEP_OVER: ActionSpec(
        RUN,
        "Step o&ver",
        "One instruction, but a CALL, INT or REP until it has come back; by line: to the next line, calls whole.",
        ("F10",),
        Icon.STEP_OVER,
    ),
    Act.STEP_OUT: ActionSpec(
        RUN, "Step o&ut", "Run until the function has returned.", ("Shift+F11",), Icon.STEP_OUT, wordless=True
    ),
    Act.BY_LINE: ActionSpec(
        RUN,
        "Step by li&ne",
        "Let the step keys go by source lines instead of instructions.",
        ("Ctrl+L",),
        Icon.BY_LINE,
        checkable=True,
        wordless=True,
    ),
    Act.RUN_TO_CURSOR: ActionSpec(
        RUN,
        "Run to &cursor",
        "Run until the line chosen in the Code view is next.",
        ("Ctrl+F10",),
        Icon.RUN_TO_CURSOR,
        wordless=True,
    ),
    Act.STEP_BACK: ActionSpec(
        TIME,
        "Step bac&k",
        "Take the newest instruction back: the machine is what it was before it.",
        ("Alt+F11",),
        Icon.STEP_BACK,
        wordless=True,
    ),
    Act.RUN_BACK: ActionSpec(
        TIME,
        "Run &back",
        "Go back to the last breakpoint met before now, or to power-on.",
        ("Alt+F5",),
        Icon.RUN_BACK,
        wordless=True,
    ),
    Act.BACK_OVER: ActionSpec(
        TIME,
        "Back o&ver",
        "Take the newest instruction back; where it returned from a call or an interrupt, take that back whole.",
        ("Alt+Shift+F11",),
    ),
    Act.BACK_OUT: ActionSpec(
        TIME, "Back &out", "Go back to before the call that entered this function.", ("Alt+Shift+F10",)
    ),
    Act.BACK_TO_DEPARTURE: ActionSpec(
        TIME,
        "Back to the last &departure",
        "Go back to before the newest instruction that trapped.",
        ("Alt+F7",),
    ),
    Act.BACK_TO_RING: ActionSpec(
        TIME, "Back to the last change of ri&ng", "Go back to before the CPU came into this ring.", ("Alt+F8",)
    ),
    Act.BACK_TO_SWITCH: ActionSpec(
        TIME, "Back to the last &world switch", "Go back to before another VM was given the CPU.", ("Alt+F9",)
    ),
    Act.ON_TO_DEPARTURE: ActionSpec(
        TIME,
        "On to the next depar&ture",
        "Run until something traps, and stop right after it was handled.",
        ("Ctrl+F7",),
    ),
    Act.ON_TO_RING: ActionSpec(
        TIME, "On to the next ch&ange of ring", "Run until the CPU is in another ring than now.", ("Ctrl+F8",)
    ),
    Act.ON_TO_SWITCH: ActionSpec(
        TIME, "On to the next world sw&itch", "Run until another VM is given the CPU.", ("Ctrl+F9",)
    ),
    Act.GO_TO_INSTRUCTION: ActionSpec(
        TIME, "&Go to instruction…", "Go to the moment after so many instructions of the recorded past.", ("Ctrl+J",)
    ),
    Act.UNDO: ActionSpec(
        TIME,
        "&Undo what was typed or changed",
        "Go back to before your newest act on the machine, and take it back; the future with it is kept.",
        ("Ctrl+Z",),
    ),
    Act.TAKE_SNAPSHOT: ActionSpec(
        RUN, "Take s&napshot", "Keep the VM that you look at as it is now, to put it back or clone it.", ("Ctrl+K",)
    ),
    Act.REVERT: ActionSpec(
        RUN,
        "Re&vert to snapshot",
        "Put the VM back to the snapshot that is chosen in the Snapshots view.",
        ("Ctrl+Shift+K",),
    ),
    Act.RESET: ActionSpec(RUN, "R&eset", "Power on the same guest anew.", ("Ctrl+R",), Icon.RESET),
    Act.BREAKPOINT: ActionSpec(
        RUN, "Toggle &breakpoint", "Set or clear a breakpoint at the line chosen in the Code view.", ("F9",)
    ),
    Act.CLEAR_BREAKPOINTS: ActionSpec(RUN, "C&lear all breakpoints", "Forget every breakpoint.", ("Ctrl+Shift+F9",)),
    Act.SLOWER: ActionSpec(RUN, "Slo&wer", "Run at the next lower speed.", ("Ctrl+[",)),
    Act.FASTER: ActionSpec(RUN, "F&aster", "Run at the next higher speed.", ("Ctrl+]",)),
    Act.FULL_SPEED: ActionSpec(RUN, "&Full speed", "Run as fast as the machine can.", ("Ctrl+Shift+]",)),
    Act.FOLLOW_PC: ActionSpec(
        VIEW, "Back to the &PC", "Show the instruction at the program counter, and follow it.", ("Ctrl+G",)
    ),
    Act.NEXT_VM: ActionSpec(VIEW, "&Next VM", "Look at the next VM of the machine, in every view.", ("F6",)),
    Act.PREVIOUS_VM: ActionSpec(VIEW, "Pre&vious VM", "Look at the VM before, in every view.", ("Shift+F6",)),
    Act.SWITCH_THEME: ActionSpec(
        VIEW, "&Dark or light", "Change between dark and light.", ("Ctrl+T",), Icon.THEME, wordless=True
    ),
    Act.TEXT_LARGER: ActionSpec(VIEW, "&Larger text", "Make all text larger.", ("Ctrl++", "Ctrl+="), Icon.TEXT_LARGER),
    Act.TEXT_SMALLER: ActionSpec(VIEW, "S&maller text", "Make all text smaller.", ("Ctrl+-",), Icon.TEXT_SMALLER),
    Act.TEXT_RESET: ActionSpec(VIEW, "&Usual text size", "Make all text as large as at first.", ("Ctrl+0",)),
    Act.REDUCED_MOTION: ActionSpec(
        VIEW, "Reduced m&otion", "Show crossings in steps, without movement.", checkable=True
    ),
    Act.ENLARGE: ActionSpec(
        VIEW,
        "&Enlarge this view",
        "Give the view with the focus the whole window, and take it back again (or double-click its title).",
        ("F12",),
        checkable=True,
    ),
    Act.RESET_LAYOUT: ActionSpec(VIEW, "&Reset layout", "Put every view back where it first stood."),
    Act.KEYBOARD: ActionSpec(HELP, "&Keyboard", "Every key of the window.", ("F1",)),
    Act.PORTING: ActionSpec(
        HELP, "What was changed to &port Pebble", "Pebble's sources beside those of its paravirtual build, as a diff."
    ),
    Act.ABOUT: ActionSpec(HELP, "&About Ringside", "What this is and what it stands on."),
}


def plain(text: str) -> str:
    """A menu text without its mnemonic mark and dots."""
    return text.replace("&", "").rstrip("…")


class Actions(QObject):
    """The `QAction` of each `Act`."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._reasons: dict[Act, str] = dict.fromkeys(Act, "")
        self._made: dict[Act, QAction] = {}
        for act, spec in ACTIONS.items():
            self._made[act] = self._make(act, spec)
            self._explain(act)

    def __getitem__(self, act: Act) -> QAction:
        return self._made[act]

    def allow(self, act: Act, unless: str = "") -> None:
        """Let the person use it, unless there is a reason not to: one sentence, which the tooltip then says."""
        if self._reasons[act] == unless and self._made[act].isEnabled() == (not unless):
            return
        self._reasons[act] = unless
        self._made[act].setEnabled(not unless)
        self._explain(act)

    def reason(self, act: Act) -> str:
        """Why it cannot be used now; empty if it can."""
        return self._reasons[act]

    def apply_theme(self, theme: Theme) -> None:
        """Draw the icons in the theme's colours."""
        for act, spec in ACTIONS.items():
            if spec.icon is not None:
                self._made[act].setIcon(icon(spec.icon, theme))

    def _make(self, act: Act, spec: ActionSpec) -> QAction:
        action = QAction(spec.text, self)
        action.setObjectName(act.value)
        action.setShortcuts([QKeySequence(keys) for keys in spec.keys])
        action.setCheckable(spec.checkable)
        action.setIconText(plain(spec.text))
        if spec.wordless:
            action.setPriority(QAction.Priority.LowPriority)
        return action

    def _explain(self, act: Act) -> None:
        spec, action = ACTIONS[act], self._made[act]
        keys = f" ({shown_keys(spec.keys[0])})" if spec.keys else ""
        why = self._reasons[act]
        action.setToolTip(f"{plain(spec.text)}{keys}: {spec.tip}" + (f"\nNot now: {why}" if why else ""))


def shown_keys(keys: str) -> str:
    """A key sequence as this system writes it."""
    return QKeySequence(keys).toString(QKeySequence.SequenceFormat.NativeText)
