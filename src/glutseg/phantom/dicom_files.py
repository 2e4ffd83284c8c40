"""Write a phantom as DICOM files (CT Image Storage)."""

from __future__ import annotations

from dataclasses import asdict
from io import BytesIO
from pathlib import Path
from typing import Literal

import numpy as np
import numpy.typing as npt
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.encaps import encapsulate
from pydicom.uid import (
    CTImageStorage,
    ExplicitVRLittleEndian,
    JPEGLSLossless,
    RLELossless,
    generate_uid,
)

from glutseg.image import Geometry
from glutseg.phantom.render import Phantom

Position = Literal["HFS", "HFP", "HFDL", "HFDR", "FFS", "FFP", "FFDL", "FFDR"]
Compression = Literal["none", "jpeg-ls", "rle"]

AXES: dict[str, tuple[str, str]] = {
    "HFS": ("+x", "+y"),
    "HFP": ("-x", "-y"),
    "HFDL": ("-y", "+x"),
    "HFDR": ("+y", "-x"),
    "FFS": ("-x", "+y"),
    "FFP": ("+x", "-y"),
    "FFDL": ("+y", "+x"),
    "FFDR": ("-y", "-x"),
}
"""LPS directions of increasing column and row index as scanners store each position (PS3.3 C.7.3.1.1.2): the
lower side in the gantry is at the bottom of the image."""
_IMPLEMENTATION_UID = generate_uid(entropy_srcs=["glutseg"])
_INTERCEPT_HU = -1024


def write_dicom(
    phantom: Phantom,
    folder: Path,
    *,
    position: Position = "HFS",
    compression: Compression = "none",
) -> list[Path]:
    """Write a phantom as one CT series and return its files, ``IM0001.dcm`` being the nearest to the head.

    The same phantom and options give the same bytes. ``position`` sets PatientPosition and the
    order in which rows and columns are stored; the LPS coordinates do not change.
    """
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    slices = phantom.volume.geometry.shape[0]
    for number in range(1, slices + 1):
        path = folder / f"IM{number:04d}.dcm"
        dataset = _slice_dataset(phantom, slices - number, number, position)
        if compression == "rle":
            dataset.compress(RLELossless, encoding_plugin="pydicom", generate_instance_uid=False)
        elif compression == "jpeg-ls":
            _compress_by_gdcm(dataset)
        content = BytesIO()
        dataset.save_as(content, enforce_file_format=True)
        beside = path.with_suffix(".part")
        beside.write_bytes(content.getvalue())
        beside.replace(path)
        paths.append(path)
    return paths


def _compress_by_gdcm(dataset: Dataset) -> None:
    """To lossless JPEG-LS, for which pydicom has no encoder without another package."""
    import gdcm

    writer = gdcm.ImageWriter()  # owns the image
    image = writer.GetImage()
    image.SetNumberOfDimensions(2)
    image.SetDimensions((dataset.Columns, dataset.Rows, 1))
    kind = gdcm.PhotometricInterpretation(gdcm.PhotometricInterpretation.MONOCHROME2)
    image.SetPhotometricInterpretation(kind)
    image.SetTransferSyntax(gdcm.TransferSyntax(gdcm.TransferSyntax.ExplicitVRLittleEndian))
    image.SetPixelFormat(gdcm.PixelFormat(1, dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit, 0))
    pixels = gdcm.DataElement(gdcm.Tag(0x7FE0, 0x0010))
    pixels.SetByteStringValue(dataset.PixelData)
    image.SetDataElement(pixels)
    change = gdcm.ImageChangeTransferSyntax()
    change.SetTransferSyntax(gdcm.TransferSyntax(gdcm.TransferSyntax.JPEGLSLossless))
    change.SetInput(image)
    if not change.Change():
        raise RuntimeError("GDCM cannot encode it")
    element = change.GetOutput().GetDataElement()
    fragment = element.GetSequenceOfFragments().GetFragment(0)
    content = fragment.GetByteValue().GetBuffer().encode("utf-8", "surrogateescape")  # char* comes as str
    dataset.PixelData = encapsulate([content])
    dataset["PixelData"].is_undefined_length = True
    dataset.file_meta.TransferSyntaxUID = JPEGLSLossless


def _uid(phantom: Phantom, *more: str) -> str:
    body = repr(sorted(asdict(phantom.patient).items()))
    return generate_uid(entropy_srcs=["glutseg phantom", body, *more])


def _slice_dataset(phantom: Phantom, slice_index: int, number: int, position: Position) -> Dataset:
    scan = repr(sorted(asdict(phantom.scan).items())) + position
    dataset = Dataset()
    dataset.SOPClassUID = CTImageStorage
    dataset.SOPInstanceUID = _uid(phantom, scan, str(number))
    dataset.StudyInstanceUID = _uid(phantom)
    dataset.SeriesInstanceUID = _uid(phantom, scan)
    dataset.FrameOfReferenceUID = _uid(phantom, "frame")
    dataset.InstanceNumber = number
    _describe_study(dataset, phantom)
    _describe_scan(dataset, phantom, position)
    _set_geometry(dataset, phantom.volume.geometry, slice_index, position)
    _store_pixels(dataset, phantom.volume.hu[slice_index], position)
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.MediaStorageSOPClassUID = CTImageStorage
    dataset.file_meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset.file_meta.ImplementationClassUID = _IMPLEMENTATION_UID
    dataset.file_meta.ImplementationVersionName = "GLUTSEG_PHANTOM"
    return dataset


def _describe_study(dataset: Dataset, phantom: Phantom) -> None:
    patient = phantom.patient
    dataset.PatientName = "SYNTHETIC^PELVIS"
    dataset.PatientID = patient.patient_id
    dataset.PatientBirthDate = ""
    dataset.PatientSex = patient.sex
    dataset.PatientAge = f"{patient.age:03d}Y"
    dataset.PatientSize = f"{patient.height_m:.2f}"
    dataset.StudyDate = dataset.SeriesDate = dataset.AcquisitionDate = dataset.ContentDate = "20200101"
    dataset.StudyTime = dataset.SeriesTime = dataset.AcquisitionTime = dataset.ContentTime = "120000"
    dataset.StudyID = "1"
    dataset.AccessionNumber = ""
    dataset.ReferringPhysicianName = ""
    dataset.StudyDescription = "Synthetic pelvis"


def _describe_scan(dataset: Dataset, phantom: Phantom, position: Position) -> None:
    scan = phantom.scan
    dataset.Modality = "CT"
    dataset.Manufacturer = "glutseg phantom"
    dataset.ManufacturerModelName = "phantom"
    dataset.SpecificCharacterSet = "ISO_IR 192"
    dataset.ImageType = ["ORIGINAL", "PRIMARY", "AXIAL"]
    dataset.SeriesNumber = 2
    dataset.AcquisitionNumber = 1
    dataset.SeriesDescription = f"PELVIS {scan.slice_mm:g} {scan.kernel}"
    dataset.BodyPartExamined = "PELVIS"
    dataset.PatientPosition = position
    dataset.PositionReferenceIndicator = ""
    dataset.KVP = str(scan.kvp)
    dataset.ConvolutionKernel = scan.kernel
    dataset.SliceThickness = f"{scan.slice_mm:g}"
    if scan.contrast_hu:
        dataset.ContrastBolusAgent = "simulated"


def _set_geometry(dataset: Dataset, geometry: Geometry, slice_index: int, position: Position) -> None:
    along_row, along_column = AXES[position]
    _, rows, columns = geometry.shape
    reversed_axes = {axis[1] for axis in (along_row, along_column) if axis[0] == "-"}
    corner = geometry.point_mm(
        slice_index, rows - 1 if "y" in reversed_axes else 0, columns - 1 if "x" in reversed_axes else 0
    )
    dataset.ImagePositionPatient = [f"{v:.6g}" if v else "0" for v in corner]
    dataset.ImageOrientationPatient = [*_unit(along_row), *_unit(along_column)]
    dataset.SliceLocation = f"{corner[2]:.6g}"
    y_mm, x_mm = geometry.spacing_mm[1:]
    between_rows, between_columns = (y_mm, x_mm) if along_row[1] == "x" else (x_mm, y_mm)
    dataset.PixelSpacing = [f"{between_rows:g}", f"{between_columns:g}"]


def _unit(axis: str) -> list[int]:
    sign = -1 if axis[0] == "-" else 1
    return [sign, 0, 0] if axis[1] == "x" else [0, sign, 0]


def _stored(image: npt.NDArray[np.int16], position: Position) -> npt.NDArray[np.int16]:
    """Return a canonical slice with its rows and columns in stored order."""
    along_row, along_column = AXES[position]
    oriented = image if along_row[1] == "x" else image.T
    return oriented[:: -1 if along_column[0] == "-" else 1, :: -1 if along_row[0] == "-" else 1]


def _store_pixels(dataset: Dataset, hu: npt.NDArray[np.int16], position: Position) -> None:
    stored = (_stored(hu, position).astype(np.int32) - _INTERCEPT_HU).astype("<u2")
    dataset.Rows, dataset.Columns = stored.shape
    dataset.SamplesPerPixel = 1
    dataset.PhotometricInterpretation = "MONOCHROME2"
    dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit = 16, 12, 11
    dataset.PixelRepresentation = 0
    dataset.RescaleIntercept, dataset.RescaleSlope, dataset.RescaleType = str(_INTERCEPT_HU), "1", "HU"
    dataset.WindowCenter, dataset.WindowWidth = "40", "400"
    dataset.PixelData = stored.tobytes()
    dataset["PixelData"].VR = "OW"
