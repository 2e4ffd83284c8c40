"""A run's masks and areas in other programs' formats: one file per case and format, or one table."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Literal, get_args

from glutseg import dicom, review
from glutseg.errors import GlutsegError
from glutseg.exchange import dicom_seg, dicom_sr, label_files, rtstruct
from glutseg.exchange.images import case_images, find_studies
from glutseg.exchange.job import Job
from glutseg.exchange.stamp import time_of, to_bytes
from glutseg.output.atomic import write_bytes, write_text
from glutseg.output.folder import run_input, run_record
from glutseg.output.layout import MEASUREMENTS_PARQUET
from glutseg.output.schema import CaseRow, measurement_columns
from glutseg.output.typed import to_parquet
from glutseg.review.collate import Values, run_protocol
from glutseg.review.masks import stored_mask

CaseFormat = Literal["seg", "sr", "rtstruct", "nifti", "nrrd"]
Format = CaseFormat | Literal["parquet"]
CASE_FORMATS: tuple[CaseFormat, ...] = get_args(CaseFormat)
DICOM_FORMATS: tuple[CaseFormat, ...] = ("seg", "sr", "rtstruct")
SUFFIXES: dict[CaseFormat, str] = {
    "seg": ".seg.dcm",
    "sr": ".sr.dcm",
    "rtstruct": ".rtstruct.dcm",
    "nifti": ".nii.gz",
    "nrrd": ".seg.nrrd",
}
COLOUR_TABLE = "labels.ctbl"
EXPORT = "export"
"""The folder below a run's output."""

Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Exported:
    """What came of an export.

    Attributes
    ----------
    files : written: the table, then those of the cases in their order
    left_out : (case id, code, reason) of every case without a file
    """

    files: tuple[Path, ...]
    left_out: tuple[tuple[str, str, str], ...]


def export(
    out: Path,
    formats: Sequence[Format],
    folder: Path | None = None,
    *,
    input_path: Path | None = None,
    values: Values = "corrected",
    cases: Collection[str] | None = None,
    progress: Progress | None = None,
) -> Exported:
    """Write every case of a run that has a mask, or the table of all.

    Parameters
    ----------
    out : the run's folder
    formats : a report (``sr``) brings the segmentation it refers to with it; ``parquet`` is measurements.csv
        with types
    folder : to write; ``OUT/export`` by default
    input_path : where the images are, if not where run.json says
    values : as people decided, or as the program found them
    cases : ids of those that are written; by default all

    Raises
    ------
    GlutsegError
        ``input-missing``, ``export-pseudonymised``, ``images-not-found``, ``exchange-missing``,
        ``extra-missing``, ``output-unwritable``. What concerns one case is in `Exported.left_out`.
    """
    record = run_record(out)
    wanted = [f for f in CASE_FORMATS if f in formats or (f == "seg" and "sr" in formats)]
    is_dicom = any(f in DICOM_FORMATS for f in wanted)
    if is_dicom and record.get("pseudonym_key_check"):
        raise GlutsegError("export-pseudonymised", "the run has pseudonyms", str(out))
    target = folder or out / EXPORT
    when = time_of(str(record.get("started", "")))
    studies = find_studies(input_path or run_input(out, record), progress) if is_dicom else None
    rows = [r for r in review.final_rows(out, values) if cases is None or r.result.case_id in cases]
    files: list[Path] = []
    left_out: list[tuple[str, str, str]] = []
    if "parquet" in formats:
        files.append(target / MEASUREMENTS_PARQUET)
        write_bytes(files[0], to_parquet(measurement_columns(run_protocol(out).extent), rows))
    for row in rows if wanted else ():
        try:
            files += _write(target, _job(out, row, when, studies), wanted)
        except GlutsegError as error:
            if error.scope == "run":
                raise
            left_out.append((row.result.case_id, error.code, error.message))
    if "nifti" in wanted and len(left_out) < len(rows):
        write_text(target / COLOUR_TABLE, label_files.colour_table())
    return Exported(tuple(files), tuple(left_out))


def _job(out: Path, row: CaseRow, when: datetime, studies: dict[str, dicom.Study] | None) -> Job:
    result = row.result
    if not row.mask:
        raise GlutsegError(result.error_code or "mask-empty", result.error_message or "it has no mask")
    if studies is None:
        return Job(row, stored_mask(out / row.mask), when)
    if result.case_id not in studies:
        raise GlutsegError("images-not-found", "the study is not below the folder", result.case_id)
    images = case_images(studies[result.case_id], result, out / row.mask)
    return Job(row, images.mask, when, images)


def _write(folder: Path, job: Job, formats: Sequence[CaseFormat]) -> list[Path]:
    """All formats of a case are made before the first is written."""
    if not job.terms:
        raise GlutsegError("mask-empty", "the mask has no pixel", job.row.result.case_id)
    made = contents(job, formats)
    paths = []
    for format_, content in made.items():
        paths.append(folder / f"{job.row.result.case_id}{SUFFIXES[format_]}")
        write_bytes(paths[-1], content)
    return paths


def contents(job: Job, formats: Sequence[CaseFormat]) -> dict[CaseFormat, bytes]:
    """The files of one case.

    Raises
    ------
    GlutsegError
        ``export-unsupported``, ``exchange-missing``.
    """
    made: dict[CaseFormat, bytes] = {}
    if "nifti" in formats:
        made["nifti"] = label_files.named_nifti(job)
    if "nrrd" in formats:
        made["nrrd"] = label_files.named_nrrd(job)
    if "rtstruct" in formats:
        made["rtstruct"] = to_bytes(rtstruct.structure_set(job))
    if "seg" in formats or "sr" in formats:
        segmentation = dicom_seg.segmentation(job)
        made["seg"] = to_bytes(segmentation)
        if "sr" in formats:
            made["sr"] = to_bytes(dicom_sr.report(job, segmentation))
    return made
