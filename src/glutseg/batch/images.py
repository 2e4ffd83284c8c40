"""Find the images on which the cases of a run were measured."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from glutseg import dicom
from glutseg.batch.plan import Plan, make_plan
from glutseg.errors import GlutsegError
from glutseg.output.folder import run_input, run_record
from glutseg.output.pseudonym import pseudonymiser
from glutseg.protocol import Protocol
from glutseg.result import CaseResult

Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Images:
    """The studies of a run, loaded when they are asked for."""

    plan: Plan

    @cached_property
    def _places(self) -> dict[str, int]:
        return {case.case_id: place for place, case in enumerate(self.plan.cases)}

    @property
    def case_ids(self) -> tuple[str, ...]:
        return tuple(self._places)

    def series(self, result: CaseResult, protocol: Protocol) -> dicom.Series:
        """Return the series on which a case was measured; for a case without one, the best candidate.

        Raises
        ------
        GlutsegError
            ``images-not-found``.
        """
        if result.case_id not in self._places:
            raise GlutsegError("images-not-found", "the study is not in the input folder", result.case_id)
        study = self.plan.study(self._places[result.case_id])
        record = result.series
        if record is None:
            candidates = dicom.choose(
                study, protocol.series, single_slices=protocol.level.is_given
            ).candidates
            if not candidates:
                raise GlutsegError(
                    "images-not-found", "the study has no series that can be shown", result.case_id
                )
            return candidates[0]
        same = dicom.stacks_of(study, record.series_uid, single_slice=record.grid_slices == 1)
        holding = [s for s in same if record.sop_uid_of_slice in {header.sop_uid for header in s.slices}]
        if not holding:
            raise GlutsegError("images-not-found", "the series does not exist any more", result.case_id)
        return holding[0]


def find_images(
    out: Path, input_path: Path | None = None, key_file: Path | None = None, progress: Progress | None = None
) -> Images:
    """Scan the input of a run.

    Parameters
    ----------
    out : the run's folder
    input_path : folder of the images; by default the one in run.json
    key_file : the key file of a run with pseudonyms

    Raises
    ------
    GlutsegError
        ``images-not-found``; ``input-missing`` if ``out`` holds no run; ``key-invalid``.
    """
    record = run_record(out)
    folder = run_input(out, record) if input_path is None else input_path
    if not folder.exists():
        raise GlutsegError("images-not-found", "the input folder of the run does not exist", str(folder))
    if key_file is None:
        is_kept = input_path is None and not record.get("pseudonym_key_check")
        return Images(make_plan(_scanned(folder, out / dicom.INDEX_FILE if is_kept else None, progress)))
    pseudonyms = pseudonymiser(key_file, out, is_known=True)
    if pseudonyms.check != record.get("pseudonym_key_check"):
        raise GlutsegError("key-invalid", "the run was made with another key, or without one", str(key_file))
    return Images(make_plan(dicom.scan(folder, progress=progress), pseudonyms=pseudonyms))


def _scanned(folder: Path, index_file: Path | None, progress: Progress | None) -> dicom.Index:
    """Scan the input of a run, with the index that the run has left if it can be used."""
    try:
        return dicom.scan(folder, progress=progress, index_file=index_file)
    except GlutsegError as error:
        if index_file is None or not error.code.startswith("index-"):
            raise
        return dicom.scan(folder, progress=progress)  # it is read-only, or in use
