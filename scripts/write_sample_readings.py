"""Write sample_dicom/readings/rois.csv: what OsiriX's plug-in ExportROIs would export of the first phantom.

    python scripts/write_sample_readings.py

Two closed polygons on the slice that `glutseg run` measures, along the true outlines, as a person draws them:
with 40 corners each, that stray from the truth by half a millimetre or so. The same every time.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from glutseg import dicom
from glutseg.exchange.contours import filled, outlines, signed_area
from glutseg.exchange.measure_mask import load_series
from glutseg.image import SIDES
from glutseg.phantom import SAMPLE_PATIENTS, SAMPLE_SCAN, render

SAMPLE = Path(__file__).resolve().parents[1] / "sample_dicom"
READINGS = SAMPLE / "readings" / "rois.csv"
Z_MM = 20.0
"""The slice at the femoral heads' tops, as `glutseg run` chooses it."""
CORNERS = 40
STRAY_MM = 0.5
"""SD of the corners' distance from the true outline."""
WAVES = 8
"""Of the strays along the outline: a hand drifts, it does not jump."""
CLOSED_POLYGON = 11
HEADER = (
    "ImageNo,RoiNo,RoiMean,RoiMin,RoiMax,RoiTotal,RoiDev,RoiName,RoiCenterX,RoiCenterY,RoiCenterZ,"
    "LengthCm,LengthPix,AreaPix2, AreaCm2,RoiType,SOPInstanceUID,SeriesInstanceUID,StudyInstanceUID,"
    "NumOfPoints,mmX,mmY,mmZ,pxX,pxY,..."
)
Line = npt.NDArray[np.float64]


def drawn(line: Line, spacing_mm: tuple[float, float], random: np.random.Generator) -> Line:
    """Corners (row, column) along a true outline, that stray from it smoothly."""
    steps = np.linalg.norm(np.diff(line, axis=0, append=line[:1]) * spacing_mm, axis=1)
    along = np.concatenate([[0.0], np.cumsum(steps)])
    closed = np.vstack([line, line[:1]])
    at = np.linspace(0, along[-1], CORNERS, endpoint=False)
    corners = np.column_stack([np.interp(at, along, closed[:, axis]) for axis in (0, 1)])
    tangent = (np.roll(corners, -1, axis=0) - np.roll(corners, 1, axis=0)) * spacing_mm
    normal = np.column_stack([-tangent[:, 1], tangent[:, 0]]) / np.linalg.norm(tangent, axis=1)[:, None]
    turns = 2 * np.pi * np.outer(at / along[-1], np.arange(1, WAVES + 1))
    stray = (np.cos(turns) @ random.normal(size=WAVES) + np.sin(turns) @ random.normal(size=WAVES)) * (
        STRAY_MM / np.sqrt(WAVES)
    )
    return corners + normal * stray[:, None] / spacing_mm


def content() -> str:
    """The file."""
    patient = SAMPLE_PATIENTS[0]
    loaded = load_series(dicom.scan(SAMPLE / patient.patient_id))
    image, geometry = loaded.image, loaded.image.stored
    slice_index = geometry.index((0.0, 0.0, Z_MM))[0]
    truth = render(patient, replace(SAMPLE_SCAN, z_range_mm=(Z_MM, Z_MM + 1), noise_hu=0)).truth
    random = np.random.default_rng(0)
    rows = [HEADER]
    for number, (side, label) in enumerate(SIDES.items()):
        line = max(outlines(truth.stored_labels()[0] == label), key=len)
        corners = drawn(line, geometry.spacing_mm[1:], random)
        values = image.stored_hu()[round(slice_index)][filled([corners], geometry.shape[1:])]
        area_px = abs(signed_area(corners))
        length_px = float(np.linalg.norm(np.diff(corners, axis=0, append=corners[:1]), axis=1).sum())
        centre = geometry.point_mm(slice_index, *corners.mean(axis=0))
        uids = (
            image.sop_uids[image.stored_slice(round(slice_index))],
            loaded.series.series_uid,
            loaded.study.study_uid,
        )
        points = [(*geometry.point_mm(slice_index, y, x), x + 0.5, y + 0.5) for y, x in corners]
        rows.append(
            f"{round(slice_index)},{number},{values.mean():.4f},{values.min():.4f},{values.max():.4f},"
            f'{values.sum():.4f},{values.std():.4f},"Gluteus maximus {side}",'
            f"{centre[0]:.4f},{centre[1]:.4f},{centre[2]:.4f},"
            f"{length_px * geometry.spacing_mm[1] / 10:.6f},{length_px:.6f},{area_px:.6f},"
            f"{area_px * geometry.pixel_area_mm2 / 100:.6f},{CLOSED_POLYGON},{','.join(uids)},{len(points)},"
            + ",".join(f"{value:.6f}" for point in points for value in point)
        )
    return "\n".join(rows) + "\n"


def main() -> None:
    READINGS.parent.mkdir(exist_ok=True)
    READINGS.write_text(content(), encoding="utf-8")


if __name__ == "__main__":
    main()
