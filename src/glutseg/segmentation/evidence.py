"""What an outline itself tells about how far its area may be off: measures that grow with the uncertainty.

None of them knows the truth. `glutseg.quality.error_model` reads the expected error from them, with
coefficients that were fitted where the truth is known.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields

import numpy as np
import numpy.typing as npt
from scipy import ndimage as ndi

from glutseg.image import Muscle
from glutseg.segmentation.agreement import dice
from glutseg.segmentation.competition import Field
from glutseg.segmentation.network import CLASSES
from glutseg.segmentation.side_grid import SPACING_MM
from glutseg.segmentation.tissue import Tissue

HIDDEN_COST = 0.5
"""Cost of a border from which on no fat plane and no fat shows there (`competition`)."""
PLANE_COST = 0.3
"""Cost below which a fat plane is seen inside a muscle."""
INSIDE_MM = 3.6
"""So far from its border is inside: three voxels."""

FloatArray = npt.NDArray[np.float32]
BoolArray = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Evidence:
    """Of one muscle on one side at the measured slice, or within some millimetres of it.

    Attributes
    ----------
    network_difference : 1 - Dice of the outline and the network's alone
    larger_difference, smaller_difference : the same with the cuts at a higher and a lower cost margin
    hidden_border_per_mm : share of the area that moves when the border moves by 1 mm where no edge shows
    plane_inside_medius_mm : length of the longest fat plane inside what is taken for gluteus medius
    unsure_share : of the network's area, p (1 - p) summed: its own uncertainty
    spread : of the tissues' densities after smoothing, share of the fat-to-muscle difference
    fat_share : of the gluteus maximus
    noise_hu : within the muscle
    """

    muscle: Muscle
    network_difference: float
    larger_difference: float
    smaller_difference: float
    hidden_border_per_mm: float
    plane_inside_medius_mm: float
    unsure_share: float
    spread: float
    fat_share: float
    noise_hu: float

    @property
    def measures(self) -> dict[str, float]:
        """All of them by name, to four significant digits: for the record of a case."""
        named = {f.name: getattr(self, f.name) for f in fields(self) if f.name != "muscle"}
        return {name: float(f"{value:.4g}") for name, value in named.items()}


def gather(
    muscle: Muscle,
    outline: BoolArray,
    rivals: Mapping[str, BoolArray],
    field: Field,
    probabilities: FloatArray,
    tissue: Tissue,
) -> Evidence:
    """The evidence about one outline.

    Parameters
    ----------
    outline : on the measured slice, (row, column)
    rivals : "network", "larger" and "smaller" on the same slice
    field : of the planes close to the slice, with the network's probabilities
    probabilities : of the same planes with the edges' corrections, (class, plane, row, column)
    """
    classes = probabilities.argmax(0)
    p = field.probabilities[CLASSES.index(muscle)]
    return Evidence(
        muscle,
        network_difference=1 - dice(outline, rivals["network"]),
        larger_difference=1 - dice(outline, rivals["larger"]),
        smaller_difference=1 - dice(outline, rivals["smaller"]),
        hidden_border_per_mm=hidden_border_per_mm(field, classes == CLASSES.index(muscle)),
        plane_inside_medius_mm=plane_inside_mm(field, classes == CLASSES.index("medius")),
        unsure_share=float((p * (1 - p)).sum()) / max(float(p.sum()), 1.0),
        spread=tissue.spread,
        fat_share=tissue.fat_share,
        noise_hu=tissue.noise_hu,
    )


def hidden_border_per_mm(field: Field, region: BoolArray) -> float:
    """Length of a region's border where no edge shows, over its area, in 1/mm."""
    area_mm2 = np.count_nonzero(region) * SPACING_MM[1] * SPACING_MM[2]
    if not area_mm2:
        return 1.0
    border = region & ~ndi.binary_erosion(region, np.ones((1, 3, 3)))
    hidden = border & (ndi.minimum_filter(field.cost, (1, 3, 3)) >= HIDDEN_COST)
    return float(np.count_nonzero(hidden) * SPACING_MM[1] / area_mm2)


def plane_inside_mm(field: Field, region: BoolArray) -> float:
    """Length of the longest fat plane well inside a region, as the mean over the planes of the grid."""
    inside = np.stack(
        [ndi.distance_transform_edt(plane, sampling=SPACING_MM[1:]) > INSIDE_MM for plane in region]
    )
    lines, n = ndi.label(inside & (field.cost < PLANE_COST), np.ones((3, 3, 3)))
    if not n:
        return 0.0
    return float(np.bincount(lines.ravel())[1:].max() * SPACING_MM[1] / len(region))
