"""Choose the series of a study to measure, from the headers, with the reason for and against each."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace

from pydicom.config import IGNORE
from pydicom.uid import UID

from glutseg.dicom.given import given_slice
from glutseg.dicom.grid import is_tilted
from glutseg.dicom.header_checks import header_flags, unusual_kind
from glutseg.dicom.kernel import classify_kernel
from glutseg.dicom.model import MEASURED_CLASSES, NIFTI_IMAGE, Index, Series, SeriesProblem, Study
from glutseg.dicom.patterns import pattern_rejection
from glutseg.dicom.stack import MAX_FEW_SLICES, MIN_COVERAGE_MM
from glutseg.dicom.summary import summaries
from glutseg.dicom.text import clean_text
from glutseg.errors import Flag, GlutsegError
from glutseg.protocol import SeriesRule

MIN_FIELD_OF_VIEW_MM = 300.0
"""Smallest field of view that normally holds both muscles and the skin behind them in an adult."""

NOT_HU_WORDS = (
    "LOCALIZER",
    "MIP",
    "MINIP",
    "PROJECTION IMAGE",
    "PERFUSION",
    "VRT",
    "VOLUME RENDERING",
    "SCREEN SAVE",
)
"""Values of Image Type of images that are not slices in HU."""

AS_GIVEN = "; with --level given a single slice is measured as it is"
"""Ends the reason against a series of a few slices."""

HEAD_PATTERN = re.compile(r"HEAD|BRAIN|SKULL|NECK|SINUS|FACE|CSPINE")
PELVIS_PATTERN = re.compile(r"PELVI|HIP|ABD|BECKEN|HUEFTE|WHOLE ?BODY|TRUNK|GLUT|FEMUR|LEG|THIGH")


@dataclass(frozen=True)
class Choice:
    """The series of a study, ranked, and those rejected.

    Attributes
    ----------
    candidates : series that may be measured, best first
    reason : why the first is better than the second
    rejected : (series, reason) for every series that may not be measured
    lower_ranked : (series, reason) for every candidate but the first
    """

    candidates: tuple[Series, ...]
    reason: str
    rejected: tuple[tuple[Series, str], ...]
    lower_ranked: tuple[tuple[Series, str], ...] = ()

    @property
    def rejected_series(self) -> tuple[tuple[str, str], ...]:
        """``rejected`` as (series UID, reason)."""
        return tuple(reason_with_part(series, reason) for series, reason in self.rejected)

    @property
    def lower_ranked_series(self) -> tuple[tuple[str, str], ...]:
        """``lower_ranked`` as (series UID, reason)."""
        return tuple(reason_with_part(series, reason) for series, reason in self.lower_ranked)


def reason_with_part(series: Series, reason: str) -> tuple[str, str]:
    """Return (series UID, reason); if the series has several stacks, the reason says which one."""
    part = f"part {series.part} of {series.n_parts}: " if series.n_parts > 1 else ""
    return series.series_uid, part + reason


@dataclass(frozen=True)
class _Criterion:
    """One criterion of the ranking: a lower ``key`` is better, ``describe`` is the property in words."""

    name: str
    key: Callable[[Series, SeriesRule], float]
    describe: Callable[[Series], str]


def _spacing(series: Series) -> float:
    return float("inf") if series.geometry is None else series.geometry.spacing_mm[0]


def _field_of_view_mm(series: Series) -> float:
    return 0.0 if series.geometry is None else series.geometry.shape[2] * series.geometry.spacing_mm[2]


def _tilt_degrees(series: Series) -> float:
    return 0.0 if series.geometry is None else series.geometry.tilt_degrees


def _is_tilted(series: Series) -> bool:
    return series.geometry is not None and is_tilted(series.geometry)


def _kernel_class(series: Series) -> str:
    return classify_kernel(series.kernel, series.description)


def _body_part_rank(series: Series) -> int:
    """0: pelvis or a neighbouring region, 1: not named, 2: another body part."""
    named = f"{series.tags.body_part} {series.description.upper()}"
    return 0 if PELVIS_PATTERN.search(named) else 2 if series.tags.body_part else 1


def _is_secondary(series: Series) -> bool:
    return "MPR" in series.image_type or "SECONDARY" in series.image_type


def _describe_body_part(series: Series) -> str:
    return f"body part {series.tags.body_part or 'not named'}"


def _describe_kernel(series: Series) -> str:
    return f"kernel {series.kernel or 'not named'}"


def _describe_spacing(series: Series) -> str:
    return f"{_spacing(series):.3g} mm between slices"


def _describe_image_type(series: Series) -> str:
    return f"image type {'/'.join(series.image_type) or 'not named'}"


CRITERIA = (
    _Criterion(
        "not a head series", lambda s, _: bool(HEAD_PATTERN.search(s.tags.body_part)), _describe_body_part
    ),
    _Criterion("ordinary CT", lambda s, _: bool(unusual_kind(s)), lambda s: unusual_kind(s) or "ordinary CT"),
    _Criterion("no sharp kernel", lambda s, _: _kernel_class(s) == "sharp", _describe_kernel),
    _Criterion("not thick", lambda s, r: _spacing(s) > r.review_slice_spacing_mm, _describe_spacing),
    _Criterion(
        "not tilted", lambda s, _: _is_tilted(s), lambda s: f"tilted by {_tilt_degrees(s):.1f} degrees"
    ),
    _Criterion("named as pelvis", lambda s, _: _body_part_rank(s), _describe_body_part),
    _Criterion(
        "wide field of view",
        lambda s, _: _field_of_view_mm(s) < MIN_FIELD_OF_VIEW_MM,
        lambda s: f"field of view {_field_of_view_mm(s):.0f} mm",
    ),
    _Criterion("not a secondary reconstruction", lambda s, _: _is_secondary(s), _describe_image_type),
    _Criterion("soft-tissue kernel", lambda s, _: _kernel_class(s) != "soft", _describe_kernel),
    _Criterion(
        "slice spacing",
        lambda s, r: round(abs(_spacing(s) - r.preferred_slice_spacing_mm), 1),
        _describe_spacing,
    ),
    _Criterion("original", lambda s, _: "ORIGINAL" not in s.image_type, _describe_image_type),
    _Criterion("no missing slice", lambda s, _: s.n_missing > 0, lambda s: f"{s.n_missing} slices missing"),
    _Criterion("coverage", lambda s, _: -round(s.coverage_mm), lambda s: f"{s.coverage_mm:.0f} mm long"),
)
"""Criteria in order of priority. The body part only ranks and never rejects: the tag is often wrong."""


def choose(study: Study, rule: SeriesRule, *, single_slices: bool = False) -> Choice:
    """Rank the series of a study that may be measured.

    A series may be measured if it is CT in HU, axial, on a regular grid, not too widely spaced and long
    enough for hips. Whether it shows hips is known only from its pixels, so the candidates are tried in
    order.

    Parameters
    ----------
    single_slices : for a level that is given: the series of one to a few slices instead, each cut down to the
        one that is measured (`glutseg.dicom.given_slice`)
    """
    if single_slices:
        given = tuple(given_slice(series) or series for series in study.series)
        return _choose(replace(study, series=given), rule, _rejection_as_given)
    return _choose(study, rule, rejection_reason)


def _choose(study: Study, rule: SeriesRule, reject: Callable[[Series, SeriesRule], str]) -> Choice:
    requested = {s.series_uid for s in study.series} & set(rule.series_uids)
    reasons = [(s, _not_requested(s, requested, rule) or reject(s, rule)) for s in study.series]
    ranked = tuple(sorted((s for s, reason in reasons if not reason), key=lambda s: _rank(s, rule)))
    return Choice(
        candidates=ranked,
        reason=("asked for by its UID; " if requested and ranked else "") + _reason(ranked, rule),
        rejected=tuple((s, reason) for s, reason in reasons if reason),
        lower_ranked=tuple((s, _comparison(s, ranked[0], rule)) for s in ranked[1:]),
    )


def why_none(study: Study, rejected_series: tuple[tuple[str, str], ...]) -> tuple[str, str]:
    """(error code, message) for a study of which no series may be measured."""
    problems = [s.problem for s in study.series if s.problem and _tells_why(s, s.problem)]
    if problems:
        return problems[0].code, problems[0].message
    code = "no-usable-series" if any(s.modality == "CT" for s in study.series) else "no-ct"
    return code, "; ".join(sorted({reason for _, reason in rejected_series})) or "the study has no series"


def _tells_why(series: Series, problem: SeriesProblem) -> bool:
    """Whether the reason of one series is that of the study: a NIfTI file is all there is."""
    return series.sop_class_uid == NIFTI_IMAGE or problem.code == "spacing-contradicted"


def check_requested_series(index: Index, rule: SeriesRule) -> None:
    """Check that every series UID of the rule exists.

    Raises
    ------
    GlutsegError
        ``series-unknown``, naming the first UID that no series has.
    """
    if not rule.series_uids:
        return
    known = {uid for summary in summaries(index) for uid in summary.series_uids}
    missing = [uid for uid in rule.series_uids if uid not in known]
    if missing:
        message = f"none of {len(known)} series has the UID {clean_text(missing[0])}"
        more = f", nor {len(missing) - 1} other requested UIDs" if len(missing) > 1 else ""
        raise GlutsegError("series-unknown", message + more, str(index.root))


def _not_requested(series: Series, requested: set[str], rule: SeriesRule) -> str:
    """Why the rule's UIDs or patterns reject a series; patterns do not apply to a series requested by UID."""
    if requested:
        return (
            "" if series.series_uid in requested else "another series of the study was asked for by its UID"
        )
    return pattern_rejection(series, rule)


def series_flags(series: Series, rule: SeriesRule) -> tuple[Flag, ...]:
    """Return the quality flags of a series: ``slices-thick``, ``kernel-sharp``, those of `header_flags`."""
    flags = []
    thickness_mm = series.tags.slice_thickness_mm or 0.0
    limit = f"more than {rule.review_slice_spacing_mm:g} mm needs a review"
    if _spacing(series) > rule.review_slice_spacing_mm:
        flags.append(Flag("slices-thick", f"{_describe_spacing(series)}, {limit}"))
    elif thickness_mm > rule.review_slice_spacing_mm:
        flags.append(Flag("slices-thick", f"slices {thickness_mm:g} mm thick, {limit}"))
    if _kernel_class(series) == "sharp":
        flags.append(Flag("kernel-sharp", _describe_kernel(series)))
    return (*flags, *header_flags(series))


def rejection_reason(series: Series, rule: SeriesRule) -> str:
    """Return why a series may not be measured; "" if it may."""
    return _not_ct(series) or _not_stacked(series) or _not_suitable(series, rule)


def _rejection_as_given(series: Series, rule: SeriesRule) -> str:
    """The same for one slice: distances to others do not matter."""
    if reason := _not_ct(series):
        return reason
    n_slices = len(series.slices)
    if n_slices > MAX_FEW_SLICES:
        return f"{n_slices} slices: the level is taken as given in series of at most {MAX_FEW_SLICES} slices"
    return _not_stacked(series) or _not_axial(series, rule)


def _not_ct(series: Series) -> str:
    if series.sop_class_uid == NIFTI_IMAGE and series.problem:
        return series.problem.message
    if series.sop_class_uid not in MEASURED_CLASSES:
        name = UID(series.sop_class_uid, validation_mode=IGNORE).name if series.sop_class_uid else ""
        return f"not CT images: {clean_text(name) or series.modality or 'of unknown kind'}"
    for word in NOT_HU_WORDS:
        if word in series.image_type:
            return f"not in HU: image type {word}"
    if series.tags.rescale_type not in ("", "HU", "US", "HU_MOD"):
        return f"not in HU: the pixels are in {series.tags.rescale_type}"
    if any(s.samples != 1 for s in series.slices):
        return "not in HU: colour images"
    return ""


def _not_stacked(series: Series) -> str:
    if series.geometry is None:
        reason = series.problem.message if series.problem else "no image"
        return reason + _as_given(series)
    if any(s.rescale is None for s in series.slices):
        return "not in HU: rescale slope or intercept is missing"
    return ""


def _not_suitable(series: Series, rule: SeriesRule) -> str:
    if reason := _not_axial(series, rule):
        return reason
    if _spacing(series) > rule.max_slice_spacing_mm:
        most = f"at most {rule.max_slice_spacing_mm:g} allowed"
        return f"{_describe_spacing(series)}, {most}{_as_given(series)}"
    if series.coverage_mm < MIN_COVERAGE_MM:
        shown = f"{len(series.slices)} slices over {series.coverage_mm:.0f} mm"
        return f"too short for hips: {shown}{_as_given(series)}"
    return ""


def _not_axial(series: Series, rule: SeriesRule) -> str:
    if series.geometry is None:
        return ""
    if not series.geometry.is_axial:
        return f"not axial: {_plane(series)}"
    if _tilt_degrees(series) > rule.max_tilt_degrees:
        return f"tilted by {_tilt_degrees(series):.1f} degrees, at most {rule.max_tilt_degrees:g} allowed"
    return ""


def _as_given(series: Series) -> str:
    """How a series without enough slices can be measured, if it can."""
    return "" if given_slice(series) is None else AS_GIVEN


def _plane(series: Series) -> str:
    if series.geometry is None:
        return "unknown plane"
    return {1: "coronal", 2: "sagittal"}.get(series.geometry.to_canonical[0][0], "axial")


def _rank(series: Series, rule: SeriesRule) -> tuple[tuple[float, ...], str, int]:
    return tuple(c.key(series, rule) for c in CRITERIA), series.series_uid, series.part


def _first_difference(a: Series, b: Series, rule: SeriesRule) -> _Criterion | None:
    return next((c for c in CRITERIA if c.key(a, rule) != c.key(b, rule)), None)


def _comparison(series: Series, best: Series, rule: SeriesRule) -> str:
    criterion = _first_difference(series, best, rule)
    if criterion is None:
        return "equal to the first; the lower UID goes first"
    return f"{criterion.name}: {criterion.describe(series)}, the first has {criterion.describe(best)}"


def _reason(ranked: tuple[Series, ...], rule: SeriesRule) -> str:
    if not ranked:
        return ""
    if len(ranked) == 1:
        return "the only series that may be measured"
    criterion = _first_difference(ranked[0], ranked[1], rule)
    if criterion is None:
        return f"the first of {len(ranked)} equal series by UID"
    best, second = (criterion.describe(s) for s in ranked[:2])
    return f"best of {len(ranked)} by {criterion.name}: {best}, the next has {second}"
