"""Masks of other programs, as they lie in their files: what they outline, and where."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt

from glutseg.dicom.nifti_file import GZIP, HEADER_BYTES, is_nifti
from glutseg.errors import GlutsegError
from glutseg.exchange.terms import Term
from glutseg.image import Geometry

BoolArray = npt.NDArray[np.bool_]
Line = npt.NDArray[np.float64]
"""(points, 3): a closed line, LPS mm."""

MAX_FILE_BYTES = 4_000_000_000
DICOM_AT, DICOM = 128, b"DICM"
NRRD_START = b"NRRD"


@dataclass(frozen=True)
class Region:
    """One label, segment or ROI.

    Attributes
    ----------
    number : as the file counts it
    name : as the file calls it, cleaned; "" where it has no names
    term : what its codes mean; None where it has none
    """

    number: int
    name: str
    term: Term | None = None


@dataclass(frozen=True)
class Owner:
    """Whose mask or series it is, as a DICOM header says; "" where it does not.

    Attributes
    ----------
    series_uids : of the series itself, or those that a mask refers to
    """

    patient_id: str = ""
    study_uid: str = ""
    series_uids: frozenset[str] = frozenset()


@dataclass(frozen=True)
class GridMask:
    """Regions made of voxels.

    Attributes
    ----------
    pick : the voxels of a region by its number, on ``geometry``
    frame_uid : frame of reference; "" where the file names none
    """

    regions: tuple[Region, ...]
    geometry: Geometry
    pick: Callable[[int], BoolArray] = field(repr=False)
    frame_uid: str = ""
    owner: Owner = Owner()


@dataclass(frozen=True)
class ContourMask:
    """Regions made of closed lines, by number."""

    regions: tuple[Region, ...]
    lines: Mapping[int, tuple[Line, ...]] = field(repr=False)
    frame_uid: str = ""
    owner: Owner = Owner()


ForeignMask = GridMask | ContourMask


def read_foreign(path: Path) -> ForeignMask:
    """A mask file, by what it holds and not by its name.

    Parameters
    ----------
    path : NIfTI (also compressed), NRRD, MHA, DICOM SEG or RTSTRUCT

    Raises
    ------
    GlutsegError
        ``input-missing``, ``mask-unreadable``, ``mask-unplaceable``.
    """
    from glutseg.exchange import read_dicom, read_metaimage, read_nifti, read_nrrd

    try:
        if path.stat().st_size > MAX_FILE_BYTES:
            raise GlutsegError("mask-unreadable", "the file is too large to be a mask", str(path))
        with path.open("rb") as file:
            start = file.read(HEADER_BYTES)
    except OSError as error:
        raise GlutsegError("input-missing", "the mask cannot be opened", str(path)) from error
    if start[DICOM_AT:].startswith(DICOM):
        return read_dicom.read(path)
    if start.startswith(NRRD_START):
        return read_nrrd.read(path)
    if read_metaimage.is_metaimage(start):
        return read_metaimage.read(path)
    if start.startswith(GZIP) or is_nifti(start):
        return read_nifti.read(path)
    raise GlutsegError("mask-unreadable", "it is none of NIfTI, NRRD, MHA, DICOM SEG and RTSTRUCT", str(path))
