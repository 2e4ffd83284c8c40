"""Small CT series as real DICOM files in every orientation a scanner or a reformat may have."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pydicom
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, generate_uid

SHAPE = (7, 40, 48)
"""Slices, and rows and columns of a series whose rows run across the patient."""
SPACING_MM = (5.0, 1.5, 2.0)
ORIGIN_MM = np.array([-47.3, -120.6, 812.4])


def _turned(axis: str, degrees: float) -> np.ndarray:
    c, s = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    rows = {"x": [[1, 0, 0], [0, c, -s], [0, s, c]], "z": [[c, -s, 0], [s, c, 0], [0, 0, 1]]}
    return np.array(rows[axis])


X, Y, Z = np.eye(3)
_OBLIQUE = _turned("x", 12) @ _turned("z", 9)
FRAMES: dict[str, tuple[np.ndarray, np.ndarray, np.ndarray]] = {
    "HFS": (X, Y, Z),
    "HFP": (-X, -Y, Z),
    "HFDL": (-Y, X, Z),
    "HFDR": (Y, -X, Z),
    "FFS": (-X, Y, -Z),
    "FFP": (X, -Y, -Z),
    "FFDL": (Y, X, -Z),
    "FFDR": (-Y, -X, -Z),
    "tilted": (X, _turned("x", 15) @ Y, Z),
    "oblique": (_OBLIQUE @ X, _OBLIQUE @ Y, _OBLIQUE @ Z),
}
"""Along which columns grow, rows grow, and the table moves; "tilted" is sheared as by a tilted gantry."""


def write_ct(
    folder: Path, frame, *, drop: tuple[int, ...] = (), uid: str = "1", is_square: bool = False, **tags
) -> list[Path]:
    """One CT image per slice; every pixel has another value than its neighbours."""
    folder.mkdir(parents=True)
    row, column, step = frame
    n, ny, nx = SHAPE
    if is_square:
        ny, tags = nx, {"PixelSpacing": [1.5, 1.5], **tags}
    if abs(row[1]) > abs(row[0]):
        ny, nx = nx, ny
    hu = (np.add.outer(np.add.outer(np.arange(n) * 3, np.arange(ny) % 11), np.arange(nx) % 7) + 20).astype(
        np.int16
    )
    paths = []
    for k in range(n):
        if k in drop:
            continue
        position = ORIGIN_MM + k * SPACING_MM[0] * step
        path = folder / f"IM{k:02d}.dcm"
        _dataset(hu[k], position, row, column, k, uid, tags).save_as(path, enforce_file_format=True)
        paths.append(path)
    return paths


def _dataset(pixels, position, row, column, k, uid, tags) -> Dataset:
    ds = Dataset()
    ds.SOPClassUID = "1.2.840.10008.5.1.4.1.1.2"
    ds.SOPInstanceUID = generate_uid(entropy_srcs=["instance", uid, str(k)])
    ds.StudyInstanceUID = generate_uid(entropy_srcs=["study", uid])
    ds.SeriesInstanceUID = generate_uid(entropy_srcs=["series", uid])
    ds.FrameOfReferenceUID = generate_uid(entropy_srcs=["frame", uid])
    ds.PatientName, ds.PatientID, ds.PatientBirthDate, ds.PatientSex = "SECRET^NAME", "P1", "", "O"
    ds.StudyDate, ds.StudyTime, ds.StudyID, ds.AccessionNumber = "20200131", "101112", "1", ""
    ds.ReferringPhysicianName, ds.PositionReferenceIndicator = "", ""
    ds.Modality, ds.ImageType, ds.Manufacturer = "CT", ["ORIGINAL", "PRIMARY", "AXIAL"], "test"
    ds.SeriesNumber, ds.InstanceNumber, ds.SliceThickness, ds.KVP = 2, k + 1, "5", "120"
    ds.ImagePositionPatient = [f"{v:.8g}" for v in position]
    ds.ImageOrientationPatient = [f"{v + 0.0:.10g}" for v in (*row, *column)]
    ds.PixelSpacing = [SPACING_MM[1], SPACING_MM[2]]
    ds.RescaleSlope, ds.RescaleIntercept, ds.RescaleType = 1, 0, "HU"
    ds.SamplesPerPixel, ds.PhotometricInterpretation = 1, "MONOCHROME2"
    ds.Rows, ds.Columns = pixels.shape
    ds.BitsAllocated, ds.BitsStored, ds.HighBit, ds.PixelRepresentation = 16, 16, 15, 1
    ds.PixelData = pixels.tobytes()
    for keyword, value in tags.items():
        if value is None:
            delattr(ds, keyword)
        else:
            setattr(ds, keyword, value)
    ds.file_meta = FileMetaDataset()
    ds.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    ds.file_meta.MediaStorageSOPClassUID = ds.SOPClassUID
    ds.file_meta.MediaStorageSOPInstanceUID = ds.SOPInstanceUID
    return ds


def write_enhanced_ct(folder: Path, frame) -> list[Path]:
    """The same series as one multi-frame file."""
    parts = [pydicom.dcmread(path) for path in write_ct(folder / "parts", frame)]
    for path in (folder / "parts").iterdir():
        path.unlink()
    (folder / "parts").rmdir()
    ds = parts[0]
    ds.SOPClassUID = ds.file_meta.MediaStorageSOPClassUID = "1.2.840.10008.5.1.4.1.1.2.1"
    shared = Dataset()
    shared.PixelMeasuresSequence = [Dataset()]
    shared.PixelMeasuresSequence[0].PixelSpacing = ds.PixelSpacing
    shared.PixelMeasuresSequence[0].SliceThickness = ds.SliceThickness
    shared.PlaneOrientationSequence = [Dataset()]
    shared.PlaneOrientationSequence[0].ImageOrientationPatient = ds.ImageOrientationPatient
    shared.PixelValueTransformationSequence = [Dataset()]
    shared.PixelValueTransformationSequence[0].RescaleSlope = 1
    shared.PixelValueTransformationSequence[0].RescaleIntercept = 0
    shared.PixelValueTransformationSequence[0].RescaleType = "HU"
    groups = []
    for part in parts:
        group = Dataset()
        group.PlanePositionSequence = [Dataset()]
        group.PlanePositionSequence[0].ImagePositionPatient = part.ImagePositionPatient
        groups.append(group)
    ds.NumberOfFrames = len(parts)
    ds.SharedFunctionalGroupsSequence, ds.PerFrameFunctionalGroupsSequence = [shared], groups
    ds.PixelData = b"".join(part.PixelData for part in parts)
    for keyword in ("ImagePositionPatient", "ImageOrientationPatient", "PixelSpacing", "RescaleSlope"):
        delattr(ds, keyword)
    ds.save_as(folder / "multi.dcm", enforce_file_format=True)
    return [folder / "multi.dcm"]
