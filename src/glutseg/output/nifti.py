"""NIfTI files of labels, in and out, by nibabel.

SimpleITK would refuse a sheared grid, assume a place where the header states none, choose one of two places
that contradict each other, and recognise files by their names only.
"""

from __future__ import annotations

import gzip
import io
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from glutseg.dicom import nifti_file
from glutseg.dicom.limits import MAX_VOXELS
from glutseg.dicom.nifti_file import GZIP, GZIP_RATIO, RAS_TO_LPS, NiftiError, NiftiPlaceError
from glutseg.errors import GlutsegError
from glutseg.image import Geometry, LabelArray
from glutseg.output.gzipped import gzip_slices


@dataclass(frozen=True)
class NiftiImage:
    """The voxels (z, y, x) of a file, their place, and the extension between header and voxels."""

    values: npt.NDArray[Any]
    geometry: Geometry
    extension: bytes


def nifti_gz(labels: LabelArray, geometry: Geometry, extension: bytes = b"") -> bytes:
    """Labels (z, y, x) as compressed NIfTI-1, without a time stamp: equal labels are equal bytes.

    The sform holds the grid as it is. The qform cannot hold shear and is left out where there is any.

    Parameters
    ----------
    extension : written with code 0, which readers ignore if they do not know it
    """
    from nibabel.nifti1 import Nifti1Extension, Nifti1Header

    header = Nifti1Header(endianness="<")
    header.set_data_dtype(np.uint8)
    header.set_data_shape(geometry.shape[::-1])
    header.set_zooms(geometry.spacing_mm[::-1])
    header.set_xyzt_units("mm", "sec")
    affine = RAS_TO_LPS @ geometry.matrix
    header.set_sform(affine, "scanner")
    if not geometry.is_sheared:
        header.set_qform(affine, "scanner")
    if extension:
        header.extensions.append(Nifti1Extension(0, extension))
    start = io.BytesIO()
    header.write_to(start)
    return gzip_slices(start.getvalue(), labels)


def read_nifti(path: Path) -> NiftiImage:
    """A NIfTI-1 or -2 file in one piece, compressed or not, with its place exactly as the header states it.

    Sizes are checked before memory is taken for voxels.

    Raises
    ------
    GlutsegError
        ``mask-unreadable``; ``mask-unplaceable`` where the header has no place or two different ones.
    OSError
        When the file cannot be opened.
    """
    try:
        return _read(path)
    except NiftiPlaceError as error:
        raise GlutsegError("mask-unplaceable", str(error), str(path)) from error
    except NiftiError as error:
        raise GlutsegError("mask-unreadable", str(error), str(path)) from error
    except (zlib.error, gzip.BadGzipFile, EOFError) as error:
        raise GlutsegError("mask-unreadable", "the compressed file is broken", str(path)) from error


def _read(path: Path) -> NiftiImage:
    n_bytes = path.stat().st_size
    with path.open("rb") as file:
        is_gzip = file.read(len(GZIP)) == GZIP
        with nifti_file.opened(file) as stream:
            layout = nifti_file.read_layout(stream)
            geometry = layout.geometry()
            if layout.n_bytes // layout.dtype.itemsize > MAX_VOXELS:
                raise NiftiError(f"the header states absurd sizes {layout.shape}")
            if layout.offset + layout.n_bytes > n_bytes * (GZIP_RATIO if is_gzip else 1):
                raise NiftiError("the file is cut short")
            stream.seek(len(layout.header))
            extension = stream.read(layout.offset - len(layout.header))
            content = stream.read(layout.n_bytes)
            nifti_file.check_end(stream)
    values = nifti_file.voxels(content, layout, layout.shape[::-1])
    slope, intercept = layout.scaling
    if (slope, intercept) != (1, 0):
        values = values * slope + intercept
    return NiftiImage(values, geometry, extension)
