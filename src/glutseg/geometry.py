"""Regular grids in patient space: where every voxel lies, and in which order it is stored.

Points and directions are LPS in mm (x to the patient's left, y to the back, z to the head), as in DICOM and
ITK.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import numpy.typing as npt

POSITION_TOLERANCE_MM = 0.01
"""A slice this little beyond a range still belongs to it: positions are rounded in the headers."""
SHEAR_TOLERANCE = 1e-4
"""Cosine between axes at right angles: 0.05 mm over 500 mm; cosines rounded to four decimals stay below."""


@dataclass(frozen=True)
class Geometry:
    """A regular grid in patient space.

    Attributes
    ----------
    shape : (z, y, x)
    spacing_mm : (z, y, x)
    origin_mm : LPS (x, y, z) of the centre of voxel (0, 0, 0)
    direction : 3 x 3, row by row; its columns are the LPS unit vectors along which the x, y and z
        indices grow (ITK's convention)
    """

    shape: tuple[int, int, int]
    spacing_mm: tuple[float, float, float]
    origin_mm: tuple[float, float, float] = (0.0, 0.0, 0.0)
    direction: tuple[float, ...] = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0)

    def __post_init__(self) -> None:
        if len(self.shape) != 3 or len(self.spacing_mm) != 3 or len(self.direction) != 9:
            msg = f"a geometry has three dimensions, got shape {self.shape}, spacing {self.spacing_mm}"
            raise ValueError(msg)
        if not all(np.isfinite(s) and s > 0 for s in self.spacing_mm):
            msg = f"spacing must be positive and finite, got {self.spacing_mm} mm"
            raise ValueError(msg)

    @cached_property
    def matrix(self) -> npt.NDArray[np.float64]:
        """4 x 4, from the index (x, y, z, 1) to LPS mm."""
        affine = np.eye(4)
        columns = np.array(self.direction, dtype=float).reshape(3, 3)
        affine[:3, :3] = columns * np.array(self.spacing_mm[::-1])
        affine[:3, 3] = self.origin_mm
        return affine

    @property
    def in_words(self) -> str:
        """Shape and spacing of a canonical grid."""
        z, y, x = self.shape
        slices = f"{z} slices of {y} x {x} pixels"
        return f"{slices}, {self.spacing_mm[0]:g} x {self.spacing_mm[1]:g} x {self.spacing_mm[2]:g} mm"

    @property
    def pixel_area_mm2(self) -> float:
        """Area of one pixel of a slice."""
        return self.spacing_mm[1] * self.spacing_mm[2]

    @cached_property
    def voxel_volume_mm3(self) -> float:
        """Also of a sheared grid, where it is less than the product of the spacings."""
        box = self.pixel_area_mm2 * self.spacing_mm[0]
        return box * float(abs(np.linalg.det(np.reshape(self.direction, (3, 3))))) if self.is_sheared else box

    def point_mm(self, z: float, y: float, x: float) -> tuple[float, float, float]:
        """LPS position (x, y, z) of a continuous index."""
        p = self.matrix @ np.array([x, y, z, 1.0])
        return float(p[0]), float(p[1]), float(p[2])

    def index(self, point_mm: tuple[float, float, float]) -> tuple[float, float, float]:
        """Continuous index (z, y, x) of an LPS position."""
        i = np.linalg.solve(self.matrix, np.array([*point_mm, 1.0]))
        return float(i[2]), float(i[1]), float(i[0])

    def voxel_on(self, other: Geometry, voxel: tuple[int, int, int]) -> tuple[int, int, int]:
        """The voxel (z, y, x) of another grid nearest to the centre of a voxel of this one."""
        z, y, x = other.index(self.point_mm(*voxel))
        return round(z), round(y), round(x)

    def slice_z_mm(self, slice_index: float) -> float:
        """LPS z (mm, towards the head) of the middle of a slice."""
        return self.point_mm(slice_index, (self.shape[1] - 1) / 2, (self.shape[2] - 1) / 2)[2]

    @property
    def slice_step_mm(self) -> float:
        """Between the middles of neighbouring slices, along the patient's long axis."""
        return abs(self.slice_z_mm(1) - self.slice_z_mm(0))

    def slices_around(self, slice_index: int, reach_mm: float) -> range:
        """Slices whose middle lies within ``reach_mm`` of that of ``slice_index``, cut to the grid.

        ``reach_mm`` runs along the patient's long axis, up and down.
        """
        step_mm = self.slice_step_mm
        reach = int((reach_mm + POSITION_TOLERANCE_MM) / step_mm) if step_mm > 0 else 0
        return range(max(0, slice_index - reach), min(self.shape[0], slice_index + reach + 1))

    def nearest_slice(self, z_mm: float) -> int:
        """Slice whose middle is nearest to LPS ``z_mm``; may lie outside the grid."""
        first, second = self.slice_z_mm(0), self.slice_z_mm(1)
        return round((z_mm - first) / (second - first))

    @cached_property
    def tilt_degrees(self) -> float:
        """Angle between the slice normal and the patient's long axis."""
        columns = np.array(self.direction).reshape(3, 3)
        normal = np.cross(columns[:, 0], columns[:, 1])  # not the third column: that leans with the gantry
        return float(np.degrees(np.arccos(np.clip(abs(normal[2]) / np.linalg.norm(normal), 0, 1))))

    @cached_property
    def is_sheared(self) -> bool:
        """Whether the axes are not at right angles, as with gantry tilt."""
        columns = np.array(self.direction).reshape(3, 3)
        return float(np.abs(columns.T @ columns - np.eye(3)).max()) > SHEAR_TOLERANCE

    @cached_property
    def to_canonical(self) -> tuple[tuple[int, int, int], tuple[bool, bool, bool]]:
        """Transpose by the axes, then flip where true, to reach canonical order."""
        columns = np.array(self.direction).reshape(3, 3)
        strength = np.abs(columns)
        lps_to_column: dict[int, int] = {}
        for _ in range(3):  # greedy: the strongest pairing first, each axis once
            lps, column = np.unravel_index(int(np.argmax(strength)), (3, 3))
            lps_to_column[int(lps)] = int(column)
            strength[lps, :] = -1
            strength[:, column] = -1
        # array axis a holds index column 2 - a; canonical array axis a is LPS axis 2 - a
        axes = tuple(2 - lps_to_column[2 - a] for a in range(3))
        flips = tuple(bool(columns[2 - a, lps_to_column[2 - a]] < 0) for a in range(3))
        return axes, flips  # type: ignore[return-value]

    @property
    def is_axial(self) -> bool:
        """Whether slices are stacked along the patient's long axis (within 45 degrees)."""
        return self.to_canonical[0][0] == 0

    def canonical(self) -> Geometry:
        """The same grid with its axes in canonical order."""
        axes, flips = self.to_canonical
        shape = tuple(self.shape[a] for a in axes)
        spacing = tuple(self.spacing_mm[a] for a in axes)
        columns = np.array(self.direction).reshape(3, 3)
        corner = [0.0, 0.0, 0.0]
        new = np.empty((3, 3))
        for a, (axis, flip) in enumerate(zip(axes, flips, strict=True)):
            new[:, 2 - a] = columns[:, 2 - axis] * (-1 if flip else 1)
            if flip:
                corner[axis] = self.shape[axis] - 1
        return Geometry(
            shape=shape,  # type: ignore[arg-type]
            spacing_mm=spacing,  # type: ignore[arg-type]
            origin_mm=self.point_mm(*corner),
            direction=tuple(float(v) for v in new.ravel()),
        )

    @property
    def is_canonical(self) -> bool:
        """Whether the axes are in canonical order already."""
        return self.to_canonical == ((0, 1, 2), (False, False, False))

    @property
    def runs_to_feet(self) -> bool:
        """Whether the slices of an axial grid are stored from the head to the feet."""
        return self.to_canonical[1][0]

    def canonical_slice(self, slice_index: int) -> int:
        """Where a slice of an axial grid lies in canonical order, and the other way round."""
        return self.shape[0] - 1 - slice_index if self.runs_to_feet else slice_index

    def crop(self, box: tuple[slice, slice, slice]) -> Geometry:
        """Geometry of ``array[box]``; the slices need non-negative starts and step 1."""
        starts = [b.indices(n)[0] for b, n in zip(box, self.shape, strict=True)]
        stops = [b.indices(n)[1] for b, n in zip(box, self.shape, strict=True)]
        depth, rows, columns = (b - a for a, b in zip(starts, stops, strict=True))
        return replace(self, shape=(depth, rows, columns), origin_mm=self.point_mm(*starts))

    def matches(self, other: Geometry, tolerance_mm: float = 0.01) -> bool:
        """Same shape, and every voxel at the same place within ``tolerance_mm``."""
        if self.shape != other.shape:
            return False
        far = np.array([self.shape[2] - 1, self.shape[1] - 1, self.shape[0] - 1, 1.0])
        near = np.array([0.0, 0.0, 0.0, 1.0])
        gaps = [(self.matrix - other.matrix) @ corner for corner in (near, far)]
        return bool(max(np.abs(gap[:3]).max() for gap in gaps) <= tolerance_mm)
