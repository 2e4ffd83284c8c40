"""Small synthetic CT series as real DICOM files, and slice headers without files."""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from pydicom.datadict import tag_for_keyword
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, RLELossless, generate_uid

from glutseg.dicom.model import CT_IMAGE, SliceHeader
from glutseg.dicom.source import Source

IDENTITY = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0)
ORIGIN = (-10.0, -20.0, 100.0)
SPACING = (3.0, 0.8, 0.7)


def pattern(shape: tuple[int, int, int] = (5, 8, 6)) -> np.ndarray:
    """HU in canonical order, all voxels different."""
    return np.arange(np.prod(shape), dtype=np.int16).reshape(shape) - 900


def ct_dataset(pixels: np.ndarray, position: Sequence[float], number: int, **tags: Any) -> Dataset:
    """One CT image whose stored values are ``pixels`` (int16 or uint16)."""
    ds = Dataset()
    ds.SOPClassUID = CT_IMAGE
    ds.SOPInstanceUID = generate_uid(entropy_srcs=[str(tags), str(position), str(number)])
    ds.PatientName = "SECRET^NAME"
    ds.PatientID = "P1"
    ds.PatientSize = "1.75"
    ds.StudyInstanceUID = "1.2.3"
    ds.SeriesInstanceUID = "1.2.3.4"
    ds.StudyDate = "20200102"
    ds.Modality = "CT"
    ds.ImageType = ["ORIGINAL", "PRIMARY", "AXIAL"]
    ds.ConvolutionKernel = "B30f"
    ds.SliceThickness = "99"  # always wrong, because it must not be used
    ds.InstanceNumber = number
    ds.ImagePositionPatient = [f"{v:.6f}" for v in position]
    ds.ImageOrientationPatient = list(IDENTITY)
    ds.PixelSpacing = [SPACING[1], SPACING[2]]
    ds.RescaleSlope, ds.RescaleIntercept = 1, -1024
    ds.SamplesPerPixel, ds.PhotometricInterpretation = 1, "MONOCHROME2"
    ds.Rows, ds.Columns = pixels.shape
    ds.BitsAllocated, ds.BitsStored, ds.HighBit = 16, 16, 15
    ds.PixelRepresentation = int(pixels.dtype.kind == "i")
    ds.PixelData = pixels.tobytes()
    for keyword, value in tags.items():
        if value is None:
            delattr(ds, keyword)
        else:
            setattr(ds, keyword, value)
    return ds


def save(ds: Dataset, path: Path, syntax: str = ExplicitVRLittleEndian) -> Path:
    if not hasattr(ds, "file_meta"):
        ds.file_meta = FileMetaDataset()
        ds.file_meta.TransferSyntaxUID = syntax
    ds.file_meta.MediaStorageSOPClassUID = ds.get("SOPClassUID", "1.2")
    ds.file_meta.MediaStorageSOPInstanceUID = ds.get("SOPInstanceUID", "1.2")
    path.parent.mkdir(parents=True, exist_ok=True)
    ds.save_as(path, enforce_file_format=True)
    return path


def compress(ds: Dataset) -> None:
    """RLE, the one compression that needs no library."""
    ds.file_meta = FileMetaDataset()
    ds.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    ds.compress(RLELossless, generate_instance_uid=False)


def overwrite(path: Path, keyword: str, junk: bytes) -> None:
    """Put bytes into a saved value that pydicom would not write; the length stays."""
    content = path.read_bytes()
    tag = tag_for_keyword(keyword)
    start = content.index(struct.pack("<HH", tag >> 16, tag & 0xFFFF)) + 8
    length = int.from_bytes(content[start - 2 : start], "little")
    path.write_bytes(content[:start] + junk[:length].ljust(length) + content[start + length :])


def write_series(
    folder: Path,
    hu: np.ndarray | None = None,
    *,
    edit: Callable[[Dataset, int], None] | None = None,
    z_mm: Sequence[float] | None = None,
    **tags: Any,
) -> list[Path]:
    """Head-first supine series with these HU, one file per slice, changed by ``edit(ds, slice_index)``."""
    hu = pattern() if hu is None else hu
    paths = []
    for k, image in enumerate(hu):
        z = ORIGIN[2] + k * SPACING[0] if z_mm is None else z_mm[k]
        ds = ct_dataset((image.astype(np.int32) + 1024).astype(np.uint16), (*ORIGIN[:2], z), k + 1, **tags)
        if edit:
            edit(ds, k)
        paths.append(save(ds, folder / f"IM{k:04d}"))
    return paths


def header(z: float, number: int | None = 1, **fields: Any) -> SliceHeader:
    """A slice header at (0, 0, z), without a file."""
    values: dict[str, Any] = {
        "source": Source(Path(f"/nowhere/{number}-{z}")),
        "frame": 0,
        "sop_uid": f"1.9.{number}",
        "sop_class_uid": CT_IMAGE,
        "instance_number": number,
        "acquisition_number": 1,
        "position_mm": (0.0, 0.0, float(z)),
        "orientation": IDENTITY,
        "pixel_spacing_mm": (0.8, 0.7),
        "rows": 8,
        "columns": 6,
        "samples": 1,
        "rescale": (1.0, -1024.0),
        "padding": None,
    }
    return SliceHeader(**(values | fields))
