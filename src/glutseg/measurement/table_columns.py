"""Which column of a table is which: glutseg's own names, what people call them, or a mapping."""

from __future__ import annotations

import os
import re
import shlex
import unicodedata
from collections.abc import Mapping, Sequence

from glutseg.dicom.text import clean_text
from glutseg.errors import GlutsegError
from glutseg.measurement.table_model import invalid

HEIGHTS_IN_M = {"height_m": 1.0, "height_cm": 0.01, "height_mm": 0.001, "height_in": 0.0254}
"""A height's unit is in its column's name, in its cells, or stated by the mapping; it is never guessed."""
IDS = ("patient_id", "pseudonym", "case_id")
"""What may name the patient; where a table has several, the first of these does."""
HEIGHT = "height"
"""A column of heights whose name says no unit."""

UNITS = {
    **dict.fromkeys(("m", "meter", "metre", "meters", "metres", "metern", "mètre", "mètres"), "height_m"),
    **dict.fromkeys(("cm", "centimeter", "centimetre", "centimeters", "centimetres"), "height_cm"),
    "zentimeter": "height_cm",
    **dict.fromkeys(("mm", "millimeter", "millimetre", "millimeters", "millimetres"), "height_mm"),
    **dict.fromkeys(("inch", "inches", "in", "zoll", '"', "″"), "height_in"),
}  # fmt: skip
"""Units as they are written into headers and cells."""
HEIGHT_WORDS = frozenset(
    (
        *("height", "stature", "grösse", "groesse", "körpergrösse", "koerpergroesse", "körperhöhe", "taille"),
        *("altura", "estatura", "talla", "altezza", "statura", "lengte", "lichaamslengte", "längd"),
        *("kroppslängd", "højde", "høyde", "pituus"),
    )
)
"""Height of the body in languages of Europe; ``casefold`` has made two s of every ß."""
BESIDE_HEIGHT = frozenset(("body", "patient", "patients", "patient's", "standing", "in", "des", "patienten"))
"""Words that may stand beside these and change nothing: "Body height (cm)", "Größe in cm"."""
ID_WORDS = frozenset(
    (
        *("id", "patient", "pat", "patid", "patnr", "patientno", "patientnr"),
        *("patientnumber", "patientennr", "patientennummer"),
    )
)
"""What a column of patient ids is called where it has none of glutseg's names."""
LIKE_AN_ID = re.compile(
    r"id|nr|no|number|nummer|code|mrn|patient|subject|participant|proband|case|fall", re.IGNORECASE
)
LIKE_A_HEIGHT = re.compile(
    r"height|gr(?:ö|oe|o)(?:ß|ss)e|l(?:ä|ae)nge|size|\bcm\b|\bm\b|[a-z]_c?m\b", re.IGNORECASE
)
"""What the names of columns of ids and of heights often hold; only to suggest a mapping."""


def folded(text: str) -> str:
    """A column's name without capitals, blanks, underscores and other marks."""
    return "".join(c for c in unicodedata.normalize("NFKC", text).casefold() if c.isalnum())


def parse_columns(text: str) -> dict[str, str]:
    """``"patient_id=Fallnummer,height_cm=Größe"`` as {what it is: name of the column}.

    A comma separates only where NAME= follows: the name of a column may hold commas.

    Raises
    ------
    GlutsegError
        ``participants-invalid`` for a part that is not NAME=COLUMN or names something unknown.
    """
    columns: dict[str, str] = {}
    for part in filter(None, (p.strip().rstrip(",") for p in re.split(r",(?=\s*\w+\s*=)", text))):
        name, equals, column = (p.strip() for p in part.partition("="))
        if not equals or not column or name in columns:
            raise _bad_mapping(f"{part!r} is not NAME=COLUMN, or stands twice")
        columns[name] = column
    check_names(columns)
    return columns


def check_names(columns: Mapping[str, str]) -> None:
    """Raise ``participants-invalid`` where a mapping names something unknown."""
    for name in columns:
        if name not in IDS and name not in HEIGHTS_IN_M:
            raise _bad_mapping(f"{name!r} is none of the names")


def _bad_mapping(message: str) -> GlutsegError:
    known = ", ".join((*IDS, *HEIGHTS_IN_M))
    return GlutsegError("participants-invalid", f"columns: {message}; the names are {known}")


def find_id(
    header: Sequence[str], columns: Mapping[str, str], where: str, *, with_height: bool = False
) -> tuple[str, int]:
    """Which of `IDS` names the patients, and in which column.

    Parameters
    ----------
    with_height : a column of heights is needed as well; the mapping of the message has it where it is unknown

    Raises
    ------
    GlutsegError
        ``participants-invalid`` where no column does, or it is not clear which; the message has a mapping to
        copy.
    """
    found = id_columns(header, columns)
    given = {name: column for name, column in columns.items() if name not in IDS}
    if not found:
        if with_height and not height_columns(header, columns):
            given = {"height_cm": _guess(header, LIKE_A_HEIGHT)}
        choice = mapping_option({"patient_id": _guess(header, LIKE_AN_ID)} | given)
        raise _no_column(IDS, header, columns, where, choice)
    name, places = next(iter(found.items()))
    if len(places) > 1:
        choice = mapping_option({name: header[places[0]]} | given)
        raise invalid(
            where, f"{_named(header, places)}: each could name the patient; say which with {choice}"
        )
    return name, places[0]


def find_height(header: Sequence[str], columns: Mapping[str, str], where: str) -> tuple[str, int]:
    """Which of `HEIGHTS_IN_M` the table has, or `HEIGHT` where only its cells may say the unit.

    Raises
    ------
    GlutsegError
        As `find_id`.
    """
    found = height_columns(header, columns)
    given = {name: column for name, column in columns.items() if name in IDS}
    if not found:
        choice = mapping_option(given | {"height_cm": _guess(header, LIKE_A_HEIGHT)})
        raise _no_column(tuple(HEIGHTS_IN_M), header, columns, where, choice)
    places = sorted({place for of_name in found.values() for place in of_name})
    name, (first, *_) = next(iter(found.items()))
    if len(places) > 1 or len(found) > 1:
        unit = name if name in HEIGHTS_IN_M else "height_cm"
        choice = mapping_option(given | {unit: header[first]})
        raise invalid(
            where, f"{_named(header, places)}: only one of them can be the height; say which with {choice}"
        )
    return name, first


def id_columns(header: Sequence[str], columns: Mapping[str, str]) -> dict[str, list[int]]:
    """The columns that may name the patients, by what they are; the first is meant."""
    found = _mapped_or_named(IDS, header, columns)
    if found or any(name in columns for name in IDS):
        return found
    others = [i for i, cell in enumerate(header) if folded(cell) in ID_WORDS]
    return {"patient_id": others} if others else {}


def height_columns(header: Sequence[str], columns: Mapping[str, str]) -> dict[str, list[int]]:
    """The columns that may hold the heights, by their unit."""
    names = tuple(HEIGHTS_IN_M)
    found = _mapped_or_named(names, header, columns)
    if found or any(name in columns for name in names):
        return found
    for place, cell in enumerate(header):
        if name := _height_name(cell):
            found.setdefault(name, []).append(place)
    return found


def _mapped_or_named(
    names: Sequence[str], header: Sequence[str], columns: Mapping[str, str]
) -> dict[str, list[int]]:
    """Columns with the mapped names, or with glutseg's own; spelled exactly, or else nearly, like them."""
    wanted = {name: columns[name] for name in names if name in columns} or {name: name for name in names}
    for same in (lambda text: text.strip().casefold(), folded):
        found = {
            name: places
            for name, column in wanted.items()
            if (places := [i for i, cell in enumerate(header) if same(cell) and same(cell) == same(column)])
        }
        if found:
            return found
    return {}


def _words(cell: str) -> set[str]:
    return set(re.findall(r"[^\W\d_]+|[\"″]", unicodedata.normalize("NFKC", cell).casefold()))


def _height_name(cell: str) -> str:
    """What "Height (cm)", "Größe in cm" or "Körpergröße" is; "" for anything else."""
    words = _words(cell)
    if "size" in words and words & {"body", "patient", "patients"}:  # alone it may be that of a tumour
        words = words - {"size"} | {"height"}
    if not words & HEIGHT_WORDS:
        return ""
    rest = words - HEIGHT_WORDS
    units = {UNITS[word] for word in rest - {"in"} if word in UNITS}
    if not units and re.search(r"[(\[]\s*in\s*[)\]]|_in$", cell.casefold()):
        units = {"height_in"}
    if rest - BESIDE_HEIGHT - UNITS.keys() or len(units) > 1:
        return ""
    return units.pop() if units else HEIGHT


def _no_column(
    names: Sequence[str], header: Sequence[str], columns: Mapping[str, str], where: str, choice: str
) -> GlutsegError:
    mapped = [columns[n] for n in names if n in columns]
    missing = ", ".join(repr(clean_text(n)) for n in mapped or names)
    there = ", ".join(repr(clean_text(cell)) for cell in header if cell)
    return invalid(
        where, f"none of the columns {missing}; the table has {there}; say which it is with {choice}"
    )


def _guess(header: Sequence[str], like: re.Pattern[str]) -> str:
    return next((cell for cell in header if like.search(cell)), "COLUMN")


def _named(header: Sequence[str], places: Sequence[int]) -> str:
    return ", ".join(repr(clean_text(header[place])) for place in places)


def mapping_option(columns: Mapping[str, str]) -> str:
    """The option that says which column is which, to be copied into a terminal."""
    mapping = ",".join(f"{name}={clean_text(column)}" for name, column in columns.items())
    quoted = shlex.quote(mapping) if os.name != "nt" else '"' + re.sub(r'["%^&|<>]', "?", mapping) + '"'
    return f"--participants-columns {quoted}"
