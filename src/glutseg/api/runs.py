"""Runs: from a folder of images to a folder of results, and from there to tables and masks."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from glutseg import batch, dicom, review
from glutseg.api.cases import as_labels, read_heights
from glutseg.api.inputs import as_protocol
from glutseg.api.lookup import find_row
from glutseg.api.words import python_errors
from glutseg.batch.images import find_images
from glutseg.case import Case
from glutseg.case.shown import cell, figure, table_html
from glutseg.errors import GlutsegError, require_extra
from glutseg.image import SIDES, CtImage, Mask
from glutseg.output.columns import Column
from glutseg.output.schema import CaseRow
from glutseg.output.slice_tables import LEVELS, PROFILE, level_rows, profile_rows
from glutseg.output.typed import typed_cells
from glutseg.protocol import Protocol
from glutseg.result import CaseResult
from glutseg.segmentation import named_outliner
from glutseg.study.join import as_decided
from glutseg.study.run_rows import RunRows
from glutseg.study.run_rows import read_run as read_rows

if TYPE_CHECKING:
    import pandas as pd


Progress = Callable[[int, int, CaseResult | None], None]
"""Called with (studies done, studies in all, result of the last one): ``progress=`` of `run_folder`."""
MAX_ROWS_SHOWN = 20
TIMEOUT_MINUTES = 30.0
HEADINGS = ("case", "status", "left mm²", "right mm²", "flags")


@dataclass(frozen=True, repr=False)
class Run:
    """The output folder of a run, opened; values are those that count once people have decided.

    ``run["PATIENT-1"]`` is the case of a patient, ``len(run)`` the number of cases, and a loop over a run
    gives the case ids, as a dict would.

    Attributes
    ----------
    out : the folder
    protocol : what was measured and how
    results : one per study that is done, in the order of measurements.csv
    """

    out: Path
    protocol: Protocol
    results: tuple[CaseResult, ...]
    _rows: RunRows

    def __repr__(self) -> str:
        counts = Counter(result.status for result in self.results)
        counted = ", ".join(f"{n} {status}" for status, n in counts.items())
        return f"Run({self.protocol.name}, {len(self.results)} studies{': ' + counted if counted else ''})"

    def _repr_html_(self) -> str:
        shown = [_cells(result) for result in self.results[:MAX_ROWS_SHOWN]]
        more = len(self.results) - len(shown)
        rest = f"<p>and {more} more: see frame()</p>" if more else ""
        return f"<p>{cell(repr(self))}</p>{table_html(HEADINGS, shown)}{rest}"

    def __getitem__(self, name: str) -> Case:
        """The case of a patient, with its mask; ``run.image(name)`` reads its images.

        Parameters
        ----------
        name : case id, or patient id (with pseudonyms the pseudonym) where the patient has one study

        Raises
        ------
        KeyError
            As a `GlutsegError` with the code ``case-unknown``, with similar ids, or ``case-ambiguous``.
        """
        row = self._row(name)
        return Case(row.result, mask=self.mask(row.result.case_id) if row.mask else None)

    def __contains__(self, name: object) -> bool:
        return any(name in (r.case_id, r.patient_id) for r in self.results)

    def __iter__(self) -> Iterator[str]:
        return (result.case_id for result in self.results)

    def __len__(self) -> int:
        return len(self.results)

    def _ipython_key_completions_(self) -> list[str]:
        return [*dict.fromkeys(r.patient_id for r in self.results if r.patient_id), *self]

    def frame(self) -> pd.DataFrame:
        """measurements.csv as a pandas table: one row per study, also where it failed.

        Returns
        -------
        pandas.DataFrame
            In the order of ``results``, with a plain index from 0. The unit is part of a column's name:
            ``area_left_mm2`` in mm², ``area_mean_per_height_mm2_per_m`` in mm²/m, ``hu`` in HU;
            docs/reference/output.md lists every column. Figures are ``float64`` (NaN where unknown), counts
            ``Int64`` (<NA> where unknown), texts ``object`` (None where unknown).
            ``frame().set_index("patient_id")`` is ready to be joined with a table of your own.

        Raises
        ------
        GlutsegError
            ``extra-missing`` where pandas is not installed.
        """
        return _frame(list(self._rows.columns.values()), self._rows.rows)

    def profile(self) -> pd.DataFrame:
        """profile.csv as a pandas table: a row per study, slice, muscle and side.

        Raises
        ------
        GlutsegError
            ``extra-missing``.
        """
        return _frame(PROFILE, [row for r in self.results for row in profile_rows(r)])

    def levels(self) -> pd.DataFrame:
        """levels.csv as a pandas table: every named level; empty unless whole muscles were measured.

        Raises
        ------
        GlutsegError
            ``extra-missing``.
        """
        muscles = self.protocol.extent.muscles
        rows = [row for r in self.results if r.has_whole_muscles for row in level_rows(r, muscles)]
        return _frame(LEVELS, rows)

    @python_errors
    def mask(self, case_id: str) -> Mask:
        """The outlines of a case with their geometry; ``.to_sitk()`` makes a SimpleITK image of them.

        Parameters
        ----------
        case_id : as in ``results`` and tables; or the patient's id, as in ``run[...]``

        Raises
        ------
        GlutsegError
            ``input-missing`` where the case has no mask; ``geometry-mismatch`` for a file that is no mask;
            ``case-unknown``, ``case-ambiguous``.
        """
        row = self._row(case_id)
        path = self.out / row.mask
        if not row.mask or not path.resolve().is_relative_to(self.out.resolve()):
            raise GlutsegError("input-missing", "the case has no mask", case_id)
        return review.stored_mask(path)

    @python_errors
    def image(
        self,
        case_id: str,
        input: str | Path | None = None,  # noqa: A002 - the name that the command line has
        *,
        key_file: str | Path | None = None,
    ) -> CtImage:
        """The images that a case was measured on, read again; on the grid of its mask.

        Where an image is missing within a short gap, the slice is filled from its neighbours, and the mask
        is empty: it must not be measured.

        Parameters
        ----------
        case_id : as in ``results`` and tables; or the patient's id, as in ``run[...]``
        input : the folder of the images, if it is not where it was
        key_file : of a run with pseudonyms

        Raises
        ------
        GlutsegError
            ``images-not-found``, ``input-missing``, ``key-invalid``, ``case-unknown``, ``case-ambiguous``,
            and those of reading.
        """
        result = self._row(case_id).result
        found = find_images(self.out, _path(input), _path(key_file))
        return dicom.read(found.series(result, self.protocol))

    def _row(self, name: str) -> CaseRow:
        return find_row(self._rows.rows, name, str(self.out))


@python_errors
def read_run(out: str | Path) -> Run:
    """Open the output folder of ``glutseg run`` or `run_folder`; nothing is changed.

    Raises
    ------
    GlutsegError
        ``input-missing`` where no run of glutseg is, or none of its studies is done;
        ``protocol-invalid``; ``review-invalid``.
    """
    rows = as_decided(read_rows(Path(out)))
    return Run(rows.out, rows.protocol, rows.results, rows)


@python_errors
def run_folder(
    path: str | Path,
    out: str | Path,
    protocol: str | Path | Protocol = "femoral-head-top",
    participants: str | Path | None = None,
    participants_columns: Mapping[str, str] | None = None,
    *,
    jobs: int = 1,
    resume: bool = False,
    overwrite: bool = False,
    key_file: str | Path | None = None,
    outliner: str = "glutseg",
    device: str = "",
    masks: str = "",
    labels: str | Mapping[str | int, str] | None = None,
    level: str | None = None,
    retry_failed: bool = False,
    keep_reviews: bool = False,
    timeout_minutes: float = TIMEOUT_MINUTES,
    progress: Progress | None = None,
    accept_unmatched: bool = False,
) -> Run:
    """Measure every study below a folder and write tables, masks and pictures: ``glutseg run``.

    Parameters
    ----------
    path : any folder with DICOM or NIfTI files, a zip archive or one file; nothing in it is changed
    out : the folder to write
    protocol : as in `find_level`
    participants, participants_columns : as in `measure_study`
    jobs : processes, a study each; 0 measures in this one, where a crash takes the run along
    resume : go on with the run in ``out``: what is missing, and new studies
    overwrite : replace an earlier run's output
    key_file : key file for pseudonyms in everything that is written; a new key is written if needed
    outliner, device : as in `measure_study`
    masks : measure the outlines in these files instead, ``"MASKS/{patient_id}.nii.gz"``; also ``{case_id}``,
        ``{study_date}`` (20200131), ``{study_uid}``, ``{series_uid}``
    labels : as in `measure_mask`, for ``masks``
    level : as in `measure_study`
    retry_failed : with ``resume``, measure studies again that failed
    keep_reviews : with ``overwrite``, keep the reviewers' decisions; they count where the result is the same
    timeout_minutes : time limit for a study, which then fails; not with ``jobs=0``
    progress : called as ``progress(done, total, result)`` before the first study, with None as the result,
        and after each with its `glutseg.result.CaseResult`; an error that it raises stops the run
    accept_unmatched : go on where the table does not fit the studies (``participants-mismatch``)

    Returns
    -------
    Run
        Also where studies failed: each is a row, with its reason.

    Raises
    ------
    GlutsegError
        ``input-missing``, ``input-empty``, ``output-exists``, ``output-foreign``, ``reviews-present``,
        ``run-in-use``, ``resume-differs``, ``output-unwritable``, ``key-invalid``, ``outliner-unknown``,
        ``extra-missing``, ``weights-missing``, and those of protocols and participants.
    """
    options = batch.RunOptions(
        jobs=jobs,
        timeout_s=timeout_minutes * 60,
        resume=resume or retry_failed,
        retry_failed=retry_failed,
        overwrite=overwrite,
        keep_reviews=keep_reviews,
        accept_unmatched=accept_unmatched,
    )
    measurer = _measurer(masks, labels, level) if masks else batch.Automatic(named_outliner(outliner, device))
    table = read_heights(participants, participants_columns)
    batch.run_folder(
        Path(path),
        Path(out),
        as_protocol(protocol, level),
        table,
        options=options,
        key_file=_path(key_file),
        progress=progress,
        measurer=measurer,
    )
    return read_run(out)


def _measurer(masks: str, labels: str | Mapping[str | int, str] | None, level: str | None) -> batch.Measurer:
    """Of the masks that a pattern names."""
    from glutseg.exchange import GivenMasks

    terms, label_map = as_labels(labels)
    return GivenMasks(masks, terms, label_map, level)


def _cells(result: CaseResult) -> list[str]:
    areas = [figure(result.area_mm2(side)) for side in SIDES]
    flags = ", ".join(dict.fromkeys(map(str, result.all_flags)))
    return [result.case_id, result.status, *areas, result.error_code or flags]


def _frame(columns: Sequence[Column[Any]], rows: Sequence[Any]) -> pd.DataFrame:
    """Numbers as float or nullable whole numbers, unknown ones NaN or <NA>; unknown texts are None."""
    require_extra("study", "pandas")
    import pandas as pd

    types: dict[type, Any] = {str: object, float: float, int: pd.Int64Dtype()}
    cells = typed_cells(columns, rows)
    return pd.DataFrame({c.name: pd.Series(cells[c.name], dtype=types[c.kind]) for c in columns})


def _path(path: str | Path | None) -> Path | None:
    return None if path is None else Path(path)
