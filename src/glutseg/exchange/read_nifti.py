"""NIfTI masks of other programs, with the names of their labels."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import numpy.typing as npt

from glutseg.dicom.text import clean_text
from glutseg.errors import GlutsegError
from glutseg.exchange.foreign import GridMask, Region
from glutseg.image import Geometry
from glutseg.output.nifti import read_nifti

MAX_REGIONS = 10_000


def read(path: Path) -> GridMask:
    """A NIfTI mask; names from its table of labels, where it has one.

    Raises
    ------
    GlutsegError
        ``mask-unreadable``, ``mask-unplaceable``.
    """
    image = read_nifti(path)
    return grid_mask(image.values, image.geometry, _names(image.extension), path)


def grid_mask(
    values: npt.NDArray[np.generic], geometry: Geometry, names: Mapping[int, str], path: Path
) -> GridMask:
    """The regions of an array of labels (z, y, x).

    Raises
    ------
    GlutsegError
        ``mask-unreadable`` when the values are not whole numbers, or too many.
    """
    present = np.unique(values)
    if present.dtype.kind == "f" and not (np.isfinite(present).all() and (present == np.rint(present)).all()):
        raise GlutsegError("mask-unreadable", "labels are whole numbers", str(path))
    numbers = [int(v) for v in present if v != 0]
    if len(numbers) > MAX_REGIONS:
        raise GlutsegError("mask-unreadable", f"{len(numbers)} labels: this is an image", str(path))
    regions = tuple(Region(k, names.get(k, "")) for k in numbers)
    return GridMask(regions, geometry, lambda number: np.asarray(values == number))


def _names(extension: bytes) -> dict[int, str]:
    """From the table of labels in an extension, as TotalSegmentator and Connectome Workbench write it."""
    found = re.findall(
        rb'<Label\s[^<>]{0,200}?Key="(\d{1,6})"[^<>]{0,200}>\s*<!\[CDATA\[([^\]<>]{1,200})\]\]>', extension
    )
    return {int(key): clean_text(name.decode("utf-8", "replace")) for key, name in found}
