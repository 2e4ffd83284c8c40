"""The list of cases with filter and progress, and the quality flags of a case."""

from __future__ import annotations

from html import escape

from qtpy.QtCore import Qt, Signal
from qtpy.QtGui import QColor, QIcon, QPixmap
from qtpy.QtWidgets import (
    QComboBox,
    QHBoxLayout,
    QLabel,
    QListWidget,
    QListWidgetItem,
    QProgressBar,
    QVBoxLayout,
    QWidget,
)

from glutseg.errors import catalogue
from glutseg.output.style import STATUS_COLOURS
from glutseg.output.text import plain
from glutseg.viewer.item import FILTERS, Filter, Item
from glutseg.viewer.session import Session

MARKS = {"": " ", "accepted": "✓", "corrected": "✎", "rejected": "✗"}
VISIBLE_ROWS = 3


class CaseList(QWidget):
    """The cases of a run."""

    chosen = Signal(str)

    def __init__(self) -> None:
        super().__init__()
        self._session: Session | None = None
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(3)
        top = QHBoxLayout()
        self.filter = QComboBox()
        self.filter.addItems(FILTERS)
        self.filter.setToolTip("status of the case, or whether you decided on it; excluded: you rejected it")
        self.progress = QProgressBar()
        self.progress.setFormat("%v of %m decided")
        top.addWidget(QLabel("show"))
        top.addWidget(self.filter)
        top.addWidget(self.progress, 1)
        column.addLayout(top)
        self.list = QListWidget()
        self.list.setUniformItemSizes(True)
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarAlwaysOff)
        self.list.setTextElideMode(Qt.ElideMiddle)
        self.list.setFixedHeight(VISIBLE_ROWS * (self.fontMetrics().height() + 5) + 6)
        column.addWidget(self.list)
        self.filter.currentTextChanged.connect(lambda _: self.refresh())
        self.list.itemClicked.connect(lambda item: self.chosen.emit(item.data(Qt.UserRole)))

    @property
    def shown_filter(self) -> Filter:
        """The filter chosen."""
        index: int = self.filter.currentIndex()
        return FILTERS[index]

    def show_session(self, session: Session) -> None:
        """Show another run."""
        self._session = session
        self.refresh()

    def refresh(self, current: str | None = None) -> None:
        """Fill the list; ``current`` is marked, and stays in the list while it is open."""
        if self._session is None:
            return
        current = current or self.current
        n_decided, n = self._session.progress
        self.progress.setRange(0, max(1, n))
        self.progress.setValue(n_decided)
        self.list.clear()
        for item in self._session.items:
            if item.passes(self.shown_filter) or item.case_id == current:
                self.list.addItem(_entry(item))
                if item.case_id == current:
                    self.list.setCurrentRow(self.list.count() - 1)

    @property
    def current(self) -> str | None:
        """The case that is marked."""
        item = self.list.currentItem()
        return None if item is None else str(item.data(Qt.UserRole))


def _entry(item: Item) -> QListWidgetItem:
    stale = "  (measured again since you decided)" if item.is_stale else ""
    status = "excluded" if item.status == "excluded" else item.decision or item.status
    bound = item.result.largest_error_bound_percent
    off = "" if bound is None else f"   ± {bound:.0f} %"
    entry = QListWidgetItem(f"{MARKS[item.decision]}  {item.case_id}   {status}{off}{stale}")
    told = [] if bound is None else [f"the areas may be off by {bound:.0f} % (90 % bound)"]
    told += [item.words] if item.reason else []
    entry.setToolTip(f"<qt>{escape('; '.join(told))}</qt>")  # a reason in own words must not act as HTML
    dot = QPixmap(10, 10)
    dot.fill(QColor(STATUS_COLOURS[item.status]))
    entry.setIcon(QIcon(dot))
    entry.setData(Qt.UserRole, item.case_id)
    return entry


class QualityFlags(QLabel):
    """Quality flags of a case, or the reason why it failed."""

    def __init__(self) -> None:
        super().__init__()
        self.setTextFormat(Qt.PlainText)  # what headers say must not act as HTML
        self.setWordWrap(True)
        self.setAlignment(Qt.AlignTop)
        self.setTextInteractionFlags(Qt.TextSelectableByMouse)
        self.setMargin(4)

    def show_item(self, item: Item) -> None:
        """Show those of a case; flags with severity ``review`` first."""
        result = item.result
        lines = []
        if item.status == "excluded":
            lines.append(f"✗ You excluded this case: {item.reason}.")
        if item.is_stale:
            lines.append("▲ The case was measured again since you decided; decide again.")
        if result.error_code:
            lines.append(f"✗ {result.error_message} {catalogue()[result.error_code].remedy}")
        for flag in sorted(result.all_flags, key=lambda flag: flag.severity == "note"):
            mark = "·" if flag.severity == "note" else "▲"
            side = f" ({flag.side})" if flag.side else ""
            lines.append(f"{mark} {flag.meaning}{side} {flag.message}")
        self.setText("\n".join(plain(line, 400) for line in lines) or "No quality flags.")
