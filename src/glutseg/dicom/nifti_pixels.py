"""The slices of a NIfTI file in HU."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import IO, Any

import numpy as np
import numpy.typing as npt

from glutseg.dicom.hounsfield import LOWEST_HU, to_hu
from glutseg.dicom.model import SliceHeader
from glutseg.dicom.nifti_file import NiftiError, NiftiLayout, check_end, opened, read_layout, voxels
from glutseg.dicom.nifti_header import axial_grid
from glutseg.dicom.source import Opener
from glutseg.image import Int16Array


def nifti_slices(opener: Opener, headers: Sequence[SliceHeader]) -> Iterator[Int16Array]:
    """Yield slices of one file in HU (rows, columns), in the order in which they are asked for.

    Of a file that is stored slice by slice only one is in memory; of any other, all.

    Raises
    ------
    NiftiError, and those of `glutseg.dicom.text.BAD_FILE`
        When the file has changed since its header was read, or is damaged.
    """
    first = headers[0]
    with opener.open(first.source) as file:
        stream = opened(file)
        layout = read_layout(stream)
        grid, axes = axial_grid(layout)
        if grid.shape[1:] != (first.rows, first.columns) or layout.scaling != first.rescale:
            raise NiftiError("the file has changed since its header was read")
        stream.seek(layout.offset)
        if axes[0] == 0:
            stored = _one_by_one(stream, layout, [header.frame for header in headers])
        else:
            content = stream.read(layout.n_bytes)
            whole = np.transpose(voxels(content, layout, layout.shape[::-1]), axes)
            stored = (whole[header.frame] for header in headers)
        for number, values in enumerate(stored, start=1):
            if number == len(headers):  # a damaged file is known before its last slice is given away
                check_end(stream)
            yield _hu(values, layout)


def _one_by_one(stream: IO[bytes], layout: NiftiLayout, frames: Sequence[int]) -> Iterator[npt.NDArray[Any]]:
    x, y, z = layout.shape
    n_bytes = x * y * layout.dtype.itemsize
    for frame in frames:
        if not 0 <= frame < z:
            raise NiftiError("the file has changed since its header was read")
        stream.seek(layout.offset + frame * n_bytes)
        yield voxels(stream.read(n_bytes), layout, (y, x))


def _hu(stored: npt.NDArray[Any], layout: NiftiLayout) -> Int16Array:
    """Values that are no number mean no pixel, and are air."""
    slope, intercept = layout.scaling
    if stored.dtype.kind != "f":
        return to_hu(stored, slope, intercept)
    missing = (LOWEST_HU - intercept) / slope
    return to_hu(np.where(np.isnan(stored), missing, stored.astype(np.float64)), slope, intercept)
