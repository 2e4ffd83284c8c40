"""Two codings that pydicom leaves to packages which are not among ours.

JPEG extended with 12 bits (process 2 and 4): pydicom asks GDCM for it only with 8 bits, though GDCM's
12-bit codec gives the same pixels as libjpeg-turbo's. High-throughput JPEG 2000: OpenJPEG decodes it.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from pydicom.uid import JPEGExtended12Bit

from glutseg.dicom.quiet import quiet_stderr

JPEG_EXTENDED_BITS = 12


def decode_jpeg12(frame: bytes, rows: int, columns: int) -> npt.NDArray[np.uint16]:
    """One grey frame (rows, columns) of a codestream whose size has been checked.

    Raises
    ------
    RuntimeError
        When GDCM cannot decode it.
    """
    import gdcm

    fragment = gdcm.Fragment()
    fragment.SetByteStringValue(frame)
    fragments = gdcm.SequenceOfFragments.New()
    fragments.AddFragment(fragment)
    element = gdcm.DataElement(gdcm.Tag(0x7FE0, 0x0010))
    element.SetValue(fragments.__ref__())
    image = gdcm.Image()
    image.SetNumberOfDimensions(2)
    image.SetDimensions((columns, rows, 1))
    image.SetDataElement(element)
    kind = gdcm.PhotometricInterpretation.GetPIType("MONOCHROME2")
    image.SetPhotometricInterpretation(gdcm.PhotometricInterpretation(kind))
    syntax = gdcm.TransferSyntax.GetTSType(str.__str__(JPEGExtended12Bit))
    image.SetTransferSyntax(gdcm.TransferSyntax(syntax))
    image.SetPixelFormat(gdcm.PixelFormat(1, 16, JPEG_EXTENDED_BITS, JPEG_EXTENDED_BITS - 1, 0))
    try:
        with quiet_stderr():  # its 8-bit codec, which it tries first, complains there
            content = image.GetBuffer().encode("utf-8", "surrogateescape")  # GDCM gives char* as str
    except Exception as error:
        raise RuntimeError("GDCM cannot decode it") from error
    if len(content) != 2 * rows * columns:
        raise RuntimeError("GDCM gives another size")
    return np.frombuffer(content, dtype="<u2").reshape(rows, columns).astype(np.uint16)


def decode_htj2k(frame: bytes) -> npt.NDArray[np.uint16]:
    """One grey frame (rows, columns) of a codestream whose size has been checked, sign bits as stored.

    Raises
    ------
    RuntimeError
        When OpenJPEG cannot decode it.
    """
    import openjpeg

    return np.asarray(openjpeg.decode(frame)).astype(np.uint16)
