"""Classify reconstruction kernels as soft or sharp by their names."""

from __future__ import annotations

import re
from typing import Literal

KernelClass = Literal["soft", "unknown", "sharp"]

SOFT_UP_TO = 49
SHARP_FROM = 60
"""Siemens numbers its kernels by sharpness (B30f, Br40, I70f): 30 to 40 for soft tissue, 60 to 80 for bone
and lung; those between are used for both."""

SIEMENS = re.compile(r"([BCDHIJQSTUV][RFLVCPUY]?)(\d{2})[FSHUMDA]?(\\\d+)?(?!\d)")

CANON = re.compile(r"FC(\d{2})")
CANON_SHARP_TENS = (3, 5, 8)
"""FC30 to 39 bone, FC50 to 59 lung, FC80 to 89 high resolution; the others are body and brain."""

WORDS: tuple[tuple[KernelClass, tuple[str, ...]], ...] = (
    # GE: BONE, BONEPLUS, EDGE, LUNG, ULTRA; the rest are words of series descriptions
    (
        "sharp",
        ("BONE", "LUNG", "EDGE", "ULTRA", "SHARP", "HRCT", "KNOCHEN", "LUNGE", "HUESO", "PULMON", "POUMON"),
    ),
    # GE: STANDARD, SOFT, DETAIL, CHST
    ("soft", ("STANDARD", "STND", "SOFT", "DETAIL", "CHST", "SMOOTH", "WEICHTEIL", "TISSUE", "STD")),
)

PHILIPS: dict[str, KernelClass] = {
    **dict.fromkeys(("A", "B", "C", "CA", "CB", "XCA", "XCB", "UA", "UB"), "soft"),
    **dict.fromkeys(("D", "E", "L", "CD", "YA", "YB", "YC", "YD", "YE"), "sharp"),
}
"""Philips letters grow sharper with the alphabet; Y and L are for bone and lung."""


def classify_kernel(kernel: str, description: str = "") -> KernelClass:
    """Classify a Convolution Kernel or, if its name is unknown, the words of the series description.

    An unknown kernel is neither preferred nor ranked lower.
    """
    name = kernel.upper().strip()
    for found in (
        _by_number(name),
        PHILIPS.get(name, "unknown"),
        _by_word(name),
        _by_word(description.upper()),
    ):
        if found != "unknown":
            return found
    return "unknown"


def _by_number(name: str) -> KernelClass:
    if canon := CANON.match(name):
        return "sharp" if int(canon[1]) // 10 in CANON_SHARP_TENS else "soft"
    if siemens := SIEMENS.match(name):
        number = int(siemens[2])
        return "soft" if number <= SOFT_UP_TO else "sharp" if number >= SHARP_FROM else "unknown"
    return "unknown"


def _by_word(text: str) -> KernelClass:
    for found, words in WORDS:
        if any(word in text for word in words):
            return found
    return "unknown"
