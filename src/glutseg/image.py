"""Arrays with geometry: the only image types that travel between the rooms.

Arrays are (z, y, x). Points and directions are LPS in mm (x to the patient's left, y to the back,
z to the head), as in DICOM and ITK. Images and masks are in *canonical* order from the moment they are
read: increasing z, y and x indices run to the head, to the back and to the patient's left, so that left
and right never depend on how a scanner stored its columns. The *stored* order is that of the files; only
readers (`from_array`, `from_sitk`) and writers (`stored_labels`, `to_sitk`, `stored_slice`) know it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from glutseg.errors import Flag, GlutsegError

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

POSITION_TOLERANCE_MM = 0.01
"""A slice this little beyond a range still belongs to it: positions are rounded in the headers."""
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


def _reorder(array: npt.NDArray[Any], geometry: Geometry) -> npt.NDArray[Any]:
    axes, flips = geometry.to_canonical
    moved = np.transpose(array, axes)
    return moved[tuple(slice(None, None, -1) if f else slice(None) for f in flips)]


def _restore(array: npt.NDArray[Any], geometry: Geometry) -> npt.NDArray[Any]:
    axes, flips = geometry.to_canonical
    flipped = array[tuple(slice(None, None, -1) if f else slice(None) for f in flips)]
    return np.transpose(flipped, np.argsort(axes))


@dataclass(frozen=True, repr=False)
class CtImage:
    """CT in Hounsfield units, in canonical order, and what is known of its slices.

    Attributes
    ----------
    hu : int16 (z, y, x)
    geometry : canonical grid of ``hu``
    stored_geometry : grid of the files or of the image it was made from; ``geometry`` is its canonical form
    missing_slices : slices that no image shows; their values are interpolated, so that hips and muscles can
        be followed across a short gap
    unread_slices : slices that were not decoded because nothing is measured there; their values are
        interpolated from their neighbours and serve overviews
    sop_uids : SOP Instance UID of every slice, "" where no image shows it; empty where not from DICOM
    flags : quality flags of the images and their geometry
    """

    hu: Int16Array
    geometry: Geometry
    stored_geometry: Geometry | None = None
    missing_slices: frozenset[int] = frozenset()
    unread_slices: frozenset[int] = frozenset()
    sop_uids: tuple[str, ...] = ()
    flags: tuple[Flag, ...] = ()

    def __post_init__(self) -> None:
        _check_array(self.hu, self.geometry, np.int16)
        _check_grids(self.geometry, self.stored)

    @classmethod
    def from_array(
        cls,
        hu: Int16Array,
        stored: Geometry,
        *,
        missing_slices: Iterable[int] = (),
        unread_slices: Iterable[int] = (),
        sop_uids: Iterable[str] = (),
        flags: tuple[Flag, ...] = (),
    ) -> CtImage:
        """An image from an array in stored order (a view; nothing is copied or interpolated).

        Parameters
        ----------
        hu : int16 (z, y, x) on the grid ``stored``
        missing_slices, unread_slices, sop_uids : in stored order; left out where the grid is not axial,
            because its files are no axial slices
        """
        _check_array(hu, stored, np.int16)
        image = cls(_reorder(hu, stored), stored.canonical(), stored, flags=flags)
        if not stored.is_axial:
            return image
        uids = tuple(sop_uids)
        return replace(
            image,
            missing_slices=frozenset(map(stored.canonical_slice, missing_slices)),
            unread_slices=frozenset(map(stored.canonical_slice, unread_slices)),
            sop_uids=uids[::-1] if stored.runs_to_feet else uids,
        )

    @classmethod
    def from_sitk(cls, image: Any) -> CtImage:
        """From a SimpleITK image whose values are HU."""
        import SimpleITK as sitk

        return cls.from_array(sitk.GetArrayFromImage(sitk.Cast(image, sitk.sitkInt16)), _geometry_of(image))

    def __repr__(self) -> str:
        known = [f"{n} {words}" for n, words in self._slices_without_image if n]
        known += [f"flags: {', '.join(dict.fromkeys(map(str, self.flags)))}"] if self.flags else []
        return f"CtImage({'; '.join([self.geometry.in_words, *known])})"

    @property
    def _slices_without_image(self) -> tuple[tuple[int, str], ...]:
        return (len(self.missing_slices), "slices missing"), (len(self.unread_slices), "slices not read")

    @property
    def stored(self) -> Geometry:
        """Grid of the files."""
        return self.geometry if self.stored_geometry is None else self.stored_geometry

    def stored_slice(self, slice_index: int) -> int:
        """Place of a slice of an axial series in the order of its files, and the other way round."""
        return self.stored.canonical_slice(slice_index)

    def crop(self, box: tuple[slice, slice, slice]) -> CtImage:
        """The part within ``box``, as an image of its own; what is known of slices and files is left out."""
        return CtImage(self.hu[box], self.geometry.crop(box))

    def check_slice(self, slice_index: int) -> None:
        """Refuse a slice that must not be measured.

        Raises
        ------
        GlutsegError
            ``level-outside``; ``level-in-gap`` where no image shows the slice; ``slice-not-read`` where it
            was left out while reading.
        """
        n_slices = self.geometry.shape[0]
        if not 0 <= slice_index < n_slices:
            raise GlutsegError(
                "level-outside", f"slice {slice_index} asked for, the series has slices 0 to {n_slices - 1}"
            )
        if slice_index in self.missing_slices:
            raise GlutsegError("level-in-gap", f"no image shows slice {slice_index}")
        if slice_index in self.unread_slices:
            read = sorted(set(range(n_slices)) - self.unread_slices - self.missing_slices)
            raise GlutsegError(
                "slice-not-read",
                f"slice {slice_index} was not read, the slices read around the hips begin at {read[0]}",
            )

    def stored_hu(self) -> Int16Array:
        """The values in stored order (a view)."""
        return _restore(self.hu, self.stored)

    def to_sitk(self) -> Any:
        """As a SimpleITK image in stored order."""
        return _to_sitk(self.stored_hu(), self.stored)


@dataclass(frozen=True, repr=False)
class Mask:
    """Labels in canonical order (uint8, z, y, x): 0 background, else as in `LABELS`.

    ``geometry`` and ``stored_geometry`` are as in `CtImage`.
    """

    labels: LabelArray
    geometry: Geometry
    stored_geometry: Geometry | None = None

    def __post_init__(self) -> None:
        _check_array(self.labels, self.geometry, np.uint8)
        _check_grids(self.geometry, self.stored)

    @classmethod
    def from_array(cls, labels: LabelArray, stored: Geometry) -> Mask:
        """A mask from an array in stored order (a view)."""
        _check_array(labels, stored, np.uint8)
        return cls(_reorder(labels, stored), stored.canonical(), stored)

    @classmethod
    def from_sitk(cls, image: Any) -> Mask:
        """From a SimpleITK label image."""
        import SimpleITK as sitk

        return cls.from_array(sitk.GetArrayFromImage(sitk.Cast(image, sitk.sitkUInt8)), _geometry_of(image))

    @classmethod
    def on(cls, image: CtImage, labels: LabelArray) -> Mask:
        """Canonical labels on the grid of an image."""
        return cls(labels, image.geometry, image.stored)

    @property
    def stored(self) -> Geometry:
        """Grid of the files."""
        return self.geometry if self.stored_geometry is None else self.stored_geometry

    def __repr__(self) -> str:
        pixels = {
            int(label): int(n) for label, n in zip(*np.unique(self.labels, return_counts=True), strict=True)
        }
        counts = ", ".join(f"label {label}: {n} voxels" for label, n in pixels.items() if label)
        return f"Mask({self.geometry.in_words}; {counts or 'empty'})"

    def stored_labels(self) -> LabelArray:
        """The labels in stored order, contiguous in memory."""
        return np.ascontiguousarray(_restore(self.labels, self.stored))

    def to_sitk(self) -> Any:
        """As a SimpleITK image in stored order."""
        return _to_sitk(self.stored_labels(), self.stored)

    def cleared(self, slices: Collection[int]) -> Mask:
        """The mask with nothing on some slices."""
        if not slices:
            return self
        labels = self.labels.copy()
        labels[list(slices)] = 0
        return replace(self, labels=labels)


def _check_grids(geometry: Geometry, stored: Geometry) -> None:
    if not geometry.is_canonical:
        msg = "the axes are not in canonical order (head, back, left); use from_array"
        raise ValueError(msg)
    if stored is not geometry and not stored.canonical().matches(geometry):
        msg = f"the grid {geometry} is not the canonical form of {stored}"
        raise ValueError(msg)


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
