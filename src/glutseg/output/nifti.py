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
from typing import IO, Any

import numpy as np
import numpy.typing as npt

from glutseg.dicom.slices import MAX_VOXELS
from glutseg.errors import GlutsegError
from glutseg.image import Geometry, LabelArray
from glutseg.output.gzipped import gzip_slices

GZIP = b"\x1f\x8b"
GZIP_RATIO = 1032
"""No deflated byte holds more than this many (zlib.net/zlib_tech.html)."""
HEADER_BYTES = 540
"""Of NIfTI-2; NIfTI-1 has 348."""
MAX_EXTENSION_BYTES = 10_000_000
MAX_VOXEL_BYTES = 8
MM_PER_UNIT = {1: 1000.0, 2: 1.0, 3: 0.001}
"""Of xyzt_units (nifti1.h): metre, millimetre, micrometre. An unknown unit is taken for mm, as is usual."""
SAME_PLACE_MM = 1.0
RAS_TO_LPS = np.diag([-1.0, -1.0, 1.0, 1.0])


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


def is_nifti(start: bytes) -> bool:
    """Whether the first `HEADER_BYTES` of a file that is not compressed are those of a NIfTI."""
    return _header_class(start) is not None


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
    from nibabel.spatialimages import HeaderDataError

    n_bytes = path.stat().st_size
    with path.open("rb") as file:
        is_gzip = file.read(len(GZIP)) == GZIP
        file.seek(0)
        try:
            if is_gzip:
                with gzip.GzipFile(fileobj=file) as inflated:
                    return _read(inflated, n_bytes * GZIP_RATIO, path)
            return _read(file, n_bytes, path)
        except (HeaderDataError, KeyError) as error:  # KeyError for an unknown type of voxels
            raise GlutsegError("mask-unreadable", f"the header is invalid: {error}", str(path)) from error
        except (zlib.error, gzip.BadGzipFile, EOFError) as error:
            raise GlutsegError("mask-unreadable", "the compressed file is broken", str(path)) from error


def _read(file: IO[bytes] | gzip.GzipFile, max_bytes: int, path: Path) -> NiftiImage:
    start = file.read(HEADER_BYTES)
    kind = _header_class(start)
    if kind is None:
        raise GlutsegError("mask-unreadable", "the file is not a NIfTI", str(path))
    header = kind(start[: kind.sizeof_hdr], check=False)
    shape = _shape(header, path)
    dtype = header.get_data_dtype()
    if dtype.kind not in "iuf" or dtype.itemsize > MAX_VOXEL_BYTES:
        raise GlutsegError("mask-unreadable", f"labels are numbers, not {dtype}", str(path))
    start_of_voxels, n = float(header["vox_offset"]), int(np.prod(shape))
    if not kind.single_vox_offset <= start_of_voxels <= HEADER_BYTES + MAX_EXTENSION_BYTES:
        message = f"the header states that the voxels start at byte {start_of_voxels:g}"
        raise GlutsegError("mask-unreadable", message, str(path))
    offset = int(start_of_voxels)
    geometry = _geometry(header, shape, path)
    if offset + n * dtype.itemsize > max_bytes:
        raise GlutsegError("mask-unreadable", "the file is cut short", str(path))
    file.seek(kind.sizeof_hdr)
    extension = file.read(offset - kind.sizeof_hdr)
    content = file.read(n * dtype.itemsize)
    if len(content) < n * dtype.itemsize:
        raise GlutsegError("mask-unreadable", "the file is cut short", str(path))
    values = np.frombuffer(content, dtype).reshape(shape[::-1])
    slope, intercept = header.get_slope_inter()
    if slope is not None and (slope, intercept) != (1, 0):
        values = values * slope + intercept
    return NiftiImage(values, geometry, extension)


def _header_class(start: bytes) -> Any:
    from nibabel.nifti1 import Nifti1Header
    from nibabel.nifti2 import Nifti2Header

    return next((kind for kind in (Nifti1Header, Nifti2Header) if kind.may_contain_header(start)), None)


def _shape(header: Any, path: Path) -> tuple[int, int, int]:
    """Voxels along x, y, z."""
    shape = header.get_data_shape()
    x, y, z = (*shape, 1, 1)[:3]
    if any(n > 1 for n in shape[3:]):
        raise GlutsegError("mask-unreadable", "a mask has three dimensions", str(path))
    if min(x, y, z) < 1 or float(x) * y * z > MAX_VOXELS:
        raise GlutsegError("mask-unreadable", f"the header states absurd sizes {(x, y, z)}", str(path))
    return x, y, z


def _geometry(header: Any, shape: tuple[int, int, int], path: Path) -> Geometry:
    """The grid of the sform, else of the qform."""
    header["pixdim"][0] = -1 if header["pixdim"][0] < 0 else 1  # many writers leave qfac 0, which means 1
    try:
        sform, qform = header.get_sform(coded=True)[0], header.get_qform(coded=True)[0]
    except ValueError as error:
        raise GlutsegError("mask-unplaceable", "the qform is not a rotation", str(path)) from error
    affine = qform if sform is None else sform
    if affine is None:
        raise GlutsegError("mask-unplaceable", "the header has neither sform nor qform", str(path))
    if sform is not None and qform is not None:
        corners = np.array([[0, 0, 0, 1], [*np.subtract(shape, 1), 1]])
        if not np.abs((sform - qform) @ corners.T).max() <= SAME_PLACE_MM:
            raise GlutsegError("mask-unplaceable", "sform and qform contradict each other", str(path))
    scale = MM_PER_UNIT.get(int(header["xyzt_units"]) & 7, 1.0)
    affine = RAS_TO_LPS @ np.diag([scale, scale, scale, 1.0]) @ affine
    if not np.isfinite(affine).all() or abs(np.linalg.det(affine)) < 1e-9:
        raise GlutsegError("mask-unplaceable", "the voxels have no size", str(path))
    x_mm, y_mm, z_mm = (float(s) for s in np.linalg.norm(affine[:3, :3], axis=0))
    direction = affine[:3, :3] / [x_mm, y_mm, z_mm]
    origin = (float(affine[0, 3]), float(affine[1, 3]), float(affine[2, 3]))
    return Geometry(shape[::-1], (z_mm, y_mm, x_mm), origin, tuple(float(v) for v in direction.ravel()))
