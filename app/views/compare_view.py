"""What does the same guest cost under each kind of monitor, and is it still the same guest?"""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QComboBox,
    QFileDialog,
    QHBoxLayout,
    QLabel,
    QMenu,
    QProgressBar,
    QPushButton,
    QScrollArea,
    QSizePolicy,
    QTabWidget,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from app.models.comparison import Comparison
from app.models.cost_book import CostBook
from app.theme import Theme
from app.views.view import Area, View, ViewSpec
from app.widgets.compare.costs_page import CostsPage
from app.widgets.compare.cycles_page import CyclesPage
from app.widgets.compare.export import Form, save
from app.widgets.compare.figure_page import FigurePage
from app.widgets.compare.instructions_page import InstructionsPage
from app.widgets.compare.page import Page
from app.widgets.compare.properties_page import PropertiesPage
from core.cost_table import load_costs
from core.errors import RequestError
from core.guests.catalog import GuestInfo, shipped_guests
from core.guests.image import Interface
from core.measured import Measured
from core.vmm import kinds

FIRST_GUEST = "pebble"
WORKLOADS = ("run=hello", "run=forks", "run=pages", "run=primes 300", "run=counter", "run=bench")
NOT_COMPARED = "Nothing is compared yet."
NARROWEST = 72  # pixels of a chooser
DATA = Qt.ItemDataRole.UserRole
FORM_WORDS = {Form.PNG: "Picture (PNG) …", Form.SVG: "Drawing (SVG) …", Form.CSV: "Table (CSV) …"}


class CompareView(View):
    """Choosers and a button over pages that show what came of it.

    compareWanted  (guest, command line) the person wants it compared
    figureWanted   () the person wants the nanobenchmarks of 2006 run
    cancelWanted   () and now no longer
    enlargeWanted  () the person wants the view to have the whole window, or no longer
    startWanted    (guest, kind, command line, address or None, count or None) the person wants to stand there
    """

    compareWanted = Signal(str, str)
    figureWanted = Signal()
    cancelWanted = Signal()
    enlargeWanted = Signal()
    startWanted = Signal(str, str, str, object, object)

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(theme, parent)
        self.book = CostBook(load_costs())
        self.comparison = Comparison(self.book.chosen)
        self._compared = ("", "")
        self._guests: dict[str, GuestInfo] = {
            name: info for name, info in shipped_guests().items() if info.interface is Interface.PC
        }
        self.cycles = CyclesPage(theme)
        self.instructions = InstructionsPage(theme)
        self.costs = CostsPage(self.book, theme)
        self.figure = FigurePage(self.book.chosen, theme)
        self.properties = PropertiesPage(theme)
        self.pages: tuple[Page, ...] = (self.cycles, self.instructions, self.figure, self.properties, self.costs)
        self._make_choosers()
        self._make_progress()
        self._make_export()
        self.tabs = QTabWidget()
        self.tabs.tabBar().setAccessibleName("Pages of the comparison")
        self.tabs.setDocumentMode(True)
        self.tabs.setAccessibleName("Pages")
        for page in self.pages:
            self.tabs.addTab(_scrolling(page), page.title)
            self.tabs.setTabToolTip(self.tabs.count() - 1, page.question)
        self.tabs.currentChanged.connect(self._fit_export)
        self._put_together()
        self.book.changed.connect(self._reprice)
        self.instructions.wanted.connect(
            lambda guest, kind, pc: self.startWanted.emit(guest, kind, self._compared[1], pc, None)
        )
        self.figure.runWanted.connect(self.figureWanted)
        self.properties.placeWanted.connect(
            lambda guest, kind, executed: self.startWanted.emit(guest, kind, self._compared[1], None, executed)
        )
        self.properties.instructionsWanted.connect(self._lead_to_instructions)
        self.set_empty(False)
        self.setFocusProxy(self.compare)
        self.setAccessibleName("Compare")
        self._choose_guest()
        self._show_results()

    # -- building

    def _make_choosers(self) -> None:
        self.guests = QComboBox()
        self.guests.setAccessibleName("Guest to compare")
        self.guests.setToolTip("The guest that runs under every kind.")
        for info in self._guests.values():
            self.guests.addItem(info.title, info.name)
        self.guests.setCurrentIndex(max(self.guests.findData(FIRST_GUEST, DATA), 0))
        self.guests.activated.connect(self._choose_guest)
        self.workload = QComboBox()
        self.workload.setEditable(True)
        self.workload.addItems(WORKLOADS)
        self.workload.setAccessibleName("Command line")
        self.workload.setToolTip(
            "What the guest is to run: its command line. Choose one, or write your own. "
            "A guest that does not end is stopped after 30 million instructions."
        )
        self.workload.setMinimumContentsLength(12)
        self.compare = QPushButton("Compare")
        self.compare.setToolTip("Run the guest under every kind of monitor, beside the machine you see; or end that.")
        self.compare.setProperty("role", "primary")
        self.compare.clicked.connect(self._press)
        self.generations = QComboBox()
        self.generations.setAccessibleName("Processor whose costs are used")
        self.generations.setToolTip("Cycles are modelled from published measurements of this processor.")
        for model in self.book.generations:
            self.generations.addItem(model.title, model.name)
        self.generations.setMinimumContentsLength(max(len(model.title) for model in self.book.generations))
        for box in (self.guests, self.generations, self.workload):
            box.setMinimumWidth(NARROWEST)
        self.generations.activated.connect(lambda: self.book.choose(str(self.generations.currentData(DATA))))

    def _make_progress(self) -> None:
        self.bar = QProgressBar()
        self.bar.setTextVisible(False)
        self.bar.setFixedHeight(4)
        self.bar.setAccessibleName("Progress")
        self.status = QLabel(NOT_COMPARED)
        self.status.setWordWrap(True)
        self.status.setAccessibleName("What is going on")
        self._say(NOT_COMPARED)
        policy = self.bar.sizePolicy()
        policy.setRetainSizeWhenHidden(True)
        self.bar.setSizePolicy(policy)
        self.bar.hide()

    def _make_export(self) -> None:
        self.export = QToolButton()
        self.export.setText("Save")
        self.export.setToolTip("Save what this page shows.")
        self.export.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        menu = QMenu(self.export)
        self._exports = {form: menu.addAction(words) for form, words in FORM_WORDS.items()}
        for form, action in self._exports.items():
            action.triggered.connect(lambda _checked=False, form=form: self._ask_where(form))
        self.export.setMenu(menu)
        self.enlarge = QToolButton()
        self.enlarge.setText("Enlarge")
        self.enlarge.setToolTip("Give this view the whole window, or put it back.")
        self.enlarge.clicked.connect(self.enlargeWanted)

    def _put_together(self) -> None:
        content = QWidget()
        column = QVBoxLayout(content)
        column.setContentsMargins(8, 6, 8, 0)
        column.setSpacing(4)
        top, below = QHBoxLayout(), QHBoxLayout()
        for row in (top, below):
            row.setSpacing(8)
        for widget in (self.guests, self.workload, self.compare):
            top.addWidget(widget)
        for box in (self.guests, self.workload):  # where it is narrow these give way: the processor's year must be read
            box.setSizePolicy(QSizePolicy.Policy.Maximum, QSizePolicy.Policy.Fixed)
        self.generations.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        top.addStretch(1)
        top.addWidget(self.generations)
        below.addWidget(self.status, 1)
        for widget in (self.export, self.enlarge):
            below.addWidget(widget)
        column.addLayout(top)
        column.addWidget(self.bar)
        column.addLayout(below)
        column.addWidget(self.tabs, 1)
        self.set_content(content)

    # -- what the controller says

    def begin(self, guest: str, command_line: str) -> None:
        """A comparison has begun: what was shown is of another."""
        self._compared = (guest, command_line)
        self.comparison.clear()
        self._show_results()
        self._begin()

    def begin_figure(self) -> None:
        """The nanobenchmarks are being run."""
        self.figure.begin()
        self._begin()

    def _begin(self) -> None:
        self.compare.setText("Cancel")
        self.figure.run.setEnabled(False)
        self.bar.setRange(0, 0)
        self.bar.show()
        self._say("Starting …")

    def show_progress(self, done: int, of: int, words: str) -> None:
        """How far it is."""
        self.bar.setRange(0, of)
        self.bar.setValue(done)
        self._say(words)

    def add(self, measured: Measured) -> None:
        """One more kind was measured."""
        self.comparison.add(measured)
        self._show_results()

    def finish(self, words: str, *, error: bool = False) -> None:
        """It is over."""
        self.compare.setText("Compare")
        self.figure.run.setEnabled(True)
        self._fit_export()
        self.bar.hide()
        self._say(words, error=error)

    def point_at(self, anchor: str) -> None:
        """Turn to the page of that name."""
        for page in self.pages:
            if page.name == anchor:
                self.tabs.setCurrentIndex(self.pages.index(page))

    def apply_theme(self, theme: Theme) -> None:
        """Take colours and type from `theme`."""
        super().apply_theme(theme)
        for page in self.pages:
            page.apply_theme(theme)

    # -- saving

    @property
    def page(self) -> Page:
        """The page in sight."""
        return self.pages[max(self.tabs.currentIndex(), 0)]

    def save_as(self, form: Form, path: Path) -> None:
        """Save the page in sight."""
        paint, size = self.page.picture()
        try:
            save(path, form, paint, size, self.page.table(), f"{self.page.title}: {self._subject()}")
            self._say(f"Saved {path.name}.")
        except RequestError as error:
            self._say(str(error), error=True)

    def _ask_where(self, form: Form) -> None:
        dialog = QFileDialog(self, "Save", f"{self._compared[0] or 'ringside'}-{self.page.name}{form.value}")
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        dialog.setNameFilter(f"*{form.value}")
        dialog.setDefaultSuffix(form.value)
        dialog.fileSelected.connect(lambda path: self.save_as(form, Path(path)))
        dialog.open()

    def _fit_export(self) -> None:
        for form, action in self._exports.items():
            action.setVisible(form in self.page.forms)
        results = self.figure.figure.results if self.page is self.figure else self.comparison.results
        self.export.setEnabled(bool(results) or self.page is self.costs)

    def _lead_to_instructions(self, kind: str) -> None:
        self.point_at(self.instructions.name)
        self.instructions.lead_to(kind)

    # -- inside

    def _press(self) -> None:
        if self.bar.isVisibleTo(self):
            self.cancelWanted.emit()
        else:
            guest = str(self.guests.currentData(DATA))
            command_line = self.workload.currentText().strip() if self._takes_command_line() else ""
            self.compareWanted.emit(guest, command_line)

    def _takes_command_line(self) -> bool:
        return bool(self._guests[str(self.guests.currentData(DATA))].sources)

    def _choose_guest(self) -> None:
        self.workload.setVisible(self._takes_command_line())
        self.guests.setToolTip(self._guests[str(self.guests.currentData(DATA))].summary)

    def _reprice(self) -> None:
        self.comparison.model = self.book.chosen
        self.generations.setCurrentIndex(self.generations.findData(self.book.chosen.name, DATA))
        self._show_results()

    def _show_results(self) -> None:
        for page in self.pages:
            page.show_comparison(self.comparison)
        self._fit_export()

    def result_words(self) -> str:
        """What came of the comparison, in a sentence."""
        results = self.comparison.results
        if self.page is self.figure or not results:
            return "Instructions and departures are measured, cycles modelled."
        differing = [kinds()[kind].title for kind, measured in results.items() if measured.first_difference is not None]
        said = f"{len(results)} kinds compared"
        if not differing:
            return f"{said}: the guest saw no difference from the bare machine. Counts are measured, cycles modelled."
        return (
            f"{said}. The guest noticed a difference under {', '.join(differing)}: the place is in red below its bar."
        )

    def _subject(self) -> str:
        guest, command_line = self._compared
        return f"{guest} {command_line}".strip()

    def _say(self, words: str, *, error: bool = False) -> None:
        self.status.setText(words)
        self.status.setProperty("role", "error" if error else "quiet")
        self.status.style().unpolish(self.status)
        self.status.style().polish(self.status)


def _scrolling(page: Page) -> QScrollArea:
    """The page, which may be higher than the view."""
    area = QScrollArea()
    area.setWidget(page)
    area.setWidgetResizable(True)
    area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
    return area


VIEW = ViewSpec(
    id="compare",
    title="Compare",
    question="What does the same guest cost under each kind, and is it still the same guest?",
    area=Area.CENTRE,
    order=40,
    make=CompareView,
)
