"""NRRD masks, with the names that 3D Slicer gives the segments."""

from __future__ import annotations

import re
import zlib
from dataclasses import replace
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import numpy.typing as npt

from glutseg.dicom.limits import MAX_VOXELS
from glutseg.dicom.text import clean_text
from glutseg.errors import GlutsegError
from glutseg.exchange.foreign import GridMask, Region
from glutseg.exchange.read_nifti import grid_mask
from glutseg.exchange.terms import Term, term_of_codes
from glutseg.image import Geometry

MAX_SEGMENTS = 1000
GZIP_BITS, PIECE_BYTES = 16 + zlib.MAX_WBITS, 2**20
ENCODING = re.compile(rb"^encoding\s*:\s*(raw|gzip|gz)\s*$", re.MULTILINE)
KEY_OR_REMARK = re.compile(rb"#|[^:]*:=")
HEADER_BYTES = 2_000_000
"""More than 3D Slicer writes for `MAX_SEGMENTS`."""
MAX_FIELD = 500
"""Limit of characters of a line that is no remark and no ``key:=value``. ITK's reader repeats such a line in
its error messages, for which it has room for 1,024: a longer one ends the process (segmentation fault)."""


def read(path: Path) -> GridMask:
    """A NRRD mask; segments of 3D Slicer that overlap lie in layers of their own.

    Raises
    ------
    GlutsegError
        ``mask-unreadable``, ``mask-unplaceable``.
    """
    header = _header(path)
    if _says(header, b"data file") or _says(header, b"datafile"):
        raise GlutsegError("mask-unreadable", "its voxels lie in another file: save it as one", str(path))
    longest = max(map(len, (line for line in header.split(b"\n") if not KEY_OR_REMARK.match(line))))
    if longest > MAX_FIELD:
        raise GlutsegError("mask-unreadable", f"a line of the header has {longest} characters", str(path))
    if not (encoding := ENCODING.search(header)):  # ITK's reader of texts ends the process if they are none
        raise GlutsegError("mask-unreadable", "the encoding is neither raw nor gzip", str(path))
    image, values = read_itk(path)
    if encoding[1] != b"raw":
        with path.open("rb") as file:
            file.seek(_data_start(path))
            check_deflated(file, GZIP_BITS, values.nbytes, path)
    if not (_says(header, b"space directions") and _says(header, b"space")):  # ITK would take the origin
        raise GlutsegError("mask-unplaceable", "the header has no space and no space directions", str(path))
    geometry = itk_geometry(image)
    segments = _segments(image)
    if not segments and values.ndim == 3:
        return grid_mask(values, geometry, {}, path)
    if not segments:
        raise GlutsegError("mask-unreadable", "several values per voxel, and no segments", str(path))
    layers = values if values.ndim == 4 else values[..., None]
    places = {region.number: place for region, place in segments}
    if any(layer >= layers.shape[3] for layer, _ in places.values()):
        raise GlutsegError("mask-unreadable", "a segment names a layer that is not there", str(path))

    def pick(number: int) -> np.ndarray[tuple[int, ...], np.dtype[np.bool_]]:
        layer, value = places[number]
        return np.asarray(layers[..., layer] == value)

    return GridMask(tuple(region for region, _ in segments), geometry, pick)


def read_itk(path: Path) -> tuple[Any, npt.NDArray[Any]]:
    """An image in three dimensions as ITK reads it, and its values (z, y, x[, components]).

    Raises
    ------
    GlutsegError
        ``mask-unreadable``.
    """
    import SimpleITK as sitk

    reader = sitk.ImageFileReader()
    reader.SetFileName(str(path))
    try:
        reader.ReadImageInformation()
        if np.prod(reader.GetSize(), dtype=float) * reader.GetNumberOfComponents() > MAX_VOXELS:
            raise GlutsegError("mask-unreadable", "the header states absurd sizes", str(path))
        image = reader.Execute()
    except RuntimeError as error:
        raise GlutsegError("mask-unreadable", "the file is broken", str(path)) from error
    if image.GetDimension() != 3:
        raise GlutsegError("mask-unreadable", "a mask has three dimensions", str(path))
    return image, sitk.GetArrayFromImage(image)


def check_deflated(file: BinaryIO, window_bits: int, n_bytes: int, path: Path) -> None:
    """Compare the check sum of compressed voxels, which ITK does not.

    Parameters
    ----------
    file : where they begin
    window_bits : as `zlib.decompressobj` takes them
    n_bytes : of the voxels

    Raises
    ------
    GlutsegError
        ``mask-unreadable`` for a damaged file, or one with other than ``n_bytes``.
    """
    stream, n_found, rest = zlib.decompressobj(window_bits), 0, b""
    try:
        while not stream.eof and n_found <= n_bytes and (rest := rest or file.read(PIECE_BYTES)):
            n_found += len(stream.decompress(rest, PIECE_BYTES))
            rest = stream.unconsumed_tail
    except zlib.error:
        n_found = -1
    if not stream.eof or n_found != n_bytes:
        raise GlutsegError("mask-unreadable", "the compressed voxels are broken", str(path))


def _data_start(path: Path) -> int:
    """Behind the blank line that ends the header."""
    with path.open("rb") as file:
        match = re.search(rb"\r?\n\r?\n", file.read(HEADER_BYTES))
    return match.end() if match else 0


def _header(path: Path) -> bytes:
    """The header's lines in lower case."""
    with path.open("rb") as file:
        return file.read(HEADER_BYTES).lower().replace(b"\r", b"").split(b"\n\n", 1)[0]


def _says(header: bytes, field: bytes) -> bool:
    """Whether a field stands in the header, however the colon is set."""
    return re.search(rb"^" + field + rb"\s*:", header, re.MULTILINE) is not None


def itk_geometry(image: Any) -> Geometry:
    """The grid of an image of ITK."""
    x, y, z = image.GetSize()
    sx, sy, sz = image.GetSpacing()
    return Geometry((z, y, x), (sz, sy, sx), tuple(image.GetOrigin()), tuple(image.GetDirection()))


def _segments(image: Any) -> list[tuple[Region, tuple[int, int]]]:
    """(region, (layer, value)) of every segment of 3D Slicer, numbered by value if that tells them apart."""
    found: list[tuple[Region, tuple[int, int]]] = []
    for k in range(MAX_SEGMENTS):
        if not image.HasMetaDataKey(f"Segment{k}_Name"):
            break
        layer, value = (_number(image, f"Segment{k}_{what}", default) for what, default in _PLACE)
        tags = image.GetMetaData(f"Segment{k}_Tags") if image.HasMetaDataKey(f"Segment{k}_Tags") else ""
        name = clean_text(image.GetMetaData(f"Segment{k}_Name"))
        found.append((Region(k + 1, name, _term(tags)), (layer, value)))
    if len({value for _, (_, value) in found}) == len(found):
        return [(replace(region, number=place[1]), place) for region, place in found]
    return found


_PLACE = (("Layer", 0), ("LabelValue", 1))


def _number(image: Any, key: str, default: int) -> int:
    text = image.GetMetaData(key).strip() if image.HasMetaDataKey(key) else ""
    return int(text) if re.fullmatch(r"\d{1,6}", text, re.ASCII) else default


def _term(tags: str) -> Term | None:
    """Of the terminology entry: context~category~type~modifier~..."""
    match = re.search(r"TerminologyEntry:([^|]{1,1000})", tags)
    parts = match[1].split("~") if match else []
    codes = [re.findall(r"\^([^^]*)\^", part) for part in parts[2:4]]
    return term_of_codes(codes[0][0], tuple(codes[1])) if len(codes) == 2 and all(codes) else None
