"""One saved image in every transfer syntax that can be written here."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import gdcm
import numpy as np
import pydicom
from pydicom.dataset import Dataset
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGLossless,
    JPEGLosslessSV1,
    JPEGLSLossless,
    RLELossless,
)

from glutseg.dicom.quiet import quiet_pydicom


def _saved_as(syntax: str) -> Callable[[Path], None]:
    def write(path: Path) -> None:
        ds = pydicom.dcmread(path)
        ds.file_meta.TransferSyntaxUID = syntax
        if syntax == ExplicitVRBigEndian:
            ds.PixelData = np.frombuffer(ds.PixelData, "<u2").byteswap().tobytes()
        native = Dataset(ds)
        native.file_meta = ds.file_meta
        native["PixelData"].VR = "OW"
        native.save_as(path, enforce_file_format=True)

    return write


def _compressed(syntax: str) -> Callable[[Path], None]:
    def write(path: Path) -> None:
        ds = pydicom.dcmread(path)
        with quiet_pydicom():
            ds.compress(syntax, generate_instance_uid=False)
        ds.save_as(path)

    return write


def _by_gdcm(syntax: str) -> Callable[[Path], None]:
    def write(path: Path) -> None:
        reader, change, writer = gdcm.ImageReader(), gdcm.ImageChangeTransferSyntax(), gdcm.ImageWriter()
        reader.SetFileName(str(path))
        assert reader.Read()
        change.SetTransferSyntax(gdcm.TransferSyntax(gdcm.TransferSyntax.GetTSType(str.__str__(syntax))))
        change.SetInput(reader.GetImage())
        assert change.Change()
        writer.SetFileName(str(path))
        writer.SetFile(reader.GetFile())
        writer.SetImage(change.GetOutput())
        assert writer.Write()

    return write


LOSSLESS: dict[str, Callable[[Path], None]] = {
    "implicit": _saved_as(ImplicitVRLittleEndian),
    "big endian": _saved_as(ExplicitVRBigEndian),
    "deflated": _saved_as(DeflatedExplicitVRLittleEndian),
    "RLE": _compressed(RLELossless),
    "JPEG-LS": _by_gdcm(JPEGLSLossless),
    "JPEG 2000": _by_gdcm(JPEG2000Lossless),
    "JPEG lossless": _by_gdcm(JPEGLossless),
    "JPEG lossless SV1": _by_gdcm(JPEGLosslessSV1),
}
"""Name: a function that rewrites an uncompressed file in place."""
