"""Each case in words and pictures."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

from glutseg.errors import Flag, catalogue
from glutseg.image import Muscle, Side
from glutseg.measurement import mean_of_sides, per_height, per_height_squared
from glutseg.output.layout import OVERLAY, case_file
from glutseg.output.schema import CaseRow
from glutseg.output.text import plain
from glutseg.report.charts import profile_chart
from glutseg.report.model import CaseView, DecisionWords, Fact, FlagWords, Picture
from glutseg.report.pictures import Size, case_pictures
from glutseg.result import STATUSES, CaseResult, SeriesRecord
from glutseg.review.final_row import CaseReviews

SIDES: tuple[Side, Side] = ("right", "left")
"""As they lie in the picture."""
UNKNOWN = "–"


def case_view(out: Path, row: CaseRow, found: CaseReviews, number: int, size: Size) -> CaseView:
    """One case.

    Parameters
    ----------
    row : as reviewers decided
    found : their reviews of it
    number : its place in the table, which makes its anchor
    """
    result = row.result
    right, left = (result.area_mm2(side) for side in SIDES)
    mean = mean_of_sides(left, right)
    large, thumbnail = _pictures(out, row, size)
    flags = _flags(result.all_flags)
    decisions = tuple(_decisions(found))
    who = plain(result.patient_id) or "(no id)"
    searched = (who, result.case_id, result.study_date, row.decision, row.reviewer, result.error_code)
    return CaseView(
        anchor=f"case-{number}",
        case_id=result.case_id,
        patient_id=who,
        date=plain(result.study_date),
        status=result.status,
        decision=row.decision,
        area_right=_number(right),
        area_left=_number(left),
        area_mean=_number(mean),
        bound_percent=_number(result.largest_error_bound_percent),
        index=_number(per_height(mean, result.height.height_m)),
        flags=flags,
        error=_error(result),
        sides=tuple(_sides(result)),
        measured=tuple(_measured(row, mean)),
        series=tuple(_series(result.series)),
        rejected_series=tuple(Fact(plain(uid), plain(why)) for uid, why in result.rejected_series),
        decisions=decisions,
        picture=large or thumbnail,
        thumbnail=thumbnail,
        profile=profile_chart(result),
        search=plain(" ".join((*searched, *(f.code for f in flags)))).casefold(),
    )


def _pictures(out: Path, row: CaseRow, size: Size) -> tuple[Picture | None, Picture | None]:
    result = row.result
    if not row.overlay:
        return None, None
    level = "" if result.level is None else f" at {result.level.name}"
    words = (
        f"Measured slice of {plain(result.case_id)}{level}, the patient's right on the left, "
        f"with the outlines of both gluteus maximus"
    )
    folder = case_file(result.case_id, "")
    # the record may have been edited: only a picture within the case's own folder is opened
    name = row.overlay.removeprefix(folder)
    safe = row.overlay.startswith(folder) and "/" not in name and "\\" not in name
    return case_pictures(out / (row.overlay if safe else folder + OVERLAY), words, size, result.status)


def flag_words(code: str, messages: Sequence[Fact] = ()) -> FlagWords:
    """A code in words; one that this version does not know stays what it is."""
    known = catalogue().get(code)
    if known is None:
        return FlagWords(plain(code), "error", "", "", tuple(messages))
    return FlagWords(code, known.severity, known.meaning, known.remedy, tuple(messages))


def _flags(flags: Sequence[Flag]) -> tuple[FlagWords, ...]:
    """Each code once with all its messages, those that ask for a review before notes."""
    messages: dict[str, list[Fact]] = {}
    for flag in sorted(flags, key=lambda flag: flag.severity == "note"):
        messages.setdefault(flag.code, []).append(Fact(flag.side, plain(flag.message)))
    return tuple(
        flag_words(code, [fact for fact in facts if fact.value or fact.name])
        for code, facts in messages.items()
    )


def _error(result: CaseResult) -> FlagWords | None:
    if not result.error_code:
        return None
    return flag_words(result.error_code, [Fact("", plain(result.error_message))])


def _measured(row: CaseRow, mean_mm2: float | None) -> list[Fact]:
    result = row.result
    level = level_fact(result)
    facts: list[Fact] = [] if level is None else [level]
    if mean_mm2 is not None:
        facts.append(Fact("mean of both sides", f"{_number(mean_mm2)} mm²"))
    facts += _height(result, mean_mm2)
    if row.is_corrected:
        facts.append(Fact("values", "corrected by a reviewer"))
    return facts


def _sides(result: CaseResult) -> list[tuple[str, str, str]]:
    """(what, right, left), as they lie in the picture."""
    found = [result.measurement(side) for side in SIDES]
    rows: list[tuple[str, list[str]]] = []
    if any(found):
        rows = [
            ("area, mm²", [_area(result, side) for side in SIDES]),
            ("lean, mm²", [_number(m.lean_area_mm2) if m else "" for m in found]),
            ("fat, mm²", [_number(m.imat_area_mm2) if m else "" for m in found]),
            ("density (SD), HU", [f"{_number(m.mean_hu)} ({_number(m.sd_hu)})" if m else "" for m in found]),
            ("90 % bound", [_bound(result, side) for side in SIDES]),
            ("agreement", [_agreement(result, side) for side in SIDES]),
        ]
    for muscle in result.muscle_names[1:]:
        rows.append((f"{muscle}, mm²", [_area(result, side, muscle) for side in SIDES]))
    for muscle in result.muscle_names if result.has_whole_muscles else ():
        rows.append((f"{muscle} volume, cm³", [_number(result.volume_cm3(side, muscle)) for side in SIDES]))
    return [(name, right or UNKNOWN, left or UNKNOWN) for name, (right, left) in rows if right or left]


def _area(result: CaseResult, side: Side, muscle: Muscle = "maximus") -> str:
    """With how far it may be off, where that is known."""
    bound_mm2 = result.error_bound_mm2(side, muscle)
    off = "" if bound_mm2 is None else f" ± {_number(bound_mm2)}"
    return _number(result.area_mm2(side, muscle)) + off


def _agreement(result: CaseResult, side: Side) -> str:
    record = result.muscle(side)
    return "" if record is None or record.agreement is None else f"{record.agreement:.2f}"


def _bound(result: CaseResult, side: Side) -> str:
    record = result.muscle(side)
    bound = None if record is None else record.error_bound_percent
    return "" if bound is None else f"± {bound:.0f} %"


def _height(result: CaseResult, mean_mm2: float | None) -> list[Fact]:
    height_m = result.height.height_m
    if height_m is None:
        return [Fact("height", "unknown")] if result.muscles else []
    source = {"participants": "participants table", "dicom": "DICOM header"}.get(result.height.source, "")
    facts = [Fact("height", f"{height_m:.2f} m ({source})")]
    index, squared = per_height(mean_mm2, height_m), per_height_squared(mean_mm2, height_m)
    if index is not None and squared is not None:
        facts.append(Fact("mean / height", f"{index:.0f} mm²/m"))
        facts.append(Fact("mean / height²", f"{squared:.2f} cm²/m²"))
    return facts


def _slices(series: SeriesRecord) -> str:
    if series.slice_spacing_mm is None:
        return "a single one"
    return f"{series.n_slices}, every {series.slice_spacing_mm:g} mm"


def _series(series: SeriesRecord | None) -> list[Fact]:
    if series is None:
        return []
    rows, columns = series.pixel_spacing_mm
    thickness = series.slice_thickness_mm
    facts = [
        Fact("description", plain(series.description)),
        Fact("slices", _slices(series)),
        Fact("slice thickness", "" if thickness is None else f"{thickness:g} mm"),
        Fact("pixels", f"{rows:g} × {columns:g} mm"),
        Fact("kernel", plain(series.kernel)),
        Fact("tube voltage", f"{plain(series.kvp)} kV" if series.kvp else ""),
        Fact("contrast agent", plain(series.contrast)),
        Fact("tilt", f"{series.tilt_degrees:.1f}°" if series.is_tilted else ""),
        Fact("why this series", plain(series.reason)),
        Fact("series UID", plain(series.series_uid)),
    ]
    return [fact for fact in facts if fact.value]


def _decisions(found: CaseReviews) -> list[DecisionWords]:
    decisions = []
    for review in found.reviews:
        entry = review.in_force
        if entry is None:
            continue
        changes = [
            f"{side} {change.difference_mm2:+.0f} mm²"
            for side, change in entry.changes.items()
            if math.isfinite(change.difference_mm2)
        ]
        decisions.append(
            DecisionWords(
                plain(review.reviewer),
                entry.decision,
                entry.when[:10],
                plain(entry.reason),
                plain(entry.note),
                ", ".join(changes),
                found.is_stale(entry),
            )
        )
    return decisions


def level_fact(result: CaseResult) -> Fact | None:
    """Which slice was measured."""
    level = result.level
    if level is None:
        return None
    return Fact("level", f"{level.name}, slice {result.stored_slice_index} (from 0), z = {level.z_mm:.1f} mm")


def _number(value: float | None) -> str:
    return "" if value is None or not math.isfinite(value) else f"{value:.0f}".replace("-", "−")


def counts_of(rows: Sequence[CaseRow]) -> dict[str, int]:
    """Cases by status, every status always."""
    return {status: sum(row.result.status == status for row in rows) for status in STATUSES}
