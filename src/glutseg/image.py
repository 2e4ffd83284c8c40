"""Arrays with geometry: the only image types that travel between the rooms.

Arrays are (z, y, x). Points and directions are LPS in mm (x to the patient's left, y to the back,
z to the head), as in DICOM and ITK. *Canonical* order means that increasing z, y and x indices run
to the head, to the back and to the patient's left: every algorithm works in that order, so that
left and right never depend on how a scanner stored its columns.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from glutseg.errors import GlutsegError

Side = Literal["left", "right"]
"""The patient's."""
Muscle = Literal["maximus", "medius", "minimus"]
"""Of the three glutei."""
LEFT = 1
"""Label of the patient's left gluteus maximus in every mask."""
RIGHT = 2
"""Label of the patient's right gluteus maximus in every mask."""
LABELS: dict[Muscle, dict[Side, int]] = {
    "maximus": {"left": LEFT, "right": RIGHT},
    "medius": {"left": 3, "right": 4},
    "minimus": {"left": 5, "right": 6},
}
"""Value of each muscle in every mask."""
SIDES = LABELS["maximus"]

SHEAR_TOLERANCE = 1e-4
"""Cosine between axes at right angles: 0.05 mm over 500 mm; cosines rounded to four decimals stay below."""

Int16Array = npt.NDArray[np.int16]
LabelArray = npt.NDArray[np.uint8]


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

    def slice_z_mm(self, k: float) -> float:
        """LPS z (mm, towards the head) of the middle of slice ``k``."""
        return self.point_mm(k, (self.shape[1] - 1) / 2, (self.shape[2] - 1) / 2)[2]

    @property
    def slice_step_mm(self) -> float:
        """Between the middles of neighbouring slices, along the patient's long axis."""
        return abs(self.slice_z_mm(1) - self.slice_z_mm(0))

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

    def canonical_slice(self, k: int) -> int:
        """Where slice ``k`` of an axial grid lies in canonical order (and the other way round)."""
        return self.shape[0] - 1 - k if self.to_canonical[1][0] else k

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


def _reorder(array: npt.NDArray[Any], geometry: Geometry) -> npt.NDArray[Any]:
    axes, flips = geometry.to_canonical
    moved = np.transpose(array, axes)
    return moved[tuple(slice(None, None, -1) if f else slice(None) for f in flips)]


def _restore(array: npt.NDArray[Any], geometry: Geometry) -> npt.NDArray[Any]:
    axes, flips = geometry.to_canonical
    flipped = array[tuple(slice(None, None, -1) if f else slice(None) for f in flips)]
    return np.transpose(flipped, np.argsort(axes))


@dataclass(frozen=True)
class CtImage:
    """CT in Hounsfield units: int16 array (z, y, x) on its grid."""

    hu: Int16Array
    geometry: Geometry

    def __post_init__(self) -> None:
        _check_array(self.hu, self.geometry, np.int16)

    def canonical(self) -> CtImage:
        """The same voxels in canonical order (a view, nothing is interpolated)."""
        return CtImage(_reorder(self.hu, self.geometry), self.geometry.canonical())

    def crop(self, box: tuple[slice, slice, slice]) -> CtImage:
        return CtImage(self.hu[box], self.geometry.crop(box))

    def to_sitk(self) -> Any:
        """As a SimpleITK image."""
        return _to_sitk(self.hu, self.geometry)

    @classmethod
    def from_sitk(cls, image: Any) -> CtImage:
        """From a SimpleITK image whose values are HU."""
        import SimpleITK as sitk

        return cls(sitk.GetArrayFromImage(sitk.Cast(image, sitk.sitkInt16)), _geometry_of(image))


@dataclass(frozen=True)
class Mask:
    """Labels (uint8, z, y, x) on a grid: 0 background, else as in `LABELS`."""

    labels: LabelArray
    geometry: Geometry

    def __post_init__(self) -> None:
        _check_array(self.labels, self.geometry, np.uint8)

    def canonical(self) -> Mask:
        return Mask(_reorder(self.labels, self.geometry), self.geometry.canonical())

    def restored(self, original: Geometry) -> Mask:
        """A canonical mask back in the axis order of ``original``, whose canonical form it is in.

        Raises
        ------
        GlutsegError
            ``geometry-mismatch`` when this mask is not on the canonical form of ``original``.
        """
        if not self.geometry.matches(original.canonical()):
            raise GlutsegError(
                "geometry-mismatch",
                f"the mask's grid {self.geometry} is not the canonical form of {original}",
            )
        return Mask(np.ascontiguousarray(_restore(self.labels, original)), original)

    def to_sitk(self) -> Any:
        """As a SimpleITK image."""
        return _to_sitk(self.labels, self.geometry)

    def cleared(self, slices: Collection[int]) -> Mask:
        """The mask with nothing on some slices."""
        if not slices:
            return self
        labels = self.labels.copy()
        labels[list(slices)] = 0
        return Mask(labels, self.geometry)

    @classmethod
    def from_sitk(cls, image: Any) -> Mask:
        """From a SimpleITK label image."""
        import SimpleITK as sitk

        return cls(sitk.GetArrayFromImage(sitk.Cast(image, sitk.sitkUInt8)), _geometry_of(image))


def _check_array(array: npt.NDArray[Any], geometry: Geometry, dtype: Any) -> None:
    if array.shape != geometry.shape:
        msg = f"array of shape {array.shape} on a grid of shape {geometry.shape}"
        raise ValueError(msg)
    if array.dtype != dtype:
        msg = f"expected {np.dtype(dtype)}, got {array.dtype}"
        raise ValueError(msg)


def _to_sitk(array: npt.NDArray[Any], geometry: Geometry) -> Any:
    import SimpleITK as sitk

    image = sitk.GetImageFromArray(np.ascontiguousarray(array))
    image.SetSpacing(geometry.spacing_mm[::-1])
    image.SetOrigin(geometry.origin_mm)
    image.SetDirection(geometry.direction)
    return image


def _geometry_of(image: Any) -> Geometry:
    x, y, z = image.GetSize()
    sx, sy, sz = image.GetSpacing()
    return Geometry(
        shape=(z, y, x),
        spacing_mm=(sz, sy, sx),
        origin_mm=tuple(image.GetOrigin()),
        direction=tuple(image.GetDirection()),
    )
