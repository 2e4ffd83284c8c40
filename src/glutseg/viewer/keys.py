"""Keys of the widgets."""

from __future__ import annotations

from collections.abc import Callable

from qtpy.QtCore import Qt
from qtpy.QtGui import QKeySequence, QShortcut
from qtpy.QtWidgets import QWidget


def bind_key(owner: QWidget, key: str, call: Callable[[], object], modifier: str = "Alt") -> None:
    """Alt (or other modifiers) and a key call something, wherever in the program the focus is.

    napari has most other keys, Alt with F, V, L, P, W and H for its menus, and Alt with C, S and T.
    """
    shortcut = QShortcut(QKeySequence(f"{modifier}+{key}"), owner)
    shortcut.setContext(Qt.ApplicationShortcut)
    shortcut.activated.connect(call)
