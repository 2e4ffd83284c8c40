"""How far a measured area may be off: the 90 % bound of its error, from the evidence about its outline.

The bound is a base times one factor for every measure of uncertainty, a power of one and the measure in units
of its own; where a long fat plane lies inside the medius it has a least size. No factor is below 1, so more
uncertainty never makes it smaller, and anyone can see which measure made it large. It is a linear quantile
regression of the error's logarithm (Koenker & Bassett, "Regression quantiles", Econometrica 1978) with powers
that must not be negative, scaled until bodies that the fit did not see are covered as often as promised (as
in Romano, Patterson & Candès, "Conformalized quantile regression", NeurIPS 2019). `benchmarks/error_model.py`
fits it to benchmarks/results/error_model.csv and writes error_model.json beside this file;
docs/explanation/accuracy.md has the calibration.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources

from glutseg.image import Muscle
from glutseg.segmentation.evidence import Evidence

COEFFICIENTS_FILE = "error_model.json"
MOST_PERCENT = 100.0
"""A bound beyond says no more than that nothing is known."""
UNITS = {
    "network_difference": 0.05,
    "hidden_border_per_mm": 0.003,
    "plane_inside_medius_mm": 10.0,
    "unsure_share": 0.03,
}
"""From where on a measure counts: about what it is in an ordinary outline. Half and twice as much foretell
bodies that the fit did not see as well (area under the curve .92 to .93)."""


LONG_PLANE_MM = 45.0
"""A fat plane of this length inside what is taken for gluteus medius is more likely its border than a streak:
the area is then off by more than a third in one of ten. Chosen after k01, whose 46 and 48 mm the product of
factors passed over; right outlines of the five shared cases and their changes have less but for a few."""


@dataclass(frozen=True)
class ErrorModel:
    """The bound of one muscle's area.

    Attributes
    ----------
    base_percent : where nothing is uncertain
    powers : of each measure, a field of `Evidence`: its factor is (1 + measure / unit) to this; not negative
    long_plane_percent : the least where a plane of `LONG_PLANE_MM` lies inside the medius
    """

    base_percent: float
    powers: Mapping[str, float]
    long_plane_percent: float = 0.0

    def factors(self, evidence: Evidence) -> dict[str, float]:
        """By how much each measure multiplies the base, 1 or more."""
        return {
            measure: (1 + getattr(evidence, measure) / UNITS[measure]) ** power
            for measure, power in self.powers.items()
        }

    def bound_percent(self, evidence: Evidence) -> float:
        product = self.base_percent * math.prod(self.factors(evidence).values())
        least = self.long_plane_percent if evidence.plane_inside_medius_mm > LONG_PLANE_MM else 0.0
        return min(MOST_PERCENT, max(product, least))


def error_bound_percent(evidence: Evidence) -> float:
    """The true area lies within so many percent of the measured one in nine of ten outlines."""
    return fitted_models()[evidence.muscle].bound_percent(evidence)


@lru_cache(maxsize=1)
def fitted_models() -> Mapping[Muscle, ErrorModel]:
    """Of every muscle, from the file that comes with glutseg."""
    text = (resources.files(__package__) / COEFFICIENTS_FILE).read_text(encoding="utf-8")
    return {muscle: ErrorModel(**fitted) for muscle, fitted in json.loads(text)["muscles"].items()}
