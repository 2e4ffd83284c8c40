"""The body's surface: fat and skin around the muscles, the cleft between the sides."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.ndimage import gaussian_filter

from glutseg.phantom.shapes import CIRCLE_POINTS, FloatArray, Solid, from_support, support_mm

SKIN_MM = 2.0
_STEP_MM = 8.0
_PRESSED = 0.65
"""The table presses the fat under the buttocks to this share of its thickness."""
_CLEFT_Z_MM = (-160, -125, -98, -72, -45, -25, -12)
_CLEFT_APEX_MM = (-200, -90, -15, 30, 60, 88, 125)
_CLEFT_WIDTH_MM = (30, 18, 8, 3, 2, 2, 1)


@dataclass(frozen=True)
class Surface:
    """The skin: a convex outline at every height, flattened by the table.

    Attributes
    ----------
    z_mm : heights
    reach_mm : (heights, directions) how far the body reaches
    table_mm : y of the table's top
    """

    z_mm: FloatArray
    reach_mm: FloatArray
    table_mm: float

    @classmethod
    def around(cls, solids: list[Solid], subcutaneous_mm: float) -> Surface:
        """The surface at a distance around muscles and bones, smoother than they are."""
        ends = np.array([s.z_range_mm for s in solids])
        z = np.arange(ends.min() + _STEP_MM, ends.max(), _STEP_MM)
        reach = np.stack([support_mm(np.vstack([p for s in solids for p in s.cut(float(k))])) for k in z])
        reach = gaussian_filter(reach, (10 / _STEP_MM, CIRCLE_POINTS * 10 / 360), mode=("nearest", "wrap"))
        angle = np.linspace(0, 2 * np.pi, CIRCLE_POINTS, endpoint=False)
        reach = reach + subcutaneous_mm * (0.92 + 0.08 * np.sin(angle))
        back = reach[(z > -90) & (z < 90), CIRCLE_POINTS // 4].max()
        return cls(z, reach, float(back - (1 - _PRESSED) * subcutaneous_mm))

    @property
    def z_range_mm(self) -> tuple[float, float]:
        return -np.inf, np.inf  # beyond the heights known it goes on as a cylinder

    def cut(self, z_mm: float) -> list[FloatArray]:
        place = np.clip((z_mm - self.z_mm[0]) / _STEP_MM, 0, len(self.z_mm) - 1.001)
        low = int(place)
        reach = self.reach_mm[low] * (1 - place + low) + self.reach_mm[low + 1] * (place - low)
        outline = from_support(reach)
        # pressed flat, with a soft corner: a softmin of the outline and the table's height
        y = outline[:, 1] - self.table_mm
        outline[:, 1] = self.table_mm - 3.0 * np.logaddexp(0.0, -y / 3.0)
        return [outline]


@dataclass(frozen=True)
class Cleft:
    """The air between the buttocks and, further down, between the thighs."""

    back_mm: float

    @property
    def z_range_mm(self) -> tuple[float, float]:
        return float(_CLEFT_Z_MM[0]), float(_CLEFT_Z_MM[-1])

    def cut(self, z_mm: float) -> list[FloatArray]:
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
