"""The plane between the patient's left and right: which side a pixel lies on, also of a rolled patient."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from glutseg.image import LEFT, RIGHT, Geometry, LabelArray

BoolArray = npt.NDArray[np.bool_]
FloatArray = npt.NDArray[np.float64]
Point = tuple[float, float, float]
"""LPS (x, y, z) in mm."""

MIN_ELONGATION = 1.1
"""Width of a body by its depth from which its long axis shows how far it is rolled; rounder ones count as not
rolled. Chosen: a pelvis is 1.3 to 1.6 times as wide as deep."""
LEAST_APART_MM = 40.0
"""Two heads or two muscles nearer to each other than this are not those of two sides. Chosen: hips lie 150 to
200 mm apart, the middles of the muscles 100 mm and more."""


@dataclass(frozen=True)
class Midplane:
    """A plane between the two sides of a patient.

    Attributes
    ----------
    point_mm : on the plane
    left : unit vector at right angles to it, towards the patient's left
    """

    point_mm: Point
    left: Point

    def left_of_mm(self, geometry: Geometry, slice_index: int) -> FloatArray:
        """Distance (y, x) in mm of every pixel of a slice from the plane, positive on the patient's left."""
        offsets = [self._distance_mm(geometry.point_mm(slice_index, 0, 0))]
        for y, x in ((1, 0), (0, 1)):
            offsets.append(self._distance_mm(geometry.point_mm(slice_index, y, x)) - offsets[0])
        rows, columns = np.arange(geometry.shape[1])[:, None], np.arange(geometry.shape[2])[None]
        return np.asarray(offsets[0] + rows * offsets[1] + columns * offsets[2])

    def _distance_mm(self, point_mm: Point) -> float:
        return float(np.dot(np.subtract(point_mm, self.point_mm), self.left))


def midplane_of_hips(landmarks_mm: Mapping[str, Point]) -> Midplane | None:
    """Half way between the two femoral heads, as a level's ``landmarks_mm`` names them.

    None where one of the two is missing. It follows a rolled and a tilted pelvis, and does not depend on
    what was outlined.
    """
    heads = [landmarks_mm.get(f"femoral-head-centre-{side}") for side in ("left", "right")]
    return None if heads[0] is None or heads[1] is None else _between(heads[0], heads[1])


def midplane_of_muscles(labels: LabelArray, geometry: Geometry) -> Midplane | None:
    """Half way between the middles of the left and the right gluteus maximus.

    Parameters
    ----------
    labels : (z, y, x), as they were found, not as a person is drawing them: a side drawn by half would move
        the plane

    Returns
    -------
    Midplane or None
        None where no slice shows both sides.
    """
    both = np.nonzero((labels == LEFT).any((1, 2)) & (labels == RIGHT).any((1, 2)))[0]
    if not len(both):
        return None
    k = int(both[len(both) // 2])
    middles = [
        geometry.point_mm(k, *np.median(np.argwhere(labels[k] == label), axis=0)) for label in (LEFT, RIGHT)
    ]
    return _between(middles[0], middles[1])


def midplane_of_body(body: BoolArray, geometry: Geometry, slice_index: int) -> Midplane:
    """Through the middle of a body, at right angles to its longer axis; through the middle of an empty slice.

    For images in which nothing was found. A body is wider than it is deep, so that its longer axis runs from
    side to side; rolls of up to 45 degrees can be recognised.

    Parameters
    ----------
    body : (y, x), pixels of the slice that show the body
    """
    _, height, width = geometry.shape
    pixels = np.argwhere(body).astype(float)
    if len(pixels) < 2:
        return Midplane(geometry.point_mm(slice_index, (height - 1) / 2, (width - 1) / 2), (1.0, 0.0, 0.0))
    points_mm = pixels * geometry.spacing_mm[1:]
    variances, axes = np.linalg.eigh(np.cov(points_mm.T))
    y, x = axes[:, 1] if variances[1] > MIN_ELONGATION**2 * max(variances[0], 1e-9) else (0.0, 1.0)
    if abs(x) < abs(y):
        y, x = 0.0, 1.0  # deeper than wide: a part of a body, which does not show its roll
    step = np.array([y, x]) * (1 if x > 0 else -1) / geometry.spacing_mm[1:]
    origin = np.array(geometry.point_mm(slice_index, 0, 0))
    left = np.array(geometry.point_mm(slice_index, *step)) - origin
    left /= np.linalg.norm(left)
    return Midplane(
        geometry.point_mm(slice_index, *pixels.mean(0)), (float(left[0]), float(left[1]), float(left[2]))
    )


def _between(left_mm: Point, right_mm: Point) -> Midplane | None:
    across = np.subtract(left_mm, right_mm)
    length_mm = float(np.linalg.norm(across))
    if not length_mm >= LEAST_APART_MM or across[0] <= 0:  # the left of a canonical image has the larger x
        return None
    x, y, z = (float(value) for value in across / length_mm)
    middle = np.add(left_mm, right_mm) / 2
    return Midplane((float(middle[0]), float(middle[1]), float(middle[2])), (x, y, z))
