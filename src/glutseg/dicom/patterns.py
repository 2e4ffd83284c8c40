"""Match series against the protocol's patterns for descriptions and kernels."""

from __future__ import annotations

from glutseg.dicom.model import Series
from glutseg.protocol import SeriesRule


def matches(text: str, pattern: str) -> bool:
    """Whether the whole text matches the pattern; ``*`` stands for any text, case does not matter.

    Takes at most a time proportional to the product of the two lengths.

    >>> matches("PELVIS 3.0 B30f", "pelvis*b3*")
    True
    >>> matches("B31f", "B3")
    False
    """
    text = text.casefold()
    first, *others = pattern.casefold().split("*")
    if not others:
        return text == first
    *inner, last = others
    if not text.startswith(first) or not text.endswith(last) or len(text) < len(first) + len(last):
        return False
    at, end = len(first), len(text) - len(last)
    for piece in inner:
        found = text.find(piece, at, end)
        if found < 0:
            return False
        at = found + len(piece)
    return True


def pattern_rejection(series: Series, rule: SeriesRule) -> str:
    """Return why the protocol's patterns reject a series; "" if they accept it."""
    for name, text, include, exclude in (
        ("description", series.description, rule.description_include, rule.description_exclude),
        ("kernel", series.kernel, rule.kernel_include, rule.kernel_exclude),
    ):
        if include and not any(matches(text, p) for p in include):
            return f"the protocol's patterns: the {name} matches none of {', '.join(include)}"
        if hit := next((p for p in exclude if matches(text, p)), None):
            return f"the protocol's patterns: the {name} matches {hit}"
    return ""
