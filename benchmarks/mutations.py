"""Phantom series in many encodings, and ways to break one of their files."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path

import gdcm
import numpy as np
import pydicom
from pydicom.uid import DeflatedExplicitVRLittleEndian, ExplicitVRBigEndian, ImplicitVRLittleEndian

from glutseg.phantom import PhantomPatient, PhantomScan, render
from glutseg.phantom.dicom_files import write_dicom

SCANS = {
    "small": PhantomScan(matrix=80, pixel_mm=5.0, slice_mm=20.0, z_range_mm=(-40.0, 60.0), noise_hu=9.0),
    "measured": PhantomScan(matrix=128, pixel_mm=3.2, slice_mm=10.0, z_range_mm=(-80.0, 110.0), noise_hu=9.0),
}
ABSURD = [
    b"", b"\0", b"-1", b"0", b"65535", b"1e400", b"nan", b"inf", b"-inf", b"9" * 60, b"1\\2\\3\\4\\5\\6\\7",
    b"\\" * 50, b"../../etc/passwd", b"\n\x1b[2J", b"<script>", b"\xff" * 8, b"\xff\xff", b"\0\0", b"\1\0",
    b"\x80\x80", b"A" * 10_000, "Ünïcode".encode(), b"\xff\xfe\xff\xfe", b"1.2.840.10008.1.2.4.90",
]  # fmt: skip
VRS = [
    b"UN",
    b"SQ",
    b"OW",
    b"OB",
    b"DS",
    b"IS",
    b"US",
    b"SS",
    b"FD",
    b"UI",
    b"LO",
    b"AT",
    b"UT",
    b"ZZ",
    b"\0\0",
]
LENGTHS = [0, 1, 3, 0xFFFF, 0xFFFE, 0x7FFF]


# bases


def _by_gdcm(path: Path, syntax: str) -> None:
    reader, change, writer = gdcm.ImageReader(), gdcm.ImageChangeTransferSyntax(), gdcm.ImageWriter()
    reader.SetFileName(str(path))
    reader.Read()
    change.SetTransferSyntax(gdcm.TransferSyntax(gdcm.TransferSyntax.GetTSType(syntax)))
    change.SetInput(reader.GetImage())
    change.Change()
    writer.SetFileName(str(path))
    writer.SetFile(reader.GetFile())
    writer.SetImage(change.GetOutput())
    writer.Write()


def _by_pydicom(path: Path, syntax: str) -> None:
    ds = pydicom.dcmread(path)
    if syntax == ExplicitVRBigEndian:
        ds.PixelData = np.frombuffer(ds.PixelData, "<u2").byteswap().tobytes()
    plain = pydicom.Dataset(ds)
    plain.file_meta = ds.file_meta
    plain.file_meta.TransferSyntaxUID = syntax
    plain.save_as(path, enforce_file_format=True)


def _without_preamble(path: Path, _: str) -> None:
    path.write_bytes(path.read_bytes()[132:])


BASES: dict[str, tuple[str, Callable[[Path, str], None] | None, str]] = {
    "explicit": ("none", None, ""),
    "no preamble": ("none", _without_preamble, ""),
    "implicit": ("none", _by_pydicom, ImplicitVRLittleEndian),
    "big endian": ("none", _by_pydicom, ExplicitVRBigEndian),
    "deflated": ("none", _by_pydicom, DeflatedExplicitVRLittleEndian),
    "rle": ("rle", None, ""),
    "jpeg-ls": ("jpeg-ls", None, ""),
    "jpeg lossless": ("none", _by_gdcm, "1.2.840.10008.1.2.4.70"),
    "jpeg 2000": ("none", _by_gdcm, "1.2.840.10008.1.2.4.90"),
}
"""Name: (compression by the phantom, what rewrites each file, into which syntax)."""


def write_bases(folder: Path) -> None:
    """A phantom in every base and size, once."""
    for size, scan in SCANS.items():
        phantom = render(PhantomPatient(seed=3, patient_id="FUZZ"), scan)
        for name, (compression, rewrite, syntax) in BASES.items():
            target = folder / f"{size} {name}"
            for path in write_dicom(phantom, target, compression=compression):  # type: ignore[arg-type]
                if rewrite:
                    rewrite(path, str(syntax))


# mutations


def _flip(content: bytearray, rng: random.Random, end: int) -> None:
    for _ in range(rng.choice([1, 1, 2, 8])):
        content[rng.randrange(end)] ^= 1 << rng.randrange(8)


def _truncate(content: bytearray, rng: random.Random, end: int) -> None:
    del content[rng.randrange(end) :]


def _splice(content: bytearray, rng: random.Random, end: int) -> None:
    start, length = rng.randrange(end), rng.choice([1, 2, 8, 64, 500])
    piece = content[start : start + length]
    at = rng.randrange(end)
    match rng.randrange(3):
        case 0:
            del content[start : start + length]
        case 1:
            content[at:at] = piece
        case _:
            content[at : at + length] = piece


def _elements(content: bytes) -> list[tuple[int, int, bool]]:
    """(offset of the value, its length, whether VR and length take 12 bytes) of the header's elements."""
    try:
        ds = pydicom.dcmread(pydicom.filebase.DicomBytesIO(content), force=True)
        raws = [ds.get_item(tag) for tag in ds] + [ds.file_meta.get_item(tag) for tag in ds.file_meta]
    except Exception:  # noqa: BLE001 - a base that pydicom cannot list is mutated blindly
        return []
    long = ("OB", "OW", "SQ", "UN", "UT", "OF")
    return [
        (r.value_tell, r.length, r.VR in long) for r in raws if hasattr(r, "value_tell") and r.length < 2**20
    ]


def _element(content: bytearray, rng: random.Random, end: int) -> None:
    """Replace the value, the VR or the length of one element."""
    elements = _elements(bytes(content))
    if not elements:
        _flip(content, rng, end)
        return
    value, length, is_long = rng.choice(elements)
    match rng.randrange(4):
        case 0:  # in place, of the same length
            content[value : value + length] = rng.choice(ABSURD)[:length].ljust(length)
        case 1:  # of its own length
            new = rng.choice(ABSURD)
            content[value : value + length] = new
            if not is_long:
                content[value - 2 : value] = min(len(new), 0xFFFF).to_bytes(2, "little")
        case 2:
            content[value - 4 : value - 2] = rng.choice(VRS)
        case _:
            content[value - 2 : value] = rng.choice(LENGTHS).to_bytes(2, "little")


MUTATIONS = [
    ("flip", _flip),
    ("truncate", _truncate),
    ("splice", _splice),
    ("element", _element),
    ("element", _element),
]


def mutate(content: bytes, rng: random.Random) -> tuple[str, bytes]:
    """A mutated copy and the mutation's name; half of them only touch the header."""
    mutated = bytearray(content)
    name, change = rng.choice(MUTATIONS)
    header = min(len(content), 1500)
    change(mutated, rng, header if rng.random() < 0.5 else len(content))
    return name, bytes(mutated)
