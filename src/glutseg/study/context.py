"""Published values, for context: to see whether areas are of a usual size, never to judge a patient."""

from __future__ import annotations

from dataclasses import dataclass

DISCLAIMER = (
    "Published means are shown so that a reader can see whether areas are of a usual size. Level, side, "
    "imaging method and what counts as muscle differ between studies, often by more than the groups do. "
    "They are no reference ranges, and no patient may be judged by them."
)


@dataclass(frozen=True)
class Published:
    """A mean that somebody published.

    Attributes
    ----------
    quantity : "area" (mm², one side), "volume" (cm³, one side) or "index" (cm²/m²)
    sd : NaN-free: None where it is not given
    who, how : the people, and the level and method
    source : authors, journal and DOI
    remark : what must be known to read it
    """

    quantity: str
    mean: float
    sd: float | None
    unit: str
    who: str
    how: str
    source: str
    remark: str = ""


_GMI = "Predictive Value of Gluteal Muscle Index for Diagnosing Sarcopenia (...), abstract"
_GMI_REMARK = "which muscles, sides and level it sums is not known to us: do not compare with one maximus"

PUBLISHED = (
    Published(
        "area", 3074.0, 918.0, "mm²", "61 adults (35 women, 26 men), mean about 51 years",
        "MRI, outlined by hand, left side (right: 3077 ± 902)",
        "Pacicco et al., Indian J Radiol Imaging 2019;29:155, doi 10.4103/ijri.IJRI_414_18",
    ),
    Published(
        "area", 3510.0, None, "mm²", "99 healthy adults (50 men, 49 women)",
        "CT at the upper edge of the pubic symphysis",
        "Koda et al., J Showa Med Assoc 1991;51:435",
        "47.8 % of a traced total of 7349 mm²; the product is ours",
    ),
    Published(
        "volume", 577.0, 85.0, "cm³", "healthy women under 60 years",
        "MRI, from the origin to the lesser trochanter",
        "Belzunce et al., NMR Biomed 2022;35:e4636, doi 10.1002/nbm.4636",
    ),
    Published(
        "volume", 734.0, 153.0, "cm³", "healthy men under 60 years",
        "MRI, from the origin to the lesser trochanter",
        "Belzunce et al., NMR Biomed 2022;35:e4636, doi 10.1002/nbm.4636",
    ),
    Published(
        "index", 48.6, 8.4, "cm²/m²", "264 healthy adults without sarcopenia (bioimpedance)",
        "CT, gluteal muscle index: area / height²",
        _GMI,
        _GMI_REMARK,
    ),
    Published(
        "index", 41.0, 7.9, "cm²/m²", "26 adults with sarcopenia (bioimpedance)",
        "CT, gluteal muscle index: area / height²",
        _GMI,
        _GMI_REMARK,
    ),
)  # fmt: skip


def context_for(unit: str) -> tuple[Published, ...]:
    """The published values that fit the unit of the studied value; areas where none has it."""
    quantity = {"cm³": "volume", "cm²/m²": "index"}.get(unit, "area")
    kept = (quantity,) if quantity == "volume" else (quantity, "area")
    return tuple(p for p in PUBLISHED if p.quantity in kept)
