"""Which series of a study to measure, from the headers, and why not the others."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from pydicom.config import IGNORE
from pydicom.uid import UID

from glutseg.dicom.grid import is_tilted
from glutseg.dicom.kernel import grade
from glutseg.dicom.model import CT_CLASSES, Index, Series, Study
from glutseg.dicom.patterns import unwanted
from glutseg.dicom.stack import MIN_COVERAGE_MM
from glutseg.dicom.text import clean_text
from glutseg.errors import Flag, GlutsegError
from glutseg.protocol import SeriesRule

MIN_FIELD_OF_VIEW_MM = 300.0
"""Both muscles and the skin behind them rarely fit into less in an adult."""

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
"""Values of Image Type whose pixels are no slice of HU."""

HEAD = re.compile(r"HEAD|BRAIN|SKULL|NECK|SINUS|FACE|CSPINE")
PELVIS = re.compile(r"PELVI|HIP|ABD|BECKEN|HUEFTE|WHOLE ?BODY|TRUNK|GLUT|FEMUR|LEG|THIGH")


@dataclass(frozen=True)
class Choice:
    """The series worth trying, best first.

    Attributes
    ----------
    candidates : series that may be measured, ranked
    reason : in what the first is better than the second
    refused : (series, reason) for every series that may not be measured
    lower : (series, reason) for every candidate but the first
    """

    candidates: tuple[Series, ...]
    reason: str
    refused: tuple[tuple[Series, str], ...]
    lower: tuple[tuple[Series, str], ...] = ()

    @property
    def rejected_series(self) -> tuple[tuple[str, str], ...]:
        """``refused`` by UID."""
        return tuple(in_words(series, why) for series, why in self.refused)

    @property
    def lower_ranked_series(self) -> tuple[tuple[str, str], ...]:
        """``lower`` by UID."""
        return tuple(in_words(series, why) for series, why in self.lower)


def in_words(series: Series, why: str) -> tuple[str, str]:
    """(series_uid, reason), naming the stack where the series has several."""
    part = f"part {series.part} of {series.n_parts}: " if series.n_parts > 1 else ""
    return series.series_uid, part + why


@dataclass(frozen=True)
class _Criterion:
    """One question of the ranking: the lower ``key``, the better; ``words`` tell what a series is."""

    name: str
    key: Callable[[Series, SeriesRule], float]
    words: Callable[[Series], str]


def _spacing(series: Series) -> float:
    return float("inf") if series.geometry is None else series.geometry.spacing_mm[0]


def _field_of_view_mm(series: Series) -> float:
    return 0.0 if series.geometry is None else series.geometry.shape[2] * series.geometry.spacing_mm[2]


def _tilt_degrees(series: Series) -> float:
    return 0.0 if series.geometry is None else series.geometry.tilt_degrees


def _is_tilted(series: Series) -> bool:
    return series.geometry is not None and is_tilted(series.geometry)


def _grade(series: Series) -> str:
    return grade(series.kernel, series.description)


def _body_part_rank(series: Series) -> int:
    """0 the pelvis or its neighbours, 1 not named, 2 another part."""
    named = f"{series.tags.body_part} {series.description.upper()}"
    return 0 if PELVIS.search(named) else 2 if series.tags.body_part else 1


def _is_reworked(series: Series) -> bool:
    return "MPR" in series.image_type or "SECONDARY" in series.image_type


def _body_part_in_words(series: Series) -> str:
    return f"body part {series.tags.body_part or 'not named'}"


def _kernel_in_words(series: Series) -> str:
    return f"kernel {series.kernel or 'not named'}"


def _spacing_in_words(series: Series) -> str:
    return f"{_spacing(series):.3g} mm between slices"


def _image_type_in_words(series: Series) -> str:
    return f"image type {'/'.join(series.image_type) or 'not named'}"


CRITERIA = (
    _Criterion("not a head series", lambda s, _: bool(HEAD.search(s.tags.body_part)), _body_part_in_words),
    _Criterion("no sharp kernel", lambda s, _: _grade(s) == "sharp", _kernel_in_words),
    _Criterion("not thick", lambda s, r: _spacing(s) > r.review_slice_spacing_mm, _spacing_in_words),
    _Criterion(
        "not tilted", lambda s, _: _is_tilted(s), lambda s: f"tilted by {_tilt_degrees(s):.1f} degrees"
    ),
    _Criterion("named as pelvis", lambda s, _: _body_part_rank(s), _body_part_in_words),
    _Criterion(
        "wide field of view",
        lambda s, _: _field_of_view_mm(s) < MIN_FIELD_OF_VIEW_MM,
        lambda s: f"field of view {_field_of_view_mm(s):.0f} mm",
    ),
    _Criterion("plain reconstruction", lambda s, _: _is_reworked(s), _image_type_in_words),
    _Criterion("soft-tissue kernel", lambda s, _: _grade(s) != "soft", _kernel_in_words),
    _Criterion(
        "slice spacing",
        lambda s, r: round(abs(_spacing(s) - r.preferred_slice_spacing_mm), 1),
        _spacing_in_words,
    ),
    _Criterion("original", lambda s, _: "ORIGINAL" not in s.image_type, _image_type_in_words),
    _Criterion("no missing slice", lambda s, _: s.n_missing > 0, lambda s: f"{s.n_missing} slices missing"),
    _Criterion("coverage", lambda s, _: -round(s.coverage_mm), lambda s: f"{s.coverage_mm:.0f} mm long"),
)
"""In the order of their weight. Body part is a hint only, since the tag is often wrong: it orders, never
excludes."""


def choose(study: Study, rule: SeriesRule) -> Choice:
    """Rank the series of a study that may be measured.

    A series may be measured when it is CT in HU, axial, regular, not too widely spaced and long
    enough for hips; whether it shows hips only its pixels can tell, so the candidates are tried in
    order.
    """
    named = {s.series_uid for s in study.series} & set(rule.uids)
    judged = [(s, _not_asked(s, named, rule) or refusal(s, rule)) for s in study.series]
    ranked = tuple(sorted((s for s, why in judged if not why), key=lambda s: _rank(s, rule)))
    return Choice(
        candidates=ranked,
        reason=("asked for by its UID; " if named and ranked else "") + _reason(ranked, rule),
        refused=tuple((s, why) for s, why in judged if why),
        lower=tuple((s, _comparison(s, ranked[0], rule)) for s in ranked[1:]),
    )


def check_asked(index: Index, rule: SeriesRule) -> None:
    """See that every series named by the rule is there.

    Raises
    ------
    GlutsegError
        ``series-unknown`` naming the first UID that no series has.
    """
    known = {s.series_uid for study in index.studies for s in study.series}
    missing = [uid for uid in rule.uids if uid not in known]
    if missing:
        message = f"none of {len(known)} series has the UID {clean_text(missing[0])}"
        more = f", nor {len(missing) - 1} others asked for" if len(missing) > 1 else ""
        raise GlutsegError("series-unknown", message + more, str(index.root))


def _not_asked(series: Series, named: set[str], rule: SeriesRule) -> str:
    """Why the rule's names and patterns pass it over; a series named by its UID needs to match no pattern."""
    if named:
        return "" if series.series_uid in named else "another series of the study was asked for by its UID"
    return unwanted(series, rule)


def series_flags(series: Series, rule: SeriesRule) -> tuple[Flag, ...]:
    """Doubts that come with measuring this series: ``slices-thick``, ``kernel-sharp``."""
    flags = []
    thickness_mm = series.tags.slice_thickness_mm or 0.0
    allowed = f"more than {rule.review_slice_spacing_mm:g} mm asks for review"
    if _spacing(series) > rule.review_slice_spacing_mm:
        flags.append(Flag("slices-thick", f"{_spacing_in_words(series)}, {allowed}"))
    elif thickness_mm > rule.review_slice_spacing_mm:
        flags.append(Flag("slices-thick", f"slices {thickness_mm:g} mm thick, {allowed}"))
    if _grade(series) == "sharp":
        flags.append(Flag("kernel-sharp", _kernel_in_words(series)))
    return tuple(flags)


def refusal(series: Series, rule: SeriesRule) -> str:
    """Why a series may not be measured, in plain words; "" when it may."""
    return _not_ct(series) or _not_stacked(series) or _not_suited(series, rule)


def _not_ct(series: Series) -> str:
    if series.sop_class_uid not in CT_CLASSES:
        name = UID(series.sop_class_uid, validation_mode=IGNORE).name if series.sop_class_uid else ""
        return f"not CT images: {clean_text(name) or series.modality or 'of unknown kind'}"
    for word in NOT_HU_WORDS:
        if word in series.image_type:
            return f"no slices in HU: image type {word}"
    if series.tags.rescale_type not in ("", "HU", "US", "HU_MOD"):
        return f"no slices in HU: the pixels are in {series.tags.rescale_type}"
    if any(s.samples != 1 for s in series.slices):
        return "no slices in HU: colour images"
    return ""


def _not_stacked(series: Series) -> str:
    if series.geometry is None:
        return series.problem.message if series.problem else "no image"
    if any(s.rescale is None for s in series.slices):
        return "no slices in HU: rescale slope or intercept is missing"
    return ""


def _not_suited(series: Series, rule: SeriesRule) -> str:
    if series.geometry is None:
        return ""
    if not series.geometry.is_axial:
        return f"not axial: {_plane(series)}"
    if _tilt_degrees(series) > rule.max_tilt_degrees:
        return f"tilted by {_tilt_degrees(series):.1f} degrees, at most {rule.max_tilt_degrees:g} allowed"
    if _spacing(series) > rule.max_slice_spacing_mm:
        return f"{_spacing(series):.3g} mm between slices, at most {rule.max_slice_spacing_mm:g} allowed"
    if series.coverage_mm < MIN_COVERAGE_MM:
        return f"too short for hips: {len(series.slices)} slices over {series.coverage_mm:.0f} mm"
    return ""


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
    return f"{criterion.name}: {criterion.words(series)}, the first has {criterion.words(best)}"


def _reason(ranked: tuple[Series, ...], rule: SeriesRule) -> str:
    if not ranked:
        return ""
    if len(ranked) == 1:
        return "the only series that may be measured"
    criterion = _first_difference(ranked[0], ranked[1], rule)
    if criterion is None:
        return f"the first of {len(ranked)} equal series by UID"
    mine, next_one = (criterion.words(s) for s in ranked[:2])
    return f"best of {len(ranked)} by {criterion.name}: {mine}, the next has {next_one}"
