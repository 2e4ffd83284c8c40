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
SIDE_CODES: dict[Side, tuple[str, str]] = {"left": ("7771000", "Left"), "right": ("24028007", "Right")}


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
        """Red, green, blue from 0 to 255, as in glutseg's own pictures."""
        text = OTHER_COLOURS.get(self.muscle, SIDE_COLOURS[self.side])
        red, green, blue = bytes.fromhex(text.removeprefix("#"))
        return red, green, blue


TERMS = tuple(Term(muscle, side) for muscle, sides in LABELS.items() for side in sides)
"""In the order of their labels."""


def term_of_codes(type_code: str, modifier_codes: tuple[str, ...]) -> Term | None:
    """What a segment's SNOMED codes mean; None where they name no gluteus or no side."""
    muscles: dict[str, Muscle] = {code: muscle for muscle, (code, _) in MUSCLE_CODES.items()}
    muscle = (muscles | OTHER_CODES).get(type_code)
    sides = [side for side, (code, _) in SIDE_CODES.items() if code in modifier_codes]
    return Term(muscle, sides[0]) if muscle and len(sides) == 1 else None


def term_of_name(name: str) -> Term | None:
    """What a name in words means: ``gluteus_maximus_left``, ``Left gluteus medius muscle``; else None."""
    words = "".join(c if c.isalpha() else " " for c in name.lower()).split()
    muscles = [muscle for muscle in LABELS if muscle in words]
    sides: list[Side] = [side for side in SIDE_CODES if side in words]
    is_gluteal = any(word.startswith("glut") for word in words)
    return Term(muscles[0], sides[0]) if is_gluteal and len(muscles) == len(sides) == 1 else None
