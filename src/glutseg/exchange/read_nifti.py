"""NIfTI-1 and -2 masks with exactly the place that the file states, shear and all.

ITK straightens sheared grids and takes a place for granted where none is stated; here both are told.
"""

from __future__ import annotations

import re
import struct
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from glutseg.dicom.slices import MAX_VOXELS
from glutseg.dicom.text import clean_text
from glutseg.errors import GlutsegError
from glutseg.exchange.foreign import GridMask, Region
from glutseg.image import Geometry

HEADER_BYTES = {348: "<1", 540: "<2"}
TYPES = {
    2: "u1",
    4: "i2",
    8: "i4",
    16: "f4",
    64: "f8",
    256: "i1",
    512: "u2",
    768: "u4",
    1024: "i8",
    1280: "u8",
}
"""NIFTI_TYPE codes of numbers (nifti1.h)."""
MAX_EXTENSION_BYTES = 10_000_000
MM_PER_UNIT = {0: 1.0, 1: 1000.0, 2: 1.0, 3: 0.001}
"""Of xyzt_units: unknown is taken as mm, as every reader does."""
RAS_TO_LPS = np.diag([-1.0, -1.0, 1.0, 1.0])
SAME_PLACE_MM = 1.0
MAX_REGIONS = 10_000


@dataclass(frozen=True)
class _Header:
    shape: tuple[int, int, int]
    dtype: np.dtype[np.generic]
    offset: int
    slope: float
    intercept: float
    affine: npt.NDArray[np.float64]
    """4 x 4, from the index (x, y, z) to LPS mm."""
    end: int


def is_nifti(start: bytes) -> bool:
    """Whether a file that is not compressed begins like NIfTI."""
    return len(start) >= 4 and any(
        struct.unpack_from(f"{order}i", start)[0] in HEADER_BYTES for order in "<>"
    )


def read(path: Path) -> GridMask:
    """A NIfTI mask; names from its table of labels, where it has one.

    Raises
    ------
    GlutsegError
        ``mask-unreadable``, ``mask-unplaceable``.
    """
    content = _content(path)
    header = _header(content, path)
    extension = content[header.end : min(header.offset, header.end + MAX_EXTENSION_BYTES)]
    n = int(np.prod(header.shape))
    if len(content) < header.offset + n * header.dtype.itemsize:
        raise GlutsegError("mask-unreadable", "the file is cut short", str(path))
    flat = np.frombuffer(content, header.dtype, n, header.offset).reshape(header.shape[::-1])
    values = flat if (header.slope, header.intercept) == (1, 0) else flat * header.slope + header.intercept
    return grid_mask(values, geometry_of(header.affine, header.shape, path), _names(extension), path)


def grid_mask(
    values: npt.NDArray[np.generic], geometry: Geometry, names: Mapping[int, str], path: Path
) -> GridMask:
    """The regions of an array of labels (z, y, x).

    Raises
    ------
    GlutsegError
        ``mask-unreadable`` when the values are no whole numbers, or too many.
    """
    present = np.unique(values)
    if present.dtype.kind == "f" and not (np.isfinite(present).all() and (present == np.rint(present)).all()):
        raise GlutsegError("mask-unreadable", "labels are whole numbers", str(path))
    numbers = [int(v) for v in present if v != 0]
    if len(numbers) > MAX_REGIONS:
        raise GlutsegError("mask-unreadable", f"{len(numbers)} labels: this is an image", str(path))
    regions = tuple(Region(k, names.get(k, "")) for k in numbers)
    return GridMask(regions, geometry, lambda number: np.asarray(values == number))


def _content(path: Path) -> bytes:
    """The whole file, inflated no further than a mask can be large."""
    content = path.read_bytes()
    if not content.startswith(b"\x1f\x8b"):
        return content
    limit = 8 * MAX_VOXELS
    try:
        inflater = zlib.decompressobj(16 + zlib.MAX_WBITS)
        head = inflater.decompress(content, 544)
        if not is_nifti(head):
            raise GlutsegError("mask-unreadable", "the compressed file holds no NIfTI", str(path))
        size = _header(head.ljust(544, b"\0"), path)
        limit = size.offset + int(np.prod(size.shape)) * size.dtype.itemsize
        return head + inflater.decompress(inflater.unconsumed_tail, limit)
    except zlib.error as error:
        raise GlutsegError("mask-unreadable", "the compressed file is broken", str(path)) from error


def _header(content: bytes, path: Path) -> _Header:
    try:
        order = next(o for o in "<>" if struct.unpack_from(f"{o}i", content)[0] in HEADER_BYTES)
        is_one = struct.unpack_from(f"{order}i", content)[0] == 348
        header = _fields(content, order, is_one=is_one)
    except (StopIteration, struct.error, KeyError) as error:
        raise GlutsegError("mask-unreadable", "the header is no NIfTI's", str(path)) from error
    if min(header.shape) < 1 or np.prod(header.shape, dtype=float) > MAX_VOXELS or header.offset < header.end:
        raise GlutsegError("mask-unreadable", f"the header states absurd sizes {header.shape}", str(path))
    if not np.isfinite(header.affine).all() or abs(np.linalg.det(header.affine)) < 1e-9:
        raise GlutsegError("mask-unplaceable", "neither sform nor qform, or not clear", str(path))
    return header


def _fields(content: bytes, order: str, *, is_one: bool) -> _Header:
    def at(form: str, one: int, two: int) -> tuple[float, ...]:
        return struct.unpack_from(order + form, content, one if is_one else two)

    dims = at("8h" if is_one else "8q", 40, 16)
    if dims[0] > 3 and any(n > 1 for n in dims[4 : int(dims[0]) + 1]):
        dims = (0,) * 8  # frames in time: refused as absurd
    pixdim = at("8f" if is_one else "8d", 76, 104)
    offset = at("f" if is_one else "q", 108, 168)[0]
    slope, intercept = at("2f" if is_one else "2d", 112, 176)
    units = int(at("b" if is_one else "i", 123, 500)[0]) & 7
    qform_code, sform_code = at("2h" if is_one else "2i", 252, 344)
    quaternion = at("6f" if is_one else "6d", 256, 352)
    rows = at("12f" if is_one else "12d", 280, 400)
    sform = np.vstack([np.reshape(rows, (3, 4)), [0, 0, 0, 1]])
    affine = _affine(int(qform_code), int(sform_code), sform, _qform(quaternion, pixdim), dims)
    affine[:3] *= MM_PER_UNIT.get(units, 1.0)
    return _Header(
        shape=tuple(max(int(n), 1) if k < dims[0] else 1 for k, n in enumerate(dims[1:4])),  # type: ignore[arg-type]
        dtype=np.dtype(order + TYPES[int(at("h", 70, 12)[0])]),
        offset=int(offset),
        slope=slope if slope and np.isfinite(slope) else 1.0,
        intercept=intercept if slope and np.isfinite(slope) else 0.0,
        affine=RAS_TO_LPS @ affine,
        end=352 if is_one else 544,
    )


def _affine(
    qform_code: int,
    sform_code: int,
    sform: npt.NDArray[np.float64],
    qform: npt.NDArray[np.float64],
    dims: tuple[float, ...],
) -> npt.NDArray[np.float64]:
    """The sform, else the qform; NaN where there is neither, or the two contradict each other."""
    nowhere = np.full((4, 4), np.nan)
    if sform_code > 0 and qform_code > 0:
        far = np.array([max(dims[1] - 1, 0), max(dims[2] - 1, 0), max(dims[3] - 1, 0), 1.0])
        gaps = [(sform - qform) @ corner for corner in (np.array([0.0, 0, 0, 1]), far)]
        return sform if np.abs(gaps).max() <= SAME_PLACE_MM else nowhere
    if sform_code > 0:
        return sform
    return qform if qform_code > 0 else nowhere


def _qform(quaternion: tuple[float, ...], pixdim: tuple[float, ...]) -> npt.NDArray[np.float64]:
    """Method 2 of nifti1.h."""
    b, c, d, *offset = quaternion
    a = np.sqrt(max(0.0, 1.0 - (b * b + c * c + d * d)))
    rotation = np.array(
        [
            [a * a + b * b - c * c - d * d, 2 * b * c - 2 * a * d, 2 * b * d + 2 * a * c],
            [2 * b * c + 2 * a * d, a * a + c * c - b * b - d * d, 2 * c * d - 2 * a * b],
            [2 * b * d - 2 * a * c, 2 * c * d + 2 * a * b, a * a + d * d - c * c - b * b],
        ]
    )
    affine = np.eye(4)
    affine[:3, :3] = rotation * [pixdim[1], pixdim[2], pixdim[3] * (-1 if pixdim[0] < 0 else 1)]
    affine[:3, 3] = offset
    return affine


def geometry_of(affine: npt.NDArray[np.float64], shape: tuple[int, int, int], path: Path) -> Geometry:
    """The grid of an affine (index x, y, z to LPS mm) and the numbers of voxels along x, y, z.

    Raises
    ------
    GlutsegError
        ``mask-unplaceable``.
    """
    spacing = np.linalg.norm(affine[:3, :3], axis=0)
    if not (np.isfinite(spacing).all() and (spacing > 0).all()):
        raise GlutsegError("mask-unplaceable", "its voxels have no size", str(path))
    direction = affine[:3, :3] / spacing
    x, y, z = (float(s) for s in spacing)
    origin = (float(affine[0, 3]), float(affine[1, 3]), float(affine[2, 3]))
    return Geometry(shape[::-1], (z, y, x), origin, tuple(float(v) for v in direction.ravel()))


def _names(extension: bytes) -> dict[int, str]:
    """Of the table of labels in an extension, as TotalSegmentator and Connectome Workbench write it."""
    found = re.findall(
        rb'<Label\s[^<>]{0,200}?Key="(\d{1,6})"[^<>]{0,200}>\s*<!\[CDATA\[([^\]<>]{1,200})\]\]>', extension
    )
    return {int(key): clean_text(name.decode("utf-8", "replace")) for key, name in found}
