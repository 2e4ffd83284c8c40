"""The words of the picture: case, status, level, areas, quality flags."""

from __future__ import annotations

from glutseg.image import SIDES, Muscle, Side
from glutseg.measurement import mean_of_sides, per_height
from glutseg.output.canvas import Box, Canvas, wrapped
from glutseg.output.style import BACKGROUND, INK, QUIET_INK, SIDE_COLOURS, STATUS_COLOURS
from glutseg.output.text import plain
from glutseg.result import CaseResult, Status

AS_SHOWN: tuple[Side, Side] = ("right", "left")
"""As they lie in the picture."""
LEFT = 18
MIDDLE = 975
"""Between the measured slice and the thumbnails."""
STATUS_BOX = Box(855, 14, 125, 36)
MAX_FLAG_LINES = 4
FLAG_SIZE = 13
FLAG_WIDTH = MIDDLE - LEFT


def draw_caption(canvas: Canvas, result: CaseResult) -> None:
    """Title above, areas of both sides and the flags below the measured slice."""
    canvas.text((LEFT, 32), result.case_id, 21, INK, max_width=830)
    draw_status(canvas, result.status)
    canvas.text((1005, 32), _level_words(result), 16, QUIET_INK, max_width=480)
    for x, side in zip((LEFT, 352), AS_SHOWN, strict=True):
        for row, line in enumerate(_side_lines(result, side)):
            colour = SIDE_COLOURS[side] if row < 2 else QUIET_INK
            canvas.text((x, 716 + 27 * row), line, 21 if row == 1 else 15, colour)
    for row, line in enumerate(_summary_lines(result)):
        canvas.text((652, 716 + 21 * row), line, 15, INK)
    for row, line in enumerate(_flag_lines(result)):
        canvas.text((LEFT, 844 + 19 * row), line, FLAG_SIZE, QUIET_INK, max_width=FLAG_WIDTH)


def draw_status(canvas: Canvas, status: Status) -> None:
    """The status above the measured slice, over one that is there already."""
    canvas.fill(STATUS_BOX, BACKGROUND)
    canvas.text((MIDDLE, 32), status, 19, STATUS_COLOURS[status], anchor="rm")


def _level_words(result: CaseResult) -> str:
    if result.level is None:
        return ""
    return f"{result.level.name}: slice {result.stored_slice_index}, z = {result.level.z_mm:.1f} mm"


def _side_lines(result: CaseResult, side: Side) -> list[str]:
    record = result.muscle(side)
    measured = None if record is None else record.measurement
    if measured is None:
        return [f"{side} gluteus maximus", "no area"]
    return [
        f"{side} gluteus maximus",
        _with_bound(result, side),
        f"lean {measured.lean_area_mm2:.0f} mm², fat {measured.imat_area_mm2:.0f} mm²",
        f"mean {measured.mean_hu:.0f} HU, SD {measured.sd_hu:.0f}",
    ]


def _with_bound(result: CaseResult, side: Side, muscle: Muscle = "maximus") -> str:
    """An area and how far it may be off, with 90 % certainty; a dash where there is no area."""
    record = result.muscle(side, muscle)
    if record is None or record.measurement is None:
        return "-"
    bound = record.error_bound_mm2
    off = "" if bound is None else f" ± {bound:.0f}"
    return f"{record.measurement.area_mm2:.0f}{off} mm²"


def _summary_lines(result: CaseResult) -> list[str]:
    mean_mm2 = mean_of_sides(*(result.area_mm2(side) for side in SIDES))
    index = per_height(mean_mm2, result.height.height_m)
    lines = [] if mean_mm2 is None else [f"mean {mean_mm2:.0f} mm²"]
    if index is not None:
        lines.append(f"mean / height {index:.0f} mm²/m")
    source = {"participants": " (table)", "dicom": " (header)", "none": ""}[result.height.source]
    metres = result.height.height_m
    lines.append("height unknown" if metres is None else f"height {metres:.2f} m{source}")
    for muscle in result.muscle_names[1:]:
        right, left = (_with_bound(result, side, muscle) for side in AS_SHOWN)
        lines.append(f"{muscle} R {right.removesuffix(' mm²')}, L {left}")
    if result.has_whole_muscles:
        volumes = _right_and_left(*(result.volume_cm3(side) for side in AS_SHOWN))
        lines.append(f"whole muscle {volumes} cm³ (R / L)")
    if result.largest_error_bound_percent is not None:
        lines.append("±: 90 % error bound")
    return lines


def _right_and_left(right: float | None, left: float | None) -> str:
    """As they lie in the picture; a dash where unknown."""
    return " / ".join("-" if figure is None else f"{figure:.0f}" for figure in (right, left))


def _flag_lines(result: CaseResult) -> list[str]:
    """The reason of a failure and the flags, those for review first; what does not fit is counted."""
    texts = [f"{result.error_code}: {result.error_message}"] if result.error_code else []
    ordered = sorted(result.all_flags, key=lambda flag: flag.severity == "note")
    texts += [f"{flag}: {flag.message}" for flag in ordered]
    lines = [line for text in texts for line in wrapped(plain(text, 300), FLAG_SIZE, FLAG_WIDTH)]
    if len(lines) > MAX_FLAG_LINES:
        hidden = len(lines) - MAX_FLAG_LINES + 1
        lines = [*lines[: MAX_FLAG_LINES - 1], f"... and {hidden} more lines in case.json"]
    return lines
