"""Runs of blocks for muscles, on real DICOM files of every orientation."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from dicom_series import FRAMES, write_ct, write_enhanced_ct

from glutseg import dicom
from glutseg.image import CtImage, Mask
from glutseg.measurement import measure_slice, profile
from glutseg.output.case_files import write_case
from glutseg.output.case_id import case_id
from glutseg.output.run_record import CaseState, RunRecord, write_run_record
from glutseg.output.tables import write_tables
from glutseg.protocol import ExtentRule, Protocol
from glutseg.result import CaseResult, Level, MuscleResult, SeriesRecord, SliceMeasurement

PROTOCOL = Protocol(name="femoral-head-top", extent=ExtentRule(muscles=("maximus", "medius", "minimus")))
LEVEL = 3


@dataclass(frozen=True)
class ExportRun:
    """A run of one case, its DICOM files, and the image and mask that they give."""

    out: Path
    images: Path
    image: CtImage
    mask: Mask
    result: CaseResult

    @property
    def stored_labels(self) -> np.ndarray:
        """The mask in the order of the files."""
        return self.mask.stored_labels()

    @property
    def stored_uids(self) -> list[str]:
        """SOP Instance UIDs in the order of the files; "" where no image shows the slice."""
        n_slices = len(self.image.sop_uids)
        return [self.image.sop_uids[self.image.stored_slice(place)] for place in range(n_slices)]


def blobs(image: CtImage) -> Mask:
    """Odd shapes, one with a hole, nothing symmetric: any flip or shift shows."""
    labels = np.zeros(image.hu.shape, np.uint8)
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
    return Mask.on(image, labels)


def make_export_run(folder: Path, frame: str = "HFS", **how) -> ExportRun:
    images = folder / "images"
    if frame == "enhanced":
        write_enhanced_ct(images, FRAMES["oblique"])
    else:
        write_ct(images, FRAMES[frame], **how)
    (study,) = dicom.scan(images).studies
    (series,) = study.series
    image = dicom.read(series)
    mask = blobs(image).cleared(image.missing_slices)
    out = folder / "out"
    result = measured(study, series, image, mask)
    row = write_case(out, result, PROTOCOL, None, mask)
    write_tables(out, [row], PROTOCOL.extent)
    record = RunRecord(str(images), PROTOCOL, "", "", "2026-01-31T12:30:45+00:00")
    write_run_record(out, record, [CaseState(result.case_id, "ok")], state="finished")
    return ExportRun(out, images, image, mask, result)


def measured(study, series, image, mask) -> CaseResult:
    stored = image.stored
    areas = {m: measure_slice(image, mask, LEVEL, PROTOCOL.tissue, m) for m in PROTOCOL.extent.muscles}
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
            stored.spacing_mm[1:],
            stored.spacing_mm[0],
            len(image.sop_uids),
            image.sop_uids[LEVEL],
            "only",
            grid_slices=stored.shape[0],
            runs_to_feet=stored.runs_to_feet,
        ),
        level=Level("femoral-head-top", LEVEL, image.geometry.slice_z_mm(LEVEL)),
        muscles=tuple(
            MuscleResult(muscle, side, measured)
            for muscle, sides in areas.items()
            for side, measured in sides.items()
        ),
        profile=profile(image, mask, LEVEL, range(1, 6), PROTOCOL.tissue),
    )


def figures(result: CaseResult) -> dict[tuple[str, str], SliceMeasurement]:
    """What was measured at the level, by muscle and side."""
    return {(m.muscle, m.side): m.measurement for m in result.muscles if m.measurement is not None}
