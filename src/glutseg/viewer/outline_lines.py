"""The outlines of a slice as lines, in mm: those drawn, and thin ones beside them to compare with."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal, get_args

import numpy as np
import numpy.typing as npt
from scipy import ndimage
from skimage.measure import find_contours

from glutseg.image import LABELS, Geometry, LabelArray
from glutseg.output.other_outline import far_from
from glutseg.output.style import INK, OTHER_COLOURS, SIDE_COLOURS
from glutseg.segmentation.editing import BoolArray

FloatArray = npt.NDArray[np.float64]
Kind = Literal["outline", "other method", "automatic"]
KINDS: tuple[Kind, ...] = get_args(Kind)
LABEL_COLOURS = {
    label: OTHER_COLOURS.get(muscle, SIDE_COLOURS[side])
    for muscle, sides in LABELS.items()
    for side, label in sides.items()
}
"""As in the overlays of a run."""


LEAST_SEEN_MM = 3.0
"""Length of a dashed line from which it can be seen: three dashes. Chosen."""


@dataclass(frozen=True)
class Comparison:
    """What the outlines drawn are compared with.

    Attributes
    ----------
    automatic : labels (z, y, x) of the automatic outlines; None where there are none
    other : labels (y, x) of the second method's outlines; None where the run kept none
    slice_index : of ``other``
    """

    automatic: LabelArray | None = None
    other: LabelArray | None = None
    slice_index: int = -1


@dataclass(frozen=True)
class Line:
    """Borders of one muscle: paths of (x, y) in mm, LPS."""

    kind: Kind
    colour: str
    paths: list[FloatArray] = field(compare=False)


def lines_on_slice(
    drawn: LabelArray, slice_index: int, geometry: Geometry, comparison: Comparison
) -> Iterator[Line]:
    """The lines of a slice, in the order in which they are painted: the outlines drawn come last.

    The second method's outline is shown where it runs apart from the one drawn, as in the overlay of a run;
    the automatic one where its pixels are others.

    Parameters
    ----------
    drawn : labels (y, x) of the slice
    geometry : of the series
    """
    spacing_mm, origin_mm = geometry.spacing_mm[1:], geometry.origin_mm
    automatic = None if comparison.automatic is None else comparison.automatic[slice_index]
    other = comparison.other if slice_index == comparison.slice_index else None

    def in_mm(paths: list[FloatArray]) -> list[FloatArray]:
        return [path[:, ::-1] * spacing_mm[::-1] + origin_mm[:2] for path in paths]

    for label, colour in LABEL_COLOURS.items():
        region = drawn == label
        if automatic is not None and not np.array_equal(automatic == label, region):
            yield Line("automatic", INK, in_mm(borders(automatic == label)))
        if other is not None and (other == label).any():
            paths = in_mm(borders(other == label, far_from(region, (spacing_mm[0], spacing_mm[1]))))
            seen = [path for path in paths if _length_mm(path) >= LEAST_SEEN_MM]
            if seen:
                yield Line("other method", colour, seen)
    for label, colour in LABEL_COLOURS.items():
        paths = borders(drawn == label)
        if paths:
            yield Line("outline", colour, in_mm(paths))


def _length_mm(path: FloatArray) -> float:
    return float(np.linalg.norm(np.diff(path, axis=0), axis=1).sum())


def borders(region: BoolArray, where: BoolArray | None = None) -> list[FloatArray]:
    """Paths of (row, column) half way between the pixels of a region and those beside it.

    Parameters
    ----------
    where : pixels between which a path is kept; None for all
    """
    if not region.any():
        return []
    (box,) = ndimage.find_objects(region.astype(np.uint8))
    inside = np.pad(region[box], 1).astype(float)  # closed at the edge of the image too
    kept = None if where is None else np.pad(where, 1)[tuple(slice(b.start, b.stop + 2) for b in box)]
    corner = [part.start - 1 for part in box]
    return [path + corner for path in find_contours(inside, 0.5, mask=kept)]
