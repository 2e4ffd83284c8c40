"""The images that a run's cases were measured on, and where they are."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from glutseg import dicom
from glutseg.batch.plan import make_plan
from glutseg.errors import GlutsegError
from glutseg.output.folder import run_record
from glutseg.output.pseudonym import pseudonymiser
from glutseg.protocol import Protocol
from glutseg.result import CaseResult

Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Images:
    """Studies by case id."""

    studies: dict[str, dicom.Study]

    def series(self, result: CaseResult, protocol: Protocol) -> dicom.Series:
        """The series a case was measured on; for a case without one, the first that may be measured.

        Raises
        ------
        GlutsegError
            ``images-not-found``.
        """
        study = self.studies.get(result.case_id)
        if study is None:
            raise GlutsegError("images-not-found", "the study is not below the folder", result.case_id)
        record = result.series
        if record is None:
            candidates = dicom.choose(study, protocol.series).candidates
            if not candidates:
                raise GlutsegError("images-not-found", "no series of the study can be shown", result.case_id)
            return candidates[0]
        same = [s for s in study.series if s.series_uid == record.series_uid and s.geometry is not None]
        holding = [s for s in same if record.sop_uid_of_slice in {header.sop_uid for header in s.slices}]
        if not holding:
            raise GlutsegError("images-not-found", "the series is not there any more", result.case_id)
        return holding[0]


def find_images(
    out: Path, input_path: Path | None = None, key: Path | None = None, progress: Progress | None = None
) -> Images:
    """Look through the input of a run.

    Parameters
    ----------
    out : the run's folder
    input_path : where the images are, if not where run.json says
    key : the key file of a run with pseudonyms

    Raises
    ------
    GlutsegError
        ``images-not-found``; ``input-missing`` where no run is; ``key-invalid``.
    """
    record = run_record(out)
    folder = Path(str(record.get("input"))) if input_path is None else input_path
    if not folder.exists():
        raise GlutsegError("images-not-found", "the run's input is not there", str(folder))
    index = dicom.scan(folder, progress=progress)
    if key is not None:
        pseudonyms = pseudonymiser(key, out, is_known=True)
        if pseudonyms.check != record.get("pseudonym_key_check"):
            raise GlutsegError("key-invalid", "the run had another key, or none", str(key))
        index = pseudonyms.index(index)
    return Images({task.case_id: task.study for task in make_plan(index)})
