"""Which height is used: one wrong unit would make the index wrong without notice."""

from __future__ import annotations

import math
import re

from glutseg.errors import Flag
from glutseg.measurement.participants import Participant
from glutseg.result import Height

MIN_HEIGHT_M = 0.9
MAX_HEIGHT_M = 2.3
"""Adults outside this range exist, but are far rarer than a value in another unit."""

MAX_DIFFERENCE_M = 0.03
"""Between two heights of one adult: more than shoes, the time of day and rounding explain."""

OTHER_UNITS_M = {"cm": 0.01, "mm": 0.001, "inches": 0.0254, "feet": 0.3048}
NUMBER = re.compile(r"[+-]?\d{1,9}(?:\.\d{0,15})?(?:[eE][+-]?\d{1,2})?", re.ASCII)
"""A DICOM decimal string (DS), without the shapes that only a machine would call a number."""

NOTHING = Height(None, "none")


def believe_height(participant: Participant | None, dicom_raw: str) -> tuple[Height, tuple[Flag, ...]]:
    """The height to divide by: the participants table first, the DICOM header second.

    A value outside 0.9 to 2.3 m is refused, never converted. A refused value of the table does not
    fall back to the header: somebody has to look at the table first.

    Parameters
    ----------
    participant : the patient's row of the participants table, or None
    dicom_raw : Patient's Size (0010,1020) as it stands in the header, in m by the standard

    Returns
    -------
    Height, flags
        ``height-missing`` or ``height-implausible`` stand in the flags where no height is used,
        ``height-conflict`` where table and header are both believable and more than 3 cm apart.
    """
    header, header_flags = _of_header(dicom_raw)
    if participant is None or participant.height_m is None:
        return header, header_flags
    where = "participants table" + (f", row {participant.row}" if participant.row else "")
    height, flags = _judge(participant.height_m, "participants", where)
    return height, flags + _conflict(height, header, where)


def _of_header(dicom_raw: str) -> tuple[Height, tuple[Flag, ...]]:
    text = dicom_raw.strip()
    if not text:
        return NOTHING, (Flag("height-missing", "no height in the header or a participants table"),)
    if not NUMBER.fullmatch(text):
        return NOTHING, (Flag("height-implausible", "Patient's Size in the header is not a number"),)
    return _judge(float(text), "dicom", "Patient's Size in the header")


def _conflict(height: Height, header: Height, where: str) -> tuple[Flag, ...]:
    if height.height_m is None or header.height_m is None:
        return ()
    if round(abs(height.height_m - header.height_m), 6) <= MAX_DIFFERENCE_M:
        return ()
    message = f"{where} says {height.height_m:.2f} m, the header {header.height_m:.2f} m; the table was used"
    return (Flag("height-conflict", message),)


def _judge(value_m: float, source: str, where: str) -> tuple[Height, tuple[Flag, ...]]:
    if MIN_HEIGHT_M <= value_m <= MAX_HEIGHT_M:
        return Height(value_m, "participants" if source == "participants" else "dicom"), ()
    readings = [
        f"{value_m * factor:.2f} m if it is in {unit}"
        for unit, factor in OTHER_UNITS_M.items()
        if math.isfinite(value_m) and MIN_HEIGHT_M <= value_m * factor <= MAX_HEIGHT_M
    ]
    hint = f"; it would be {' or '.join(readings)}" if readings else ""
    return NOTHING, (Flag("height-implausible", f"{where} says {value_m:g} m{hint}"),)
