"""The header of a NIfTI file: sizes, type and place of its voxels. Nothing is trusted, nothing is guessed."""

from __future__ import annotations

import gzip
import zlib
from dataclasses import dataclass
from typing import IO, Any, BinaryIO

import numpy as np
import numpy.typing as npt

from glutseg.image import Geometry

MAX_REST_BYTES, PIECE_BYTES = 2**32, 2**20
GZIP = b"\x1f\x8b"
GZIP_RATIO = 1032
"""No deflated byte holds more than this many (zlib.net/zlib_tech.html)."""
HEADER_BYTES = 540
"""Of NIfTI-2; NIfTI-1 has 348."""
FIRST_COMPRESSED_BYTES = 2**16
"""Enough of a compressed file for its header."""
MAX_EXTENSION_BYTES = 10_000_000
MAX_VOXEL_BYTES = 8
MM_PER_UNIT = {1: 1000.0, 2: 1.0, 3: 0.001}
"""Of xyzt_units (nifti1.h): metre, millimetre, micrometre. An unknown unit is taken for mm, as is usual."""
SAME_PLACE_MM = 1.0
SINGLE_BYTES = 4
"""Of a float of NIfTI-1; those of NIfTI-2 have eight."""
RAS_TO_LPS = np.diag([-1.0, -1.0, 1.0, 1.0])
PAIR_MAGIC = (b"ni1\0", b"ni2\0")
"""Of a header whose voxels are in a second file (nifti1.h)."""


class NiftiError(ValueError):
    """The file is damaged or no NIfTI in one piece."""


class NiftiContentError(NiftiError):
    """The file is a NIfTI, but not of three dimensions of numbers."""


class NiftiPlaceError(NiftiError):
    """The header has no place for the voxels, or two different ones."""


@dataclass(frozen=True)
class NiftiLayout:
    """What the header states of the voxels.

    Attributes
    ----------
    shape : voxels along x, y, z
    offset : of the first voxel in the file that is not compressed, in bytes
    scaling : (slope, intercept) from stored values to those meant
    header : the bytes of the header
    """

    shape: tuple[int, int, int]
    dtype: np.dtype[Any]
    offset: int
    scaling: tuple[float, float]
    header: bytes

    @property
    def n_bytes(self) -> int:
        """Of all voxels."""
        return int(np.prod(self.shape, dtype=object)) * self.dtype.itemsize

    def geometry(self) -> Geometry:
        """The grid of the sform, else of the qform, in the order of the file.

        Raises
        ------
        NiftiError, NiftiPlaceError
        """
        from nibabel.spatialimages import HeaderDataError

        try:
            return _geometry(_parsed(self.header), self.shape)
        except HeaderDataError as error:
            raise NiftiError(f"the header is invalid: {error}") from error


def header_start(start: bytes) -> bytes:
    """The first `HEADER_BYTES` of a file, inflated if it is compressed; b"" where it is not readable."""
    if not start.startswith(GZIP):
        return start[:HEADER_BYTES]
    try:
        return zlib.decompressobj(16 + zlib.MAX_WBITS).decompress(start, HEADER_BYTES)
    except zlib.error:
        return b""


def is_nifti(start: bytes) -> bool:
    """Whether the first `HEADER_BYTES` of a file that is not compressed are those of a NIfTI."""
    return _header_class(start) is not None


def opened(file: BinaryIO) -> IO[bytes]:
    """The bytes of the file at its start, inflated while they are read if they are compressed."""
    file.seek(0)
    is_gzip = file.read(len(GZIP)) == GZIP
    file.seek(0)
    return gzip.GzipFile(fileobj=file) if is_gzip else file  # type: ignore[return-value]


def check_end(stream: IO[bytes]) -> None:
    """Read a compressed file to its end, where its check sum is compared; nothing of any other file.

    Raises
    ------
    NiftiError, gzip.BadGzipFile, EOFError, zlib.error
        When more than `MAX_REST_BYTES` follow, or the file is damaged.
    """
    if not isinstance(stream, gzip.GzipFile):
        return
    for _ in range(MAX_REST_BYTES // PIECE_BYTES):
        if not stream.read(PIECE_BYTES):
            return
    raise NiftiError("the compressed file goes on behind its voxels")


def read_layout(stream: IO[bytes]) -> NiftiLayout:
    """Read the header of a NIfTI-1 or -2 file in one piece.

    Parameters
    ----------
    stream : at its start (`opened`); wherever it is left

    Raises
    ------
    NiftiError, NiftiContentError
    """
    from nibabel.spatialimages import HeaderDataError

    start = stream.read(HEADER_BYTES)
    kind = _header_class(start)
    if kind is None:
        raise NiftiError("the file is not a NIfTI")
    if _magic(start) in PAIR_MAGIC:
        raise NiftiError("the voxels are in a second file (.img); save both as one file (.nii.gz)")
    content = start[: kind.sizeof_hdr]
    try:
        header = _parsed(content)
        shape, dtype = _shape(header), header.get_data_dtype()
        offset, scaling = float(header["vox_offset"]), header.get_slope_inter()
    except (HeaderDataError, KeyError) as error:  # KeyError for an unknown type of voxels
        raise NiftiError(f"the header is invalid: {error}") from error
    if dtype.kind not in "iuf" or dtype.itemsize > MAX_VOXEL_BYTES:
        raise NiftiContentError(f"voxels are numbers, not {dtype}")
    if not kind.single_vox_offset <= offset <= HEADER_BYTES + MAX_EXTENSION_BYTES:
        raise NiftiError(f"the header states that the voxels start at byte {offset:g}")
    slope, intercept = (1.0, 0.0) if scaling[0] is None else map(float, scaling)
    return NiftiLayout(shape, dtype, int(offset), (slope, intercept), content)


def _header_class(start: bytes) -> Any:
    if start[:4] not in (b"\x5c\x01\0\0", b"\0\0\x01\x5c", b"\x1c\x02\0\0", b"\0\0\x02\x1c"):
        return None  # sizeof_hdr, 348 or 540, before nibabel is imported
    from nibabel.nifti1 import Nifti1Header
    from nibabel.nifti2 import Nifti2Header

    return next((kind for kind in (Nifti1Header, Nifti2Header) if kind.may_contain_header(start)), None)


def _magic(start: bytes) -> bytes:
    return start[4:8] if start[:4] in (b"\x1c\x02\0\0", b"\0\0\x02\x1c") else start[344:348]


def _parsed(content: bytes) -> Any:
    return _header_class(content.ljust(HEADER_BYTES, b"\0"))(content, check=False)


def _shape(header: Any) -> tuple[int, int, int]:
    """Voxels along x, y, z."""
    shape = tuple(int(n) for n in header.get_data_shape())
    x, y, z = (*shape, 1, 1, 1)[:3]
    if min(shape, default=0) < 1:
        raise NiftiError(f"the header states absurd sizes {shape}")
    if any(n > 1 for n in shape[3:]):
        sizes = " x ".join(map(str, shape))
        raise NiftiContentError(f"{sizes} voxels: one image has three dimensions, no times or channels")
    return x, y, z


def _geometry(header: Any, shape: tuple[int, int, int]) -> Geometry:
    header["pixdim"][0] = -1 if header["pixdim"][0] < 0 else 1  # many writers leave qfac 0, which means 1
    try:
        sform, qform = header.get_sform(coded=True)[0], header.get_qform(coded=True)[0]
    except ValueError as error:
        raise NiftiPlaceError("the qform is not a rotation") from error
    affine = qform if sform is None else sform
    if affine is None:
        raise NiftiPlaceError("the header has neither sform nor qform")
    if sform is not None and qform is not None:
        corners = np.array([[0, 0, 0, 1], [*np.subtract(shape, 1), 1]])
        if not np.abs((sform - qform) @ corners.T).max() <= SAME_PLACE_MM:
            raise NiftiPlaceError("sform and qform contradict each other")
    if header["srow_x"].dtype.itemsize == SINGLE_BYTES:
        affine = np.vectorize(_as_written)(affine)
    scale = MM_PER_UNIT.get(int(header["xyzt_units"]) & 7, 1.0)
    affine = RAS_TO_LPS @ np.diag([scale, scale, scale, 1.0]) @ affine
    if not np.isfinite(affine).all() or abs(np.linalg.det(affine)) < 1e-9:
        raise NiftiPlaceError("the voxels have no size")
    x_mm, y_mm, z_mm = (float(s) for s in np.linalg.norm(affine[:3, :3], axis=0))
    direction = affine[:3, :3] / [x_mm, y_mm, z_mm]
    origin = (float(affine[0, 3]), float(affine[1, 3]), float(affine[2, 3]))
    return Geometry(shape[::-1], (z_mm, y_mm, x_mm), origin, tuple(float(v) for v in direction.ravel()))


def _as_written(value: float) -> float:
    """The shortest decimal number that a float of 32 bits stands for: 1.1, not 1.10000002384."""
    return float(str(np.float32(value)))


def voxels(content: bytes, layout: NiftiLayout, shape: tuple[int, ...]) -> npt.NDArray[Any]:
    """Stored values from their bytes.

    Raises
    ------
    NiftiError
        When there are fewer bytes than the shape needs.
    """
    if len(content) < int(np.prod(shape)) * layout.dtype.itemsize:
        raise NiftiError("the file is cut short")
    return np.frombuffer(content, layout.dtype).reshape(shape)
