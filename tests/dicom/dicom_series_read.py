"""Series of the builder's pattern in every orientation, and what reading them gives."""

import numpy as np
from dicom_builder import ORIGIN, SPACING, ct_dataset, pattern, save
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence

from glutseg import dicom
from glutseg.dicom.model import ENHANCED_CT_IMAGE
from glutseg.image import Geometry

CANONICAL = Geometry((5, 8, 6), SPACING, ORIGIN)

# name: direction cosines of columns and rows, as scanners write them
ORIENTATIONS = {
    "HFS": (1, 0, 0, 0, 1, 0),
    "HFP": (-1, 0, 0, 0, -1, 0),
    "FFS": (-1, 0, 0, 0, 1, 0),
    "FFP": (1, 0, 0, 0, -1, 0),
    "HFDR": (0, 1, 0, -1, 0, 0),
    "HFDL": (0, -1, 0, 1, 0, 0),
    "FFDL": (0, 1, 0, 1, 0, 0),
    "FFDR": (0, -1, 0, -1, 0, 0),
    "coronal": (1, 0, 0, 0, 0, -1),
    "sagittal": (0, 1, 0, 0, 0, -1),
    "sagittal mirrored": (0, -1, 0, 0, 0, 1),
}


def load(folder, **options):
    (study,) = dicom.scan(folder).studies
    (series,) = study.series
    return dicom.read(series, **options)


def codes(loaded):
    return [f.code for f in loaded.flags]


def write_oriented(folder, cosines):
    """The pattern as another scanner would store it: the same HU at the same place in the patient."""
    row, column = np.array(cosines[:3]), np.array(cosines[3:])
    normal = np.cross(row, column)
    axes = [int(np.argmax(np.abs(v))) for v in (normal, column, row)]  # LPS axis of z, y, x
    corner = np.array(ORIGIN)
    hu = np.transpose(pattern(), [2 - a for a in axes])
    for array_axis, (lps, v) in enumerate(zip(axes, (normal, column, row), strict=True)):
        if v[lps] < 0:
            corner[lps] += (hu.shape[array_axis] - 1) * SPACING[2 - lps]
            hu = np.flip(hu, array_axis)
    spacing = [SPACING[2 - a] for a in axes]
    for k, image in enumerate(hu):
        ds = ct_dataset((image + 1024).astype(np.uint16), corner + k * spacing[0] * normal, k)
        ds.ImageOrientationPatient = [float(v) for v in cosines]
        ds.PixelSpacing = spacing[1:]
        save(ds, folder / f"{(k * 7) % 11}")


def enhanced(hu):
    """The pattern as one multi-frame file, its frames in reverse order."""
    ds = ct_dataset((hu[::-1].astype(np.int32) + 1024).astype(np.uint16)[0], ORIGIN, 1)
    ds.SOPClassUID = ENHANCED_CT_IMAGE
    shared, frames = Dataset(), []
    for keyword in ("ImagePositionPatient", "RescaleSlope", "RescaleIntercept"):
        delattr(ds, keyword)
    for sequence, keyword in (
        ("PlaneOrientationSequence", "ImageOrientationPatient"),
        ("PixelMeasuresSequence", "PixelSpacing"),
    ):
        inner = Dataset()
        setattr(inner, keyword, ds[keyword].value)
        delattr(ds, keyword)
        setattr(shared, sequence, Sequence([inner]))
    for k in reversed(range(len(hu))):
        frame, position, rescale = Dataset(), Dataset(), Dataset()
        position.ImagePositionPatient = [*ORIGIN[:2], ORIGIN[2] + 3 * k]
        rescale.RescaleSlope, rescale.RescaleIntercept = 1, -1024
        frame.PlanePositionSequence = Sequence([position])
        frame.PixelValueTransformationSequence = Sequence([rescale])
        frames.append(frame)
    ds.SharedFunctionalGroupsSequence = Sequence([shared])
    ds.PerFrameFunctionalGroupsSequence = Sequence(frames)
    ds.NumberOfFrames = len(hu)
    ds.PixelData = (hu[::-1].astype(np.int32) + 1024).astype(np.uint16).tobytes()
    return ds
