"""Runs of blocks for muscles, on real DICOM files of every orientation."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from dicom_series import FRAMES, write_ct, write_enhanced_ct

from glutseg import dicom
from glutseg.image import Mask
from glutseg.measurement import measure_slice, profile
from glutseg.output.case_files import write_case
from glutseg.output.case_id import case_id
from glutseg.output.run_record import CaseState, RunRecord, write_run_record
from glutseg.output.tables import write_tables
from glutseg.protocol import ExtentRule, Protocol
from glutseg.result import CaseResult, Level, SeriesRecord

PROTOCOL = Protocol(name="femoral-head-top", extent=ExtentRule(muscles=("maximus", "medius", "minimus")))
LEVEL = 3


@dataclass(frozen=True)
class ExportRun:
    """A run of one case, its images and its mask in the series' own order."""

    out: Path
    images: Path
    loaded: dicom.LoadedSeries
    mask: Mask
    result: CaseResult


def blobs(geometry) -> Mask:
    """Odd shapes, one with a hole, nothing symmetric: any flip or shift shows."""
    canonical = geometry.canonical()
    labels = np.zeros(canonical.shape, np.uint8)
    labels[1:6, 20:31, 30:41] = 1
    labels[1:6, 18:20, 30:34] = 1
    labels[2:4, 24:27, 33:36] = 0  # a hole
    labels[3, 25, 34] = 1  # an island in it
    labels[2:6, 21:30, 6:16] = 2
    labels[4, 30:33, 6:8] = 2
    labels[2:5, 12:16, 34:40] = 3
    labels[2:5, 12:17, 8:13] = 4
    labels[3:5, 9:11, 35:38] = 5
    labels[3:4, 8:11, 9:12] = 6
    return Mask(labels, canonical).restored(geometry)


def make_export_run(folder: Path, frame: str = "HFS", **how) -> ExportRun:
    images = folder / "images"
    if frame == "enhanced":
        write_enhanced_ct(images, FRAMES["oblique"])
    else:
        write_ct(images, FRAMES[frame], **how)
    (study,) = dicom.scan(images).studies
    (series,) = study.series
    loaded = dicom.read(series, bridge=True)
    mask = blobs(loaded.volume.geometry).cleared(loaded.missing)
    out = folder / "out"
    result = measured(study, series, loaded, mask)
    row = write_case(out, result, PROTOCOL, None, mask)
    write_tables(out, [row], PROTOCOL.extent)
    record = RunRecord(str(images), PROTOCOL, "", "", "2026-01-31T12:30:45+00:00")
    write_run_record(out, record, [CaseState(result.case_id, "ok")], state="finished")
    return ExportRun(out, images, loaded, mask, result)


def measured(study, series, loaded, mask) -> CaseResult:
    volume = loaded.volume
    geometry = volume.geometry
    return CaseResult(
        case_id=case_id(study.patient_id, study.study_uid),
        patient_id=study.patient_id,
        study_uid=study.study_uid,
        study_date="2020-01-31",
        status="ok",
        series=SeriesRecord(
            series.series_uid,
            "",
            "",
            "",
            "",
            None,
            geometry.spacing_mm[1:],
            geometry.spacing_mm[0],
            len(loaded.sop_uids),
            loaded.sop_uids[LEVEL],
            "only",
        ),
        level=Level("femoral-head-top", LEVEL, geometry.slice_z_mm(LEVEL)),
        measurements=measure_slice(volume, mask, LEVEL, PROTOCOL.tissue),
        others={m: measure_slice(volume, mask, LEVEL, PROTOCOL.tissue, m) for m in ("medius", "minimus")},
        profile=profile(volume, mask, LEVEL, range(1, 6), PROTOCOL.tissue),
    )
