"""What other programs read from an exported file: the LPS places (mm) of every pixel of each label.

None of these uses a line of glutseg, and none of highdicom.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pydicom
import pytest
from matplotlib.path import Path as Outline

LABEL_NAMES = {
    "Gluteus maximus left": 1,
    "Gluteus maximus right": 2,
    "Gluteus medius left": 3,
    "Gluteus medius right": 4,
    "Gluteus minimus left": 5,
    "Gluteus minimus right": 6,
}
Places = dict[int, np.ndarray]
"""(pixels, 3) in mm, by label."""


def grid_mm(ds, rows_columns: np.ndarray) -> np.ndarray:
    """PS3.3, C.7.6.2.1.1: from rows and columns of an image to the patient."""
    position = np.array([float(v) for v in ds.ImagePositionPatient])
    across, down = np.reshape([float(v) for v in ds.ImageOrientationPatient], (2, 3))
    between_rows, between_columns = (float(v) for v in ds.PixelSpacing)
    rows, columns = rows_columns[:, :1], rows_columns[:, 1:]
    return position + columns * between_columns * across + rows * between_rows * down


def true_places(images: Path, sop_uids, labels) -> Places:
    """Of a mask in the order of its images, from the images' own headers."""
    datasets = {d.SOPInstanceUID: d for d in map(pydicom.dcmread, sorted(images.glob("*.dcm")))}
    found: dict[int, list[np.ndarray]] = {}
    for k, uid in enumerate(sop_uids):
        for label in np.unique(labels[k][labels[k] > 0]):
            found.setdefault(int(label), []).append(grid_mm(datasets[uid], np.argwhere(labels[k] == label)))
    return {label: np.concatenate(parts) for label, parts in found.items()}


def seg_by_pydicom(file: Path, _images: Path) -> Places:
    ds = pydicom.dcmread(file)
    names = {item.SegmentNumber: item.SegmentLabel for item in ds.SegmentSequence}
    shared = ds.SharedFunctionalGroupsSequence[0]
    found: dict[int, list[np.ndarray]] = {}
    for pixels, groups in zip(ds.pixel_array, ds.PerFrameFunctionalGroupsSequence, strict=True):
        plane = pydicom.Dataset()
        plane.ImagePositionPatient = groups.PlanePositionSequence[0].ImagePositionPatient
        plane.ImageOrientationPatient = shared.PlaneOrientationSequence[0].ImageOrientationPatient
        plane.PixelSpacing = shared.PixelMeasuresSequence[0].PixelSpacing
        number = groups.SegmentIdentificationSequence[0].ReferencedSegmentNumber
        found.setdefault(LABEL_NAMES[names[number]], []).append(grid_mm(plane, np.argwhere(pixels)))
    return {label: np.concatenate(parts) for label, parts in found.items()}


def rtstruct_by_outlines(file: Path, images: Path) -> Places:
    """Pixels whose centre lies within an odd number of lines, by matplotlib's test of points."""
    ds = pydicom.dcmread(file)
    names = {item.ROINumber: item.ROIName for item in ds.StructureSetROISequence}
    planes = {d.SOPInstanceUID: d for d in map(pydicom.dcmread, sorted(images.glob("*.dcm")))}
    found: dict[int, list[np.ndarray]] = {}
    for roi in ds.ROIContourSequence:
        by_image: dict[str, list] = {}
        for contour in roi.ContourSequence:
            uid = contour.ContourImageSequence[0].ReferencedSOPInstanceUID
            by_image.setdefault(uid, []).append(np.reshape([float(v) for v in contour.ContourData], (-1, 3)))
        for uid, lines in by_image.items():
            plane = planes[uid]
            centres = np.argwhere(np.ones((plane.Rows, plane.Columns)))
            inside = sum(
                Outline(_columns_rows(plane, line)).contains_points(centres[:, ::-1]) for line in lines
            )
            label = LABEL_NAMES[names[roi.ReferencedROINumber]]
            found.setdefault(label, []).append(grid_mm(plane, centres[inside % 2 == 1]))
    return {label: np.concatenate(parts) for label, parts in found.items()}


def _columns_rows(plane, points: np.ndarray) -> np.ndarray:
    """From mm to columns and rows of an image; every point must lie in its plane."""
    across, down = np.reshape([float(v) for v in plane.ImageOrientationPatient], (2, 3))
    away = points - np.array([float(v) for v in plane.ImagePositionPatient])
    assert np.abs(away @ np.cross(across, down)).max() < 0.01
    return np.column_stack([away @ across / plane.PixelSpacing[1], away @ down / plane.PixelSpacing[0]])


def labels_by_simpleitk(file: Path, _images: Path) -> Places:
    import SimpleITK as sitk

    image = sitk.ReadImage(str(file))
    labels = sitk.GetArrayFromImage(image)
    places = {}
    for label in np.unique(labels[labels > 0]):
        index = np.argwhere(labels == label)[:, ::-1]
        places[int(label)] = np.array([image.TransformIndexToPhysicalPoint(p) for p in index.tolist()])
    return places


def labels_by_nibabel(file: Path, _images: Path) -> Places:
    nibabel = pytest.importorskip("nibabel")
    image = nibabel.load(file)
    labels = np.asarray(image.dataobj)
    to_lps = np.diag([-1.0, -1.0, 1.0, 1.0]) @ image.affine
    return {
        int(label): nibabel.affines.apply_affine(to_lps, np.argwhere(labels == label))
        for label in np.unique(labels[labels > 0])
    }


READERS = {
    ("seg", "pydicom"): seg_by_pydicom,
    ("rtstruct", "pydicom and matplotlib"): rtstruct_by_outlines,
    ("nifti", "SimpleITK"): labels_by_simpleitk,
    ("nifti", "nibabel"): labels_by_nibabel,
    ("nrrd", "SimpleITK"): labels_by_simpleitk,
}
"""By format and program."""
