"""What research scripts may hand over: paths or objects, images of SimpleITK, masks of numpy."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from glutseg.case import locate
from glutseg.errors import GlutsegError
from glutseg.image import CtImage, Geometry, Mask
from glutseg.protocol import BY_HAND, NAMED_LEVELS, Protocol, load_protocol, with_level
from glutseg.result import Level

Image = CtImage | Any
"""A `CtImage`, a SimpleITK image whose values are HU, or an array (z, y, x) in HU with its spacing."""
MaskLike = Mask | npt.NDArray[Any] | Any
"""A `Mask`, what `segment` gives, a SimpleITK label image, or an array (z, y, x) on the grid of its image."""
LevelLike = Level | int | str
"""A `Level`, a slice of the image from 0, or a level in words: a landmark, ``z=MM`` or ``slice=N``."""

HIGHEST_PLAUSIBLE_SPACING_MM = 50.0
"""Between slices or pixels; more is another unit or not a spacing."""


def as_protocol(protocol: str | Path | Protocol, level: str | None = None) -> Protocol:
    """A protocol from its name, its file, itself, or a level by hand (``z=MM``, ``slice=N``, ``given``).

    Parameters
    ----------
    level : in place of the protocol's own

    Raises
    ------
    GlutsegError
        ``protocol-unknown``, ``protocol-invalid``.
    """
    if not isinstance(protocol, Protocol):
        is_level = isinstance(protocol, str) and protocol.partition("=")[0].strip() in BY_HAND
        protocol = load_protocol(level=str(protocol)) if is_level else load_protocol(protocol)
    return protocol if level is None else with_level(protocol, level)


def as_image(image: Image, spacing_mm: Sequence[float] | None = None) -> CtImage:
    """An image from itself, a SimpleITK image, or an array in HU with the spacing of its voxels.

    Parameters
    ----------
    spacing_mm : (z, y, x), for an array only; its slices then run from the feet to the head, its rows to the
        back and its columns to the patient's left

    Raises
    ------
    GlutsegError
        ``image-invalid`` for an array without spacing, of another shape or type, or anything else.
    """
    if isinstance(image, CtImage):
        return image
    if isinstance(image, np.ndarray):
        return _from_array(image, spacing_mm)
    if not hasattr(image, "GetSpacing"):
        raise GlutsegError(
            "image-invalid", f"expected a CtImage, a SimpleITK image or an array, got {type(image).__name__}"
        )
    if image.GetDimension() != 3:
        raise GlutsegError("image-invalid", f"an image has three dimensions, got {image.GetDimension()}")
    return CtImage.from_sitk(image)


def _from_array(values: npt.NDArray[Any], spacing_mm: Sequence[float] | None) -> CtImage:
    if spacing_mm is None:
        raise GlutsegError("image-invalid", "an array needs its spacing: spacing_mm=(z, y, x)")
    spacing = tuple(float(s) for s in spacing_mm)
    if values.ndim != 3 or len(spacing) != 3:
        message = f"expected three dimensions, got shape {values.shape} and spacing_mm {spacing}"
        raise GlutsegError("image-invalid", message)
    if not all(0 < s <= HIGHEST_PLAUSIBLE_SPACING_MM for s in spacing):
        raise GlutsegError("image-invalid", f"spacing_mm is (z, y, x) in mm, got {spacing}")
    limits = np.iinfo(np.int16)
    if values.dtype.kind not in "iuf" or not np.isfinite(values).all():
        raise GlutsegError("image-invalid", f"values are finite numbers in HU, got {values.dtype}")
    if values.min() < limits.min or values.max() > limits.max:
        raise GlutsegError("image-invalid", f"HU lie between {limits.min} and {limits.max}")
    hu = np.rint(values).astype(np.int16) if values.dtype.kind == "f" else values.astype(np.int16)
    return CtImage(hu, Geometry(hu.shape, spacing))


def as_mask(mask: MaskLike, image: CtImage, given: Image = None) -> Mask:
    """A mask on the grid of ``image``.

    Parameters
    ----------
    given : the image as it was handed over: an array that comes with a SimpleITK image is in its order

    Raises
    ------
    GlutsegError
        ``geometry-mismatch`` for an array of another shape; ``labels-unknown`` for values that are no labels:
        truth values, which do not tell left from right, 0 and 255, fractions, numbers below 0 or above 255.
    """
    mask = getattr(mask, "mask", mask)
    if isinstance(mask, Mask):
        return mask
    if not isinstance(mask, np.ndarray):
        import SimpleITK as sitk

        _check_labels(sitk.GetArrayViewFromImage(mask))
        return Mask.from_sitk(mask)
    is_stored = given is not None and hasattr(given, "GetSpacing")
    grid = image.stored if is_stored else image.geometry
    if mask.shape != grid.shape:
        raise GlutsegError("geometry-mismatch", f"mask of shape {mask.shape}, image of shape {grid.shape}")
    _check_labels(mask)
    labels = mask.astype(np.uint8)
    return Mask.from_array(labels, grid) if is_stored else Mask.on(image, labels)


def _check_labels(values: npt.NDArray[Any]) -> None:
    how = "; write 1 into the left and 2 into the right muscle: mask = left * 1 + right * 2"
    if values.dtype == bool:
        raise GlutsegError("labels-unknown", "True and False do not tell left (1) from right (2)" + how)
    if not np.array_equal(values, values.astype(np.uint8)):
        raise GlutsegError("labels-unknown", "labels are whole numbers from 0 to 255")
    present = np.unique(values)
    if present.tolist() in ([255], [0, 255]):
        raise GlutsegError("labels-unknown", "0 and 255 do not tell left (1) from right (2)" + how)


def as_level(level: LevelLike, image: CtImage, given: Image = None) -> Level:
    """A level from itself, a slice or words.

    Parameters
    ----------
    given : the image as it was handed over: a slice that comes with a SimpleITK image is in its order

    Raises
    ------
    GlutsegError
        ``level-outside``, ``level-in-gap``, ``slice-not-read``; ``protocol-invalid`` for words that name no
        level; those of finding a landmark.
    """
    if isinstance(level, Level):
        image.check_slice(level.slice_index)
        return level
    if isinstance(level, str):
        if level not in (*NAMED_LEVELS, "given") and "=" not in level:
            names = ", ".join(NAMED_LEVELS)
            message = f"no level {level!r}; level= takes {names}, 'z=MM', 'slice=N', 'given' or a number"
            raise GlutsegError("protocol-invalid", message)
        return locate(image, load_protocol(level=level).level)[1]
    slice_index = int(level)
    n_slices = image.geometry.shape[0]
    if not 0 <= slice_index < n_slices:
        raise GlutsegError(
            "level-outside", f"level={slice_index} asked for, the image has slices 0 to {n_slices - 1}"
        )
    if given is not None and hasattr(given, "GetSpacing"):
        slice_index = image.stored_slice(slice_index)
    image.check_slice(slice_index)
    return Level("slice", slice_index, image.geometry.slice_z_mm(slice_index))
