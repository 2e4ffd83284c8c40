"""The drawing tools in tabs, and the side that they draw."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from qtpy.QtWidgets import QPushButton, QTabWidget, QVBoxLayout, QWidget

from glutseg.image import LabelArray
from glutseg.viewer.clicks import Clicks
from glutseg.viewer.correction_bar import CorrectionBar
from glutseg.viewer.grow_tool import GrowTool
from glutseg.viewer.keys import bind_key
from glutseg.viewer.layer_manager import LayerManager
from glutseg.viewer.parts import scrolled
from glutseg.viewer.side import SideChoice
from glutseg.viewer.slice_tools import RegrowTool, SliceTools
from glutseg.viewer.strokes import Strokes


class ToolsPanel(QWidget):
    """Growing region, growing again from clicks, slices.

    Parameters
    ----------
    before : gives the labels as they were opened, to find the edited slices
    first : name and content of a tab before the tools
    with_reset : whether there may be automatic outlines to go back to
    """

    def __init__(
        self,
        layers: LayerManager,
        before: Callable[[], LabelArray | None],
        first: tuple[str, QWidget] | None = None,
        *,
        with_reset: bool = False,
    ) -> None:
        super().__init__()
        self.clicks = Clicks(layers)
        self.bar = CorrectionBar(layers, with_reset=with_reset)
        self.side = SideChoice(layers, (self.bar.undo, self.bar.redo))
        self.strokes = Strokes(layers, self.side.choose)
        self.grow = GrowTool(layers, self.clicks, self.side)
        self.regrow = RegrowTool(layers, self.clicks, self.side)
        self.slices = SliceTools(layers, self.side, before)
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
        column.addWidget(self.bar)
        column.addWidget(self.tabs)

    def _pressed(self, button: QPushButton) -> None:
        for tool in (self.grow, self.regrow):
            if tool.isAncestorOf(button):
                self.show_tool(tool)
        button.click()

    def _tab_chosen(self, index: int) -> None:
        """Remove clicks and preview of the tool before."""
        if self.tabs.widget(index).widget() is not self.grow:
            self.grow.forget()
        self.clicks.stop()

    def forget(self) -> None:
        """Remove clicks and previews, for another case."""
        self.clicks.stop()
        self.grow.forget()
        self.regrow.forget()
        self.bar.show_tissue()

    def close_tools(self) -> None:
        """Disconnect from the viewer."""
        self.clicks.close()
        self.strokes.close()

    def show_tool(self, tool: QWidget) -> None:
        """Show the tab of a tool."""
        for index in range(self.tabs.count()):
            area = self.tabs.widget(index)
            if area.widget() is tool:
                self.tabs.setCurrentIndex(index)
