"""A NIfTI file as the header of one series: each of its axial slices is a frame, as of a multi-frame file."""

from __future__ import annotations

import hashlib
import re
from dataclasses import replace
from typing import BinaryIO

import numpy as np

from glutseg.dicom.archive import MAX_RATIO, SMALL_BYTES
from glutseg.dicom.limits import MAX_ROWS, MAX_VOXELS
from glutseg.dicom.model import NIFTI_IMAGE, FileHeader, FileProblem, SeriesTags, SliceHeader
from glutseg.dicom.nifti_file import (
    FIRST_COMPRESSED_BYTES,
    NiftiContentError,
    NiftiError,
    NiftiLayout,
    NiftiPlaceError,
    header_start,
    is_nifti,
    opened,
    read_layout,
)
from glutseg.dicom.nifti_values import BROKEN, ValueSummary, summarise
from glutseg.dicom.source import Source
from glutseg.dicom.text import clean_text
from glutseg.geometry import Geometry

NAME_END = re.compile(r"\.nii(\.gz)?$", re.IGNORECASE)
BIDS_SUBJECT = re.compile(r"(sub-[A-Za-z0-9]+)(_.*)?")
"""Of the Brain Imaging Data Structure: the patient is named first."""
NNUNET_CHANNEL = re.compile(r"_0000$")
"""nnU-Net ends the name of an image with the number of its channel, which is 0 for CT."""
GENERAL_NAMES = frozenset(("ct", "image", "img", "volume", "vol", "scan", "data"))
"""Of files that are named alike in every patient's folder, as in the data set of TotalSegmentator."""
HIDDEN = "._"
"""Start of the names of files that macOS puts beside others."""
SPACING_RANGE_MM = (0.01, 50.0)
SQUARE_TOLERANCE = 0.01
"""Cosine between rows and columns, as for DICOM."""
UID_ROOT = "2.25"
"""Of UIDs that are made of a UUID or any other 128-bit number (PS3.5, B.2)."""


def is_nifti_file(start: bytes) -> bool:
    """Whether these first bytes of a file are those of a NIfTI, compressed or not."""
    return is_nifti(header_start(start[:FIRST_COMPRESSED_BYTES]))


def is_named_nifti(source: Source) -> bool:
    """Whether the file is named as a NIfTI."""
    return NAME_END.search(source.name) is not None and not source.name.startswith(HIDDEN)


def read_nifti_header(source: Source, file: BinaryIO, n_bytes: int) -> FileHeader | FileProblem | None:
    """Return the header of a NIfTI file; the problem if it cannot be read, None for a mask.

    All voxels are read once, in pieces: only they show whether this is a CT in HU, a mask or a damaged file,
    and the UIDs are made of them, so that the same image has the same UIDs wherever it lies.

    Parameters
    ----------
    n_bytes : size of the file
    """
    try:
        stream = opened(file)
        layout = read_layout(stream)
        _check_size(layout, n_bytes, is_compressed=stream is not file)
        values = summarise(stream, layout)
        return None if values.is_mask else _header(source, layout, values)
    except NiftiContentError as error:
        return _unusable(source, file, str(error))
    except BROKEN as error:
        message = str(error) if isinstance(error, NiftiError) else "the compressed file is damaged"
        return FileProblem(source, "file-unreadable", f"NIfTI: {message}")


def axial_grid(layout: NiftiLayout) -> tuple[Geometry, tuple[int, int, int]]:
    """The grid whose first axis is the one along the body, and the axes of the file's array in this order.

    Everything else stays as in the file: a mask on the grid of an axial file fits it voxel by voxel.

    Raises
    ------
    NiftiPlaceError
        When the header has no usable place for the voxels.
    """
    geometry = layout.geometry()
    if np.array_equal(np.abs(geometry.matrix), np.eye(4)):  # what nibabel and ITK write for an array alone
        raise NiftiPlaceError("its place is that of an array saved without one: 1 mm, from the origin")
    if not all(SPACING_RANGE_MM[0] <= mm <= SPACING_RANGE_MM[1] for mm in geometry.spacing_mm):
        raise NiftiPlaceError(f"the voxels have {_sizes(geometry)} mm")
    along = geometry.to_canonical[0][0]
    axes = (along, *(axis for axis in range(3) if axis != along))
    columns = np.array(geometry.direction).reshape(3, 3)
    direction = np.stack([columns[:, 2 - axes[2 - k]] for k in range(3)], axis=1)
    if abs(float(direction[:, 0] @ direction[:, 1])) > SQUARE_TOLERANCE:
        raise NiftiPlaceError("the rows and columns of its slices are not at right angles")
    return (
        replace(
            geometry,
            shape=tuple(geometry.shape[a] for a in axes),  # type: ignore[arg-type]
            spacing_mm=tuple(geometry.spacing_mm[a] for a in axes),  # type: ignore[arg-type]
            direction=tuple(float(v) for v in direction.ravel()),
        ),
        axes,  # type: ignore[return-value]
    )


def patient_id_of(source: Source) -> str:
    """The patient's id: only the file's name can hold it.

    The name without its ending (``PATIENT-1.nii.gz``) and the channel of nnU-Net (``PATIENT-1_0000``), of
    BIDS only the subject (``sub-01_ses-2_ct``); for a name that says nothing (``ct``) the folder's.
    """
    stem = NNUNET_CHANNEL.sub("", NAME_END.sub("", source.name))
    if subject := BIDS_SUBJECT.fullmatch(stem):
        stem = subject[1]
    if stem.casefold() in GENERAL_NAMES:
        if source.position is None:
            folder = source.path.absolute().parent.name
        else:
            folder = source.member.rpartition("/")[0].rpartition("/")[2] or source.path.stem
        stem = folder or stem
    return clean_text(stem)


def _check_size(layout: NiftiLayout, n_bytes: int, *, is_compressed: bool) -> None:
    x, y, z = layout.shape
    if max(layout.shape) > MAX_ROWS or x * y * z > MAX_VOXELS:
        raise NiftiError(f"the header states absurd sizes {layout.shape}")
    if not is_compressed and layout.offset + layout.n_bytes > n_bytes:
        raise NiftiError("the file is cut short")
    if is_compressed and layout.n_bytes > max(SMALL_BYTES, MAX_RATIO * n_bytes):
        raise NiftiError(f"{layout.n_bytes} bytes from {n_bytes} compressed ones are no image")


def _header(source: Source, layout: NiftiLayout, values: ValueSummary) -> FileHeader:
    uid = _uid(values.sha256)
    empty = _empty_header(source, uid)
    if reason := values.why_not_hu():
        return replace(empty, problem=("values-not-hu", reason))
    tags = replace(empty.tags, modality="CT")
    try:
        grid, _ = axial_grid(layout)
    except NiftiPlaceError as error:
        return replace(empty, tags=tags, problem=("geometry-missing", str(error)))
    columns = np.array(grid.direction).reshape(3, 3)
    step = columns[:, 2] * grid.spacing_mm[0]
    first = SliceHeader(
        source=source,
        frame=0,
        sop_uid=uid,
        sop_class_uid=NIFTI_IMAGE,
        instance_number=None,
        acquisition_number=None,
        position_mm=grid.origin_mm,
        orientation=tuple(float(v) for v in (*columns[:, 0], *columns[:, 1])),
        pixel_spacing_mm=grid.spacing_mm[1:],
        rows=grid.shape[1],
        columns=grid.shape[2],
        samples=1,
        rescale=layout.scaling,
        padding=None,
    )
    slices = tuple(replace(first, frame=k, position_mm=grid.point_mm(k, 0, 0)) for k in range(grid.shape[0]))
    return replace(empty, tags=tags, slices=slices, step_mm=tuple(float(v) for v in step))


def _unusable(source: Source, file: BinaryIO, message: str) -> FileHeader:
    """The header of a file whose voxels are not looked at."""
    file.seek(0)
    digest = hashlib.sha256(file.read(FIRST_COMPRESSED_BYTES)).hexdigest()
    return replace(_empty_header(source, _uid(digest)), problem=("geometry-irregular", message))


def _empty_header(source: Source, uid: str) -> FileHeader:
    tags = SeriesTags("", NIFTI_IMAGE, "NIfTI", "", (), None, "", "", "", "", "", "", "")
    return FileHeader(source, patient_id_of(source), uid, "", "", uid, tags, ())


def _uid(sha256: str) -> str:
    return f"{UID_ROOT}.{int(sha256[:32], 16)}"


def _sizes(geometry: Geometry) -> str:
    return " x ".join(f"{mm:g}" for mm in geometry.spacing_mm)
