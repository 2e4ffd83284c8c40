"""How muscles are named in other programs' files: SNOMED CT, labels in words, colours."""

from __future__ import annotations

from dataclasses import dataclass

from glutseg.image import LABELS, Muscle, Side
from glutseg.output.style import OTHER_COLOURS, SIDE_COLOURS

SCHEME = "SCT"
ANATOMICAL_STRUCTURE = ("123037004", "Anatomical Structure")
MUSCLE_CODES: dict[Muscle, tuple[str, str]] = {
    "maximus": ("181674001", "Gluteus maximus muscle"),
    "medius": ("78333006", "Gluteus medius muscle"),
    "minimus": ("75297007", "Gluteus minimus muscle"),
}
"""SNOMED CT, as TotalSegmentator's table of codes (2.18.0, the rows with a side) has them. Besides: the
minimus in MOOSE's table, the medius in the FHIR value set air-site-code of Te Whatu Ora, New Zealand."""
OTHER_CODES: dict[str, Muscle] = {"206007": "maximus"}
"""What others write: 206007 is SNOMED's Structure of gluteus maximus muscle, 181674001 the entire one."""
LIGHTER = 0.45
"""Share of the way to white of the other muscles' right side. Chosen: told apart on a screen."""
SIDE_CODES: dict[Side, tuple[str, str]] = {"left": ("7771000", "Left"), "right": ("24028007", "Right")}
SIDE_WORDS: dict[str, Side] = {
    **dict.fromkeys(
        ("left", "l", "lt", "links", "linker", "linke", "gauche", "sinister", "sinistra"), "left"
    ),
    **dict.fromkeys(
        ("right", "r", "rt", "rechts", "rechter", "rechte", "droit", "dexter", "destra"), "right"
    ),
}
"""How people name sides: English, German, French, Latin, Italian, and the letters on the film."""
MUSCLE_WORDS: dict[str, Muscle] = {
    **{muscle: muscle for muscle in LABELS},
    "max": "maximus",
    "med": "medius",
    "min": "minimus",
}


@dataclass(frozen=True)
class Term:
    """One muscle of one side; ``label`` is its value in every mask of glutseg."""

    muscle: Muscle
    side: Side

    @property
    def label(self) -> int:
        return LABELS[self.muscle][self.side]

    @property
    def name(self) -> str:
        """As 3D Slicer or a viewer of DICOM shows it."""
        return f"Gluteus {self.muscle} {self.side}"

    @property
    def colour(self) -> tuple[int, int, int]:
        """Red, green, blue from 0 to 255.

        As in glutseg's own pictures; the right medius and minimus are lighter, so that no two regions of a
        file have one colour.
        """
        text = OTHER_COLOURS.get(self.muscle, SIDE_COLOURS[self.side])
        lighter = LIGHTER if self.muscle in OTHER_COLOURS and self.side == "right" else 0.0
        red, green, blue = (round(c + lighter * (255 - c)) for c in bytes.fromhex(text.removeprefix("#")))
        return red, green, blue


TERMS = tuple(Term(muscle, side) for muscle, sides in LABELS.items() for side in sides)
"""In the order of their labels."""


def term_of_codes(type_code: str, modifier_codes: tuple[str, ...], name: str = "") -> Term | None:
    """What a segment's SNOMED codes mean, or, where they name no side, codes and name.

    None where they name no gluteus or no side.
    """
    muscles: dict[str, Muscle] = {code: muscle for muscle, (code, _) in MUSCLE_CODES.items()}
    muscle = (muscles | OTHER_CODES).get(type_code)
    sides = {side for side, (code, _) in SIDE_CODES.items() if code in modifier_codes}
    side = next(iter(sides)) if len(sides) == 1 else None if sides else side_of_name(name)
    return Term(muscle, side) if muscle and side else None


def side_of_name(name: str) -> Side | None:
    """The only side that a name in words has: ``links``, ``Outline R``; else None."""
    sides = {SIDE_WORDS[word] for word in _words(name) if word in SIDE_WORDS}
    return next(iter(sides)) if len(sides) == 1 else None


def term_of_name(name: str) -> Term | None:
    """What a name in words means: ``gluteus_maximus_left``, ``Left glut max``, ``M. gluteus medius links``.

    None where it names no gluteus, or not one muscle and one side.
    """
    words = _words(name)
    muscles = {MUSCLE_WORDS[word] for word in words if word in MUSCLE_WORDS}
    side, is_gluteal = side_of_name(name), any(word.startswith("glut") for word in words)
    return Term(next(iter(muscles)), side) if is_gluteal and side and len(muscles) == 1 else None


def _words(name: str) -> list[str]:
    return "".join(c if c.isalpha() else " " for c in name.lower()).split()
