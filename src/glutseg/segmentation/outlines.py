"""What an outliner gives: a mask, and how certain each of its outlines is."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from glutseg.errors import Flag
from glutseg.image import Mask, Muscle, Side

if TYPE_CHECKING:
    from glutseg.segmentation.evidence import Evidence

BoolArray = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class OutlineQuality:
    """How certain an outline is on the measured slice; None where it is unknown.

    Attributes
    ----------
    agreement : Dice between the outline and the most different of three others, 0 to 1: the network's alone,
        and the edges' at a higher and a lower cost margin
    edge_support : share of the border that runs along a visible fat plane or fat, 0 to 1
    other_outline : that other outline on the measured slice, (row, column)
    other_area_mm2 : its area
    where : the two differ most: "lateral end", "medial end", "deep border", "outer border"
    evidence : what the error model reads the bound of the area's error from
    error_bound_percent : of the area, where somebody knows it already; otherwise the error model says it
    """

    agreement: float | None = None
    edge_support: float | None = None
    other_outline: BoolArray | None = field(default=None, compare=False, repr=False)
    other_area_mm2: float | None = None
    where: str = ""
    evidence: Evidence | None = None
    error_bound_percent: float | None = None


@dataclass(frozen=True)
class Outlines:
    """The muscles, labelled as in `glutseg.image.LABELS`, and how certain each outline is.

    ``flags`` are those of the outliner itself.
    """

    mask: Mask
    quality: dict[tuple[Muscle, Side], OutlineQuality] = field(default_factory=dict)
    flags: tuple[Flag, ...] = ()
