"""Colours of the pictures."""

from __future__ import annotations

SIDE_COLOURS = {"left": "#56b4e9", "right": "#e69f00"}
"""Sky blue and orange of Okabe and Ito (2008): distinguishable with every kind of colour blindness."""
OTHER_COLOURS = {"medius": "#cc79a7", "minimus": "#009e73"}
"""Reddish purple and bluish green of the same palette, for both sides."""
LEVEL_COLOUR = "#f0e442"
BACKGROUND = "#101418"
INK = "#f2f4f5"
QUIET_INK = "#a9b4bc"
STATUS_COLOURS = {"ok": "#009e73", "review": "#f0e442", "failed": "#d55e00", "excluded": "#a9b4bc"}
