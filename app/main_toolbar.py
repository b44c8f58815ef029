"""The toolbar: what runs under what, the steps, the speed; with as many words as the window has room for."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt
from PySide6.QtWidgets import QLabel, QSizePolicy, QToolBar, QToolButton, QWidget

from app.controllers.actions import Act, Actions
from app.controllers.program_controller import ProgramController
from app.theme import Theme
from app.widgets.speed_slider import SpeedSlider
from app.widgets.vm_chooser import VmChooser
from core.snapshot import VmSummary

STEPS = (
    Act.RUN,
    Act.STOP,
    Act.RUN_BACK,
    Act.STEP_BACK,
    Act.STEP,
    Act.STEP_OVER,
    Act.STEP_OUT,
    Act.BY_LINE,
    Act.RUN_TO_CURSOR,
    Act.RESET,
)

BESIDE, ALONE = Qt.ToolButtonStyle.ToolButtonTextBesideIcon, Qt.ToolButtonStyle.ToolButtonIconOnly
STYLES = (  # of the tools; with captions? with the speed in words?
    (BESIDE, True, True),
    (ALONE, True, True),
    (ALONE, True, False),
    (ALONE, False, False),
)


class MainToolBar(QToolBar):
    """Holds the choosers of VM, guest and kind, the actions of `STEPS`, the speed and the theme's switch. The one of
    the VM is there while there is more than one."""

    def __init__(self, actions: Actions, program: ProgramController, speed: SpeedSlider) -> None:
        super().__init__("Toolbar")
        self._program, self._speed = program, speed
        self.setObjectName("toolbar")
        self.setMovable(False)
        self.toggleViewAction().setVisible(False)
        self.vms = VmChooser()
        self._of_vms = (self.addWidget(_caption("VM", self.vms)), self.addWidget(self.vms))
        guest = self.addWidget(_caption("Guest", program.guests))
        self.addWidget(program.guests)
        under = self.addWidget(_caption("under", program.kinds))
        self.addWidget(program.kinds)
        self._captions = (guest, under)
        self._has_several = False
        for action in self._of_vms:
            action.setVisible(False)
        self.addAction(actions[Act.START_WITH])
        self.addSeparator()
        for act in STEPS:
            self.addAction(actions[act])
        self.addSeparator()
        self.addWidget(speed)
        gap = QWidget()
        gap.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        self.addWidget(gap)
        self.addAction(actions[Act.SWITCH_THEME])
        for button in self.findChildren(QToolButton):
            if action := button.defaultAction():
                button.setFocusPolicy(Qt.FocusPolicy.TabFocus)  # by key; a click leaves the focus where it is
                button.setAccessibleName(action.iconText())

    def apply_theme(self, theme: Theme) -> None:
        """Take the size of icons from `theme`."""
        side = theme.type.pixels(20)
        self.setIconSize(QSize(side, side))

    def show_vms(self, vms: tuple[VmSummary, ...], selected: str) -> None:
        """Offer the VMs of the machine."""
        if self.vms.show_vms(vms, selected):
            self._has_several = len(vms) > 1
            for action in self._of_vms:
                action.setVisible(self._has_several)
            self.fit(self.width())

    def fit(self, width: int) -> None:
        """Name the actions beside their icons as far as `width` pixels are enough.

        What is lacking then is taken from the other words, and at last from the choosers: no tool is out of reach.
        """
        self._program.narrow_by(0)
        lacking = 0
        for style, captioned, speed in STYLES:
            self.setToolButtonStyle(style)
            for caption in self._captions:
                caption.setVisible(captioned)
            self._of_vms[0].setVisible(captioned and self._has_several)
            self._speed.label.setVisible(speed)
            self.layout().invalidate()  # what it knows of the widgets within is older than they are
            lacking = self.sizeHint().width() - width
            if lacking <= 0:
                return
        self._program.narrow_by(lacking)


def _caption(words: str, buddy: QWidget) -> QLabel:
    label = QLabel(words)
    label.setProperty("role", "quiet")
    label.setBuddy(buddy)
    return label
