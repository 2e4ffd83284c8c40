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
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from glutseg.errors import Flag, GlutsegError
from glutseg.geometry import Geometry as Geometry  # what travels is imported from here

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

Int16Array = npt.NDArray[np.int16]
LabelArray = npt.NDArray[np.uint8]


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
    gaps_mm : heights (LPS z) at the ends of the image between which slices are missing: the series goes on
        beyond
    """

    hu: Int16Array
    geometry: Geometry
    stored_geometry: Geometry | None = None
    missing_slices: frozenset[int] = frozenset()
    unread_slices: frozenset[int] = frozenset()
    sop_uids: tuple[str, ...] = ()
    flags: tuple[Flag, ...] = ()
    gaps_mm: tuple[tuple[float, float], ...] = ()

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
