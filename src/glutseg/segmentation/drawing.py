"""The outlines on the slices: for every pixel what the network expects and what its density says, together.

Bayes' rule with six tissues. Near the border the network is unsure, and the density decides: half way between
the fat and the muscle of this patient. Within the muscle the network is sure, and streaks of fat stay inside.
The noisier the image, the less a density says.

Fat that the muscle's fascia encloses is then taken in, but only where the network would sooner call it this
muscle than any other tissue: streaks are closed, and no neighbour is touched.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy import ndimage as ndi

from glutseg.image import Muscle
from glutseg.segmentation.discs import close_disc, fill_holes, open_disc
from glutseg.segmentation.network import CLASSES
from glutseg.segmentation.tissue import Tissue
from glutseg.settings import SegmentationSettings

_FAT, _BONE = CLASSES.index("background"), CLASSES.index("bone")
_BOUNDED_BY_FASCIA: tuple[Muscle, ...] = ("maximus",)
"""Muscles whose area is all that their fascia encloses; of the others it is what is muscle."""
LARGE_PART = 0.1
"""Pieces of a muscle on a slice smaller than this share of its largest are dropped."""
_HARD, _HARD_WIDTH = 1.5, 0.1
"""Leanness from which on it is rather bone than muscle."""

FloatArray = npt.NDArray[np.float32]
BoolArray = npt.NDArray[np.bool_]
ClassArray = npt.NDArray[np.uint8]


def classify(
    leanness: FloatArray, probabilities: FloatArray, tissue: Tissue, settings: SegmentationSettings
) -> ClassArray:
    """The likeliest class of every pixel.

    Parameters
    ----------
    leanness : smoothed, 0 fat to 1 muscle, (slice, row, column)
    probabilities : of the classes, (class, slice, row, column)
    """
    likelihoods = _likelihoods(leanness, tissue, settings)
    score = np.stack(
        [
            settings.prior_weight * np.log(np.maximum(p, 1e-4)) + np.log(likelihoods[name])
            for name, p in zip(CLASSES, probabilities, strict=True)
        ]
    )
    return np.asarray(score.argmax(0), dtype=np.uint8)


def _likelihoods(
    leanness: FloatArray, tissue: Tissue, settings: SegmentationSettings
) -> dict[str, FloatArray]:
    """Of the density of each pixel in each class, up to a common factor."""
    spread = max(settings.least_spread, tissue.spread)
    between = np.clip(leanness, 0, 1)
    fat = np.exp(-0.5 * (between / spread) ** 2) + settings.outlier_share
    lean = np.exp(-0.5 * ((between - 1) / spread) ** 2) + settings.outlier_share
    streaks = float(np.clip(tissue.fat_share, 0.02, 0.5))
    muscle = (1 - streaks) * lean + streaks * fat
    background = settings.background_fat * fat + (1 - settings.background_fat) * lean
    hard = 1 / (1 + np.exp(-np.clip((leanness - _HARD) / _HARD_WIDTH, -30, 30)))
    soft_muscle = muscle * (1 - 0.95 * hard)
    bone = 0.05 + hard
    return {
        "background": background,
        "maximus": soft_muscle,
        "medius": soft_muscle,
        "minimus": soft_muscle,
        "bone": bone,
        "other muscle": muscle,
    }


def territory(probabilities: FloatArray) -> ClassArray:
    """The class of every pixel if it were not fat, from probabilities of the classes along the first axis."""
    return np.asarray(np.delete(probabilities, _FAT, axis=0).argmax(0) + 1, dtype=np.uint8)


def draw(
    classes: ClassArray,
    territories: ClassArray,
    muscle: Muscle,
    spacing_mm: tuple[float, float],
    settings: SegmentationSettings,
) -> BoolArray:
    """One muscle on a slice, from its map of classes and that of `territory`."""
    own = classes == CLASSES.index(muscle)
    if muscle in _BOUNDED_BY_FASCIA:
        own = enclosed(classes, own, territories == CLASSES.index(muscle), spacing_mm, settings)
    return tidy(own, spacing_mm, settings)


def enclosed(
    classes: ClassArray,
    own: BoolArray,
    own_territory: BoolArray,
    spacing_mm: tuple[float, float],
    settings: SegmentationSettings,
) -> BoolArray:
    """One slice of a muscle with the fat that its fascia encloses.

    A thin plane between two muscles belongs by halves to both, a streak wholly to its muscle, also where it
    reaches the fascia.
    """
    room = own | (own_territory & (classes == _FAT))
    muscles = (classes != _FAT) & (classes != _BONE)
    with_planes = own | (close_disc(muscles, settings.plane_mm, spacing_mm) & room)
    return np.asarray(close_disc(with_planes, settings.streak_mm, spacing_mm) & room, dtype=bool)


def tidy(mask: BoolArray, spacing_mm: tuple[float, float], settings: SegmentationSettings) -> BoolArray:
    """One slice of a muscle without ends and spurs that are too thin for one, without scraps and holes."""
    opened = open_disc(mask, settings.spur_mm, spacing_mm)
    labels, n = ndi.label(opened)
    if n > 1:
        sizes = np.bincount(labels.ravel())
        sizes[0] = 0
        opened = np.isin(labels, np.flatnonzero(sizes >= LARGE_PART * sizes.max()))
    return fill_holes(opened)
