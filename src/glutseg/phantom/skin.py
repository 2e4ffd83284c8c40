"""The surface of the body: subcutaneous fat and skin, and the gluteal cleft."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.ndimage import gaussian_filter

from glutseg.phantom.shapes import CIRCLE_POINTS, FloatArray, Shape, from_support, support_mm

SKIN_MM = 2.0
_STEP_MM = 8.0
"""Distance of the heights at which the surface is computed."""
_COMPRESSED_SHARE = 0.65
"""Thickness of the fat under the buttocks, compressed by the table, relative to the uncompressed one."""
_CORNER_MM = 3.0
"""Roundness of the corners between the flattened and the free surface."""
# shape of the gluteal cleft: heights, y of its deepest point, width there
_CLEFT_Z_MM = (-160, -125, -98, -72, -45, -25, -12)
_CLEFT_APEX_MM = (-200, -90, -15, 30, 60, 88, 125)
_CLEFT_WIDTH_MM = (30, 18, 8, 3, 2, 2, 1)


@dataclass(frozen=True)
class Surface:
    """The skin: a convex outline at each height, flattened by the table.

    Attributes
    ----------
    z_mm : heights
    support_values_mm : (heights, directions), support function of the outlines (`support_mm`)
    table_mm : y of the table's surface
    """

    z_mm: FloatArray
    support_values_mm: FloatArray
    table_mm: float

    @classmethod
    def around(cls, shapes: list[Shape], subcutaneous_mm: float) -> Surface:
        """Return the surface around muscles and bones: their smoothed hull plus the subcutaneous fat."""
        ends = np.array([s.z_range_mm for s in shapes])
        z = np.arange(ends.min() + _STEP_MM, ends.max(), _STEP_MM)
        support = np.stack(
            [
                support_mm(np.vstack([p for s in shapes for p in s.cross_sections(float(height))]))
                for height in z
            ]
        )
        support = gaussian_filter(
            support, (10 / _STEP_MM, CIRCLE_POINTS * 10 / 360), mode=("nearest", "wrap")
        )
        angle = np.linspace(0, 2 * np.pi, CIRCLE_POINTS, endpoint=False)
        support = support + subcutaneous_mm * (0.92 + 0.08 * np.sin(angle))
        back = support[(z > -90) & (z < 90), CIRCLE_POINTS // 4].max()
        return cls(z, support, float(back - (1 - _COMPRESSED_SHARE) * subcutaneous_mm))

    @property
    def z_range_mm(self) -> tuple[float, float]:
        return -np.inf, np.inf  # continued as a cylinder beyond the computed heights

    def cross_sections(self, z_mm: float) -> list[FloatArray]:
        position = np.clip((z_mm - self.z_mm[0]) / _STEP_MM, 0, len(self.z_mm) - 1.001)
        low = int(position)
        below, above = self.support_values_mm[low : low + 2]
        outline = from_support(below * (1 - position + low) + above * (position - low))
        # flattened with rounded corners: a smooth minimum of the outline and the table's height
        y = outline[:, 1] - self.table_mm
        outline[:, 1] = self.table_mm - _CORNER_MM * np.logaddexp(0.0, -y / _CORNER_MM)
        return [outline]


@dataclass(frozen=True)
class Cleft:
    """The air between the buttocks and, further down, between the thighs."""

    back_mm: float

    @property
    def z_range_mm(self) -> tuple[float, float]:
        return float(_CLEFT_Z_MM[0]), float(_CLEFT_Z_MM[-1])

    def cross_sections(self, z_mm: float) -> list[FloatArray]:
        apex = float(np.interp(z_mm, _CLEFT_Z_MM, _CLEFT_APEX_MM))
        width = float(np.interp(z_mm, _CLEFT_Z_MM, _CLEFT_WIDTH_MM))
        back = self.back_mm
        if apex > back - 14:
            return []
        half = np.array(
            [
                [0, apex],
                [0.35 * width, apex + 8],
                [0.5 * width, back - 12],
                [width + 3, back - 1],
                [width + 6, back + 9],
            ]
        )
        mirror = half[1:][::-1] * np.array([-1, 1])
        return [np.vstack([half, mirror])]
