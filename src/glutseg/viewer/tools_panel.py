"""The tools that draw, in tabs, and the side that they draw."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from qtpy.QtWidgets import QPushButton, QTabWidget, QVBoxLayout, QWidget

from glutseg.image import LabelArray
from glutseg.viewer.clicks import Clicks
from glutseg.viewer.grow_tool import GrowTool
from glutseg.viewer.keys import bind_key
from glutseg.viewer.parts import scrolled
from glutseg.viewer.side import SideChoice
from glutseg.viewer.slice_tools import RegrowTool, SliceTools
from glutseg.viewer.stage import Stage


class ToolsPanel(QWidget):
    """Growing region, growing again from clicks, slices.

    Parameters
    ----------
    first : a tab to stand before the tools, and its name
    before : the labels as they were opened, to tell which slices were edited
    """

    def __init__(
        self, stage: Stage, before: Callable[[], LabelArray | None], first: tuple[str, QWidget] | None = None
    ) -> None:
        super().__init__()
        self.clicks = Clicks(stage)
        self.side = SideChoice(stage)
        self.grow = GrowTool(stage, self.clicks, self.side)
        self.regrow = RegrowTool(stage, self.clicks, self.side)
        self.slices = SliceTools(stage, self.side, before)
        self.tabs = QTabWidget()
        own = (("Grow", self.grow), ("Grow again", self.regrow), ("Slices", self.slices))
        for name, widget in (*([first] if first else []), *own):
            self.tabs.addTab(scrolled(widget), name)
        self.tabs.currentChanged.connect(self._tab_chosen)
        for key, button in (
            ("G", self.grow.pick),
            ("I", self.regrow.pick_inside),
            ("O", self.regrow.pick_outside),
        ):
            bind_key(self, key, partial(self._pressed, button))
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(3)
        column.addWidget(self.side)
        column.addWidget(self.tabs)

    def _pressed(self, button: QPushButton) -> None:
        for tool in (self.grow, self.regrow):
            if tool.isAncestorOf(button):
                self.show_tool(tool)
        button.click()

    def _tab_chosen(self, index: int) -> None:
        """Another tool's clicks and preview would only be in the way."""
        if self.tabs.widget(index).widget() is not self.grow:
            self.grow.forget()
        self.clicks.stop()

    def forget(self) -> None:
        """Another picture is shown: no tool is at work, no click is remembered."""
        self.clicks.stop()
        self.grow.forget()
        self.regrow.forget()

    def show_tool(self, tool: QWidget) -> None:
        """Fetch a tool's tab to the front."""
        for index in range(self.tabs.count()):
            area = self.tabs.widget(index)
            if area.widget() is tool:
                self.tabs.setCurrentIndex(index)
