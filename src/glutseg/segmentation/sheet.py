"""A fan of rays in which the gluteus maximus is a layer.

Seen from a point between the midline and the femoral head, the gluteus maximus is the outermost
muscle towards the back: every ray that meets it meets its deep surface once and its outer surface
once. In the coordinates (slice, angle, radius) the muscle is therefore a layer between two surfaces,
its outer one is the border to the subcutaneous fat, and only the deep one has to be found.

The fan is laid out from the two femoral heads, so it turns with the patient, and the same code serves
both sides: angles count from straight back (0) towards the side of the body (90), radii in mm.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import ndimage as ndi

from glutseg.anatomy.hips import Hips
from glutseg.image import Geometry, Side

FloatArray = npt.NDArray[np.float32]
BoolArray = npt.NDArray[np.bool_]

CENTRE_SHARE = 0.62
"""The fan's centre lies this far from the midline to the femoral head: rays then leave the medial
end at the sacrum and the lateral end behind the trochanter at similar angles."""
ANGLES_DEGREES = np.arange(-60.0, 117.0, 1.0)
STEP_MM = 1.0
REACH_MM = 170.0
"""The outer surface lies 90 to 130 mm from the centre; very large patients reach 160 mm."""


@dataclass(frozen=True)
class Fan:
    """Rays from one centre, the same in every slice of a canonical volume.

    Attributes
    ----------
    centre_mm : LPS (x, y)
    lateral, posterior : LPS (x, y) unit vectors
    geometry : of the canonical volume
    """

    centre_mm: tuple[float, float]
    lateral: tuple[float, float]
    posterior: tuple[float, float]
    geometry: Geometry

    @classmethod
    def of(cls, hips: Hips, side: Side, geometry: Geometry) -> Fan:
        """The fan of one side."""
        left, right = (np.array(head.centre_mm[:2]) for head in (hips.left, hips.right))
        to_left = (left - right) / np.linalg.norm(left - right)
        middle = (left + right) / 2
        head = left if side == "left" else right
        centre = middle + CENTRE_SHARE * (head - middle)
        lateral = to_left if side == "left" else -to_left
        return cls(
            centre_mm=(float(centre[0]), float(centre[1])),
            lateral=(float(lateral[0]), float(lateral[1])),
            posterior=(float(-to_left[1]), float(to_left[0])),
            geometry=geometry,
        )

    @cached_property
    def radii_mm(self) -> npt.NDArray[np.float64]:
        return np.arange(0, REACH_MM, STEP_MM)

    @cached_property
    def _rays(self) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
        """Pixel index (y, x) of every (angle, radius)."""
        angle = np.deg2rad(ANGLES_DEGREES)[:, None]
        across, back = np.sin(angle) * self.radii_mm, np.cos(angle) * self.radii_mm
        x = self.centre_mm[0] + across * self.lateral[0] + back * self.posterior[0]
        y = self.centre_mm[1] + across * self.lateral[1] + back * self.posterior[1]
        g = self.geometry
        return (y - g.origin_mm[1]) / g.spacing_mm[1], (x - g.origin_mm[0]) / g.spacing_mm[2]

    @cached_property
    def window(self) -> tuple[slice, slice]:
        """The part (y, x) of a slice that the rays reach, with a margin for filters."""
        found = []
        for axis, index in enumerate(self._rays):
            size = self.geometry.shape[axis + 1]
            low = min(max(0, int(index.min()) - 6), size - 1)
            found.append(slice(low, max(low + 1, min(size, int(index.max()) + 7))))
        return found[0], found[1]

    def to_rays(self, images: npt.NDArray[Any], *, outside: float) -> FloatArray:
        """Sample images of the window (slices, y, x) along the rays: (slices, angle, radius)."""
        y, x = self._rays
        at = [y - self.window[0].start, x - self.window[1].start]
        sampled = [
            ndi.map_coordinates(i.astype(np.float32, copy=False), at, order=1, mode="constant", cval=outside)
            for i in images
        ]
        return np.stack(sampled)

    @cached_property
    def pixels(self) -> tuple[FloatArray, FloatArray]:
        """(angle index, radius mm) of every pixel of the window; the angle index is NaN off the fan."""
        g = self.geometry
        rows, columns = self.window
        x = g.origin_mm[0] + np.arange(columns.start, columns.stop) * g.spacing_mm[2] - self.centre_mm[0]
        y = g.origin_mm[1] + np.arange(rows.start, rows.stop) * g.spacing_mm[1] - self.centre_mm[1]
        across = x[None] * self.lateral[0] + y[:, None] * self.lateral[1]
        back = x[None] * self.posterior[0] + y[:, None] * self.posterior[1]
        radius = np.hypot(across, back)
        step = ANGLES_DEGREES[1] - ANGLES_DEGREES[0]
        angle = (np.rad2deg(np.arctan2(across, back)) - ANGLES_DEGREES[0]) / step
        angle[(angle < 0) | (angle > len(ANGLES_DEGREES) - 1) | (radius >= REACH_MM)] = np.nan
        return angle.astype(np.float32), radius.astype(np.float32)

    def between(self, deep_mm: npt.NDArray[Any], outer_mm: npt.NDArray[Any]) -> BoolArray:
        """Pixels of the window between two curves given as radius per angle; (y, x) bool."""
        angle, radius = self.pixels
        known = ~np.isnan(angle)
        inside = np.zeros(angle.shape, bool)
        at = np.arange(len(ANGLES_DEGREES))
        low = np.interp(angle[known], at, deep_mm)
        high = np.interp(angle[known], at, outer_mm)
        inside[known] = (radius[known] >= low) & (radius[known] <= high)
        return inside
