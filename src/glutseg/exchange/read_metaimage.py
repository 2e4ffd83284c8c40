"""MetaImage masks (MHA), as ITK, SimpleITK and elastix write them; they have no names."""

from __future__ import annotations

import re
import zlib
from pathlib import Path

from glutseg.errors import GlutsegError
from glutseg.exchange.foreign import GridMask
from glutseg.exchange.read_nifti import grid_mask
from glutseg.exchange.read_nrrd import check_deflated, itk_geometry, read_itk

START = re.compile(rb"(ObjectType|NDims)\s*=")
WITHIN = re.compile(rb"^ElementDataFile\s*=\s*LOCAL[ \t]*\r?\n", re.MULTILINE | re.IGNORECASE)
COMPRESSED = re.compile(rb"^CompressedData\s*=\s*T", re.MULTILINE | re.IGNORECASE)
PLACE = (rb"Offset|Position|Origin", rb"TransformMatrix|Rotation|Orientation")
HEADER_BYTES = 100_000


def is_metaimage(start: bytes) -> bool:
    """Whether the first bytes of a file are those of a MetaImage header."""
    return START.match(start) is not None


def read(path: Path) -> GridMask:
    """A MetaImage mask in one file.

    Raises
    ------
    GlutsegError
        ``mask-unreadable``, ``mask-unplaceable``.
    """
    with path.open("rb") as file:
        header = file.read(HEADER_BYTES).replace(b"\r", b"")
    local = WITHIN.search(header)
    if local is None:
        raise GlutsegError("mask-unreadable", "its voxels lie in another file: save it as one", str(path))
    fields = header[: local.start()]
    if not all(re.search(rb"^(" + names + rb")\s*=", fields, re.MULTILINE) for names in PLACE):
        raise GlutsegError("mask-unplaceable", "the header has no offset and no directions", str(path))
    image, values = read_itk(path)
    if COMPRESSED.search(fields):
        with path.open("rb") as file:
            whole = WITHIN.search(file.read(HEADER_BYTES))
            file.seek(whole.end() if whole else 0)
            check_deflated(file, zlib.MAX_WBITS, values.nbytes, path)
    if values.ndim != 3:
        raise GlutsegError("mask-unreadable", "several values per voxel", str(path))
    return grid_mask(values, itk_geometry(image), {}, path)
