"""Whole studies, measured, or with a reason why not. Nothing is written."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from glutseg import dicom
from glutseg.api.inputs import as_protocol
from glutseg.api.stages import one_study
from glutseg.api.words import python_errors
from glutseg.case import Case
from glutseg.case import measure_study as measure_one_study
from glutseg.errors import GlutsegError
from glutseg.measurement import Participants, read_participants
from glutseg.protocol import Protocol
from glutseg.segmentation import named_outliner

if TYPE_CHECKING:
    from glutseg.exchange.assign import LabelMap
    from glutseg.exchange.terms import Term


@python_errors
def measure_study(
    path: str | Path,
    protocol: str | Path | Protocol = "femoral-head-top",
    participants: str | Path | None = None,
    participants_columns: Mapping[str, str] | None = None,
    *,
    level: str | None = None,
    outliner: str = "glutseg",
    device: str = "",
) -> Case:
    """Measure the one study in a folder, as ``glutseg run`` does, and keep its images and mask.

    Parameters
    ----------
    path : a folder with one study, a zip archive, or a NIfTI file (.nii, .nii.gz) in HU
    protocol : as in `find_level`
    participants : CSV, TSV or XLSX with ``patient_id`` and ``height_m`` (``_cm``, ``_mm``, ``_in``)
    participants_columns : where its columns have other names, for instance {"height_cm": "Größe"}
    level : in place of the protocol's: a landmark, ``z=MM`` or ``slice=N``
    outliner : "glutseg", or "totalsegmentator" where it is installed; its processes want the caller below
        ``if __name__ == "__main__":``
    device : for a network: "gpu", "gpu:N", "cpu" or "mps"; by default a GPU where there is one

    Returns
    -------
    Case
        ``result`` with the figures, ``flags`` and a ``status``; ``image`` and ``mask`` (None where the study
        failed before). A study that cannot be measured has the status ``failed`` and a reason. Of long
        series only the slices around the hips are read; measuring others on ``image`` is refused
        (``slice-not-read``): measure elsewhere on what `load` reads.

    Raises
    ------
    GlutsegError
        ``input-missing``, ``input-empty``, ``input-ambiguous``, ``series-unknown``, ``outliner-unknown``,
        ``extra-missing``, ``weights-missing``, and those of protocols and participants.
    """
    rule, chosen = as_protocol(protocol, level), named_outliner(outliner, device)
    chosen.check()
    table = read_heights(participants, participants_columns)
    return measure_one_study(one_study(dicom.scan(Path(path)), rule.series), rule, table, chosen)


@python_errors
def measure_mask(
    path: str | Path,
    mask: str | Path,
    *,
    labels: str | Mapping[str | int, str] | None = None,
    level: str | None = None,
    protocol: str | Path | Protocol = "femoral-head-top",
    series_uid: str | None = None,
    participants: str | Path | None = None,
    participants_columns: Mapping[str, str] | None = None,
) -> Case:
    """Measure an outline that was corrected or drawn elsewhere, by the same functions as glutseg's own.

    Parameters
    ----------
    path : a folder with the CT series, or a NIfTI file in HU
    mask : NIfTI, NRRD, MHA, DICOM SEG or RTSTRUCT of this patient
    labels : which label is what: ``"totalsegmentator"``, ``"musclemap"``, ``"glutseg"``, or a mapping like
        {1: "left", 2: "right", "GMED_L": "medius-left"}; by default as the file's own names or numbers tell
    level : a landmark, ``z=MM`` or ``slice=N``; by default the protocol's, or, where the mask has pixels
        on a single slice, that slice
    protocol : as in `find_level`
    series_uid : which series of several
    participants, participants_columns : as in `measure_study`

    Returns
    -------
    Case
        The result carries the flag ``mask-given`` with the file's name and digest.

    Raises
    ------
    GlutsegError
        ``mask-unreadable``, ``mask-unplaceable``, ``mask-elsewhere``, ``mask-empty``, ``labels-unknown``,
        ``mask-sides-contradicted``, ``series-ambiguous``, and those of reading and measuring.
    """
    from glutseg import exchange

    terms, label_map = as_labels(labels)
    measured = exchange.measure_mask(
        exchange.load_series(dicom.scan(Path(path)), series_uid),
        Path(mask),
        terms,
        label_map=label_map,
        protocol=as_protocol(protocol),
        level=level,
        participants=read_heights(participants, participants_columns),
    )
    return Case(measured.result, measured.loaded.image, measured.mask)


def as_labels(labels: str | Mapping[str | int, str] | None) -> tuple[dict[str, Term], LabelMap | None]:
    """The `labels` of `measure_mask` and `run_folder`: by name or number, or those of a known program."""
    from glutseg import exchange
    from glutseg.exchange.assign import LABEL_MAPS

    if labels is None:
        return {}, None
    if not isinstance(labels, str):
        return exchange.parse_labels([f"{name}={meaning}" for name, meaning in labels.items()]), None
    for name in LABEL_MAPS:
        if name == labels:
            return {}, name
    raise GlutsegError("labels-unknown", f"{labels!r}: there are {', '.join(LABEL_MAPS)}")


def read_heights(path: str | Path | None, columns: Mapping[str, str] | None) -> Participants | None:
    """The participants table, where there is one."""
    return None if path is None else read_participants(Path(path), columns)
