"""Assigns the regions of a foreign mask to muscles and sides."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Literal

from glutseg.dicom.text import composed
from glutseg.errors import GlutsegError
from glutseg.exchange.foreign import ForeignMask, GridMask, Region
from glutseg.exchange.terms import TERMS, Term, term_of_name
from glutseg.image import SIDES, Muscle, Side

LabelMap = Literal["totalsegmentator", "musclemap", "glutseg"]
LABEL_MAPS: dict[LabelMap, dict[int, Term]] = {
    "totalsegmentator": {
        80: Term("maximus", "left"),
        81: Term("maximus", "right"),
        82: Term("medius", "left"),
        83: Term("medius", "right"),
        84: Term("minimus", "left"),
        85: Term("minimus", "right"),
    },
    "musclemap": {
        6121: Term("maximus", "left"),
        6122: Term("maximus", "right"),
        6111: Term("medius", "left"),
        6112: Term("medius", "right"),
        6101: Term("minimus", "left"),
        6102: Term("minimus", "right"),
    },
    "glutseg": {term.label: term for term in TERMS},
}
"""TotalSegmentator's task `total` (version 2) and MuscleMap's labels, as their own tables have them."""
MAX_NAMED = 12


def parse_labels(texts: Sequence[str]) -> dict[str, Term]:
    """``NAME=left``, ``NUMBER=right`` or ``NAME=medius-left``, as on the command line.

    Raises
    ------
    GlutsegError
        ``labels-unknown``.
    """
    found: dict[str, Term] = {}
    for entry in texts:
        name, equals, meaning = entry.rpartition("=")
        term = _term(meaning.strip().lower())
        if not equals or not name.strip() or term is None:
            message = f"{entry!r}: expected NAME=left, NUMBER=right or NAME=medius-left"
            raise GlutsegError("labels-unknown", message)
        found[composed(name.strip())] = term
    return found


def _term(text: str) -> Term | None:
    match = re.fullmatch(r"(?:(maximus|medius|minimus)-)?(left|right)", text)
    if match is None:
        return None
    muscle: Muscle = match[1] or "maximus"  # type: ignore[assignment]
    side: Side = match[2]  # type: ignore[assignment]
    return Term(muscle, side)


def assign(
    mask: ForeignMask, asked: Mapping[str, Term] | None = None, label_map: LabelMap | None = None
) -> dict[Term, Region]:
    """The region of each muscle and side.

    Parameters
    ----------
    asked : region's name or number, and what it is; nothing else is then measured
    label_map : of a known program; otherwise by codes and names in the file, or by glutseg's own numbers

    Returns
    -------
    dict
        Muscle and side, and its region; at least one of the gluteus maximus.

    Raises
    ------
    GlutsegError
        ``labels-unknown``; ``mask-empty`` for a file without any label.
    """
    if not mask.regions:
        raise GlutsegError("mask-empty", "the file has no label")
    if asked:
        found = {term: _asked(mask, name) for name, term in asked.items()}
        if len(found) < len(asked):
            raise GlutsegError("labels-unknown", "two labels are assigned to the same muscle and side")
    elif label_map:
        numbers = LABEL_MAPS[label_map]
        found = {numbers[r.number]: r for r in mask.regions if r.number in numbers}
    else:
        found = _by_themselves(mask)
    if not any(term.muscle == "maximus" for term in found):
        raise GlutsegError("labels-unknown", f"no label is a gluteus maximus; the file has {_listed(mask)}")
    return dict(sorted(found.items(), key=lambda item: item[0].label))


def _asked(mask: ForeignMask, name: str) -> Region:
    same = [r for r in mask.regions if r.name == name] or [
        r for r in mask.regions if r.name.lower() == name.lower() or str(r.number) == name
    ]
    if len(same) != 1:
        raise GlutsegError(
            "labels-unknown", f"{len(same)} regions are called {name!r}; the file has {_listed(mask)}"
        )
    return same[0]


def _by_themselves(mask: ForeignMask) -> dict[Term, Region]:
    """By codes, by names, or, in a file without either, by glutseg's numbers if both sides are there."""
    known = [(r.term or term_of_name(r.name), r) for r in mask.regions]
    terms = [term for term, _ in known if term is not None]
    if len(set(terms)) < len(terms):
        raise GlutsegError(
            "labels-unknown", f"two regions are the same muscle and side; the file has {_listed(mask)}"
        )
    if terms:
        return {term: region for term, region in known if term is not None}
    own_labels = {term.label: term for term in TERMS}
    numbers = {r.number for r in mask.regions}
    is_nameless = isinstance(mask, GridMask) and not any(r.name for r in mask.regions)
    if is_nameless and set(SIDES.values()) <= numbers <= set(own_labels):
        return {own_labels[r.number]: r for r in mask.regions}
    raise GlutsegError(
        "labels-unknown",
        f"neither codes nor names say which label is which muscle; the file has {_listed(mask)}",
    )


def _listed(mask: ForeignMask) -> str:
    names = [f"{r.number} {r.name!r}" if r.name else str(r.number) for r in mask.regions[:MAX_NAMED]]
    return ", ".join(names) + (", ..." if len(mask.regions) > MAX_NAMED else "")
