"""What research scripts may hand over: paths or objects, images of SimpleITK, masks of numpy."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from glutseg.errors import GlutsegError
from glutseg.image import CtImage, Mask
from glutseg.protocol import Protocol, load_protocol
from glutseg.result import Level

Image = CtImage | Any
"""A `CtImage`, or a SimpleITK image whose values are HU."""
MaskLike = Mask | npt.NDArray[Any] | Any
"""A `Mask`, a SimpleITK label image, or an array (z, y, x) on the grid of its image."""


def as_protocol(protocol: str | Path | Protocol) -> Protocol:
    """A protocol from its name, its file, itself, or a level as on the command line (``z=MM``, ``slice=N``).

    Raises
    ------
    GlutsegError
        ``protocol-unknown``, ``protocol-invalid``.
    """
    if isinstance(protocol, Protocol):
        return protocol
    is_level = isinstance(protocol, str) and protocol.partition("=")[0].strip() in ("z", "slice")
    return load_protocol(level=str(protocol)) if is_level else load_protocol(protocol)


def as_volume(image: Image) -> CtImage:
    """A volume from itself or a SimpleITK image."""
    return image if isinstance(image, CtImage) else CtImage.from_sitk(image)


def as_mask(mask: MaskLike, volume: CtImage) -> Mask:
    """A mask on the grid of ``volume``.

    Raises
    ------
    GlutsegError
        ``geometry-mismatch`` for an array of another shape; ``labels-unknown`` for values that are no labels:
        truth values, which do not tell left from right, fractions, numbers below 0 or above 255.
    """
    if isinstance(mask, Mask):
        return mask
    if not isinstance(mask, np.ndarray):
        import SimpleITK as sitk

        _check_labels(sitk.GetArrayViewFromImage(mask))
        return Mask.from_sitk(mask)
    if mask.shape != volume.hu.shape:
        raise GlutsegError(
            "geometry-mismatch", f"mask of shape {mask.shape}, image of shape {volume.hu.shape}"
        )
    _check_labels(mask)
    return Mask(mask.astype(np.uint8), volume.geometry)


def _check_labels(values: npt.NDArray[Any]) -> None:
    if values.dtype == bool:
        raise GlutsegError("labels-unknown", "truth values do not tell left (1) from right (2)")
    if not np.array_equal(values, values.astype(np.uint8)):
        raise GlutsegError("labels-unknown", "labels are whole numbers from 0 to 255")


def as_slice_index(level: Level | int) -> int:
    """From a level, or itself."""
    return level.slice_index if isinstance(level, Level) else level
