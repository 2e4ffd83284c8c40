"""What a stroke paints: the muscle chosen, on the side where it begins, within the body. Without Qt."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Literal

import numpy as np
import numpy.typing as npt

from glutseg.anatomy import Midplane, midplane_of_body, midplane_of_muscles
from glutseg.image import LABELS, LabelArray, Muscle, Side
from glutseg.quality import Picture as SlicePicture
from glutseg.segmentation.editing import BoolArray
from glutseg.settings import CORRECTION
from glutseg.viewer.picture import Picture

FloatArray = npt.NDArray[np.float64]
Pixel = tuple[int, int, int]
"""(z, y, x), canonical."""
Refusal = Literal["outside-body", "beyond-midline", "other-tissue", "no-image"]
MUSCLE_AND_SIDE: dict[int, tuple[Muscle, Side]] = {
    label: (muscle, side) for muscle, sides in LABELS.items() for side, label in sides.items()
}

NOWHERE = Midplane((0.0, 0.0, 0.0), (1.0, 0.0, 0.0))
"""Where no image is shown."""
REFUSALS: dict[Refusal, str] = {
    "outside-body": "Nothing is painted outside of the body.",
    "beyond-midline": "A stroke ends at the midline: begin another one on the other side.",
    "other-tissue": "Nothing here is within the HU of muscle: Alt+Q lets the brush paint all tissue.",
    "no-image": "No image shows this slice: nothing is painted on it.",
}


class PaintRules:
    """Chooses the label of a stroke and limits where it may paint.

    A stroke takes the side on which it begins and keeps it: of the muscle below it where that is near the
    midline, else of the patient. It ends `CORRECTION.midline_slack_mm` beyond the midline.

    Attributes
    ----------
    muscle : that is painted
    midplane : between the patient's sides, of the hips or of what was found; where it is None, through the
        middle of the body on the slice
    tissue_only : whether only pixels within the protocol's window of muscle are painted
    """

    def __init__(self) -> None:
        self.picture: Picture | None = None
        self.midplane: Midplane | None = None
        self.muscle: Muscle = "maximus"
        self.tissue_only = False
        self._stroke: Side | None = None
        self._bodies: dict[int, BoolArray] = {}
        self._left_of_mm: dict[int, FloatArray] = {}
        self._refused: list[Callable[[Refusal], None]] = []

    def show_picture(self, picture: Picture | None) -> None:
        """Another case; its midplane is not known yet."""
        self.picture, self.midplane, self._stroke = picture, None, None
        self._bodies, self._left_of_mm = {}, {}

    def on_refusal(self, listener: Callable[[Refusal], None]) -> None:
        """Call ``listener`` with the reason where a stroke paints nothing."""
        self._refused.append(listener)

    def side_at(self, pixel: Pixel) -> Side:
        """The side of a stroke that begins on a pixel."""
        picture = self.picture
        if picture is None:
            return "left"
        z, y, x = pixel
        left_of_mm = float(self._left_of_mm_on(z)[y, x])
        label = int(picture.labels[pixel])
        if abs(left_of_mm) <= CORRECTION.midline_slack_mm and label in MUSCLE_AND_SIDE:
            return MUSCLE_AND_SIDE[label][1]
        return "left" if left_of_mm >= 0 else "right"

    def label_of(self, side: Side) -> int:
        """Label of the chosen muscle on a side."""
        return LABELS[self.muscle][side]

    def begin(self, pixel: Pixel) -> Side:
        """Begin a stroke; its side."""
        self._stroke = self.side_at(pixel)
        return self._stroke

    def end(self) -> None:
        """End the stroke."""
        self._stroke = None

    def label_at(self, pixel: Pixel) -> int:
        """The label to paint with: of the stroke's side, or of the pixel's between strokes."""
        return self.label_of(self._stroke or self.side_at(pixel))

    def limited(self, z: int, box: tuple[slice, slice], mask: BoolArray, label: int) -> BoolArray:
        """The part of a mask that may get a label; 0 removes, also fat and what lies outside of the body.

        Where nothing is left the listeners are told why.

        Parameters
        ----------
        z : slice
        box : rows and columns of ``mask`` (y, x) on it
        """
        for reason, allowed in self._rules(z, box, label):
            left_over = mask & allowed
            if mask.any() and not left_over.any():
                for listener in self._refused:
                    listener(reason)
            mask = left_over
        return mask

    def plane_on(self, z: int) -> Midplane:
        """Between the sides on a slice."""
        if self.midplane is not None or self.picture is None:
            return self.midplane or NOWHERE
        return midplane_of_body(self.body_on(z), self.picture.image.geometry, z)

    def body_on(self, z: int) -> BoolArray:
        """The body on a slice (y, x), without table and air."""
        if z not in self._bodies and self.picture is not None:
            image = self.picture.image
            nothing = np.zeros(image.hu.shape[1:], np.uint8)
            _, y_mm, x_mm = image.geometry.spacing_mm
            self._bodies[z] = SlicePicture(image.hu[z], nothing, (y_mm, x_mm)).body
        return self._bodies[z]

    def take_midplane(self, labels: LabelArray, start: int) -> None:
        """Take the middle between muscles that were just segmented, where the hips are not known.

        Parameters
        ----------
        labels : (slice, y, x)
        start : slice of ``labels[0]``
        """
        if self.midplane is None and self.picture is not None:
            found = np.zeros_like(self.picture.labels)
            found[start : start + len(labels)] = labels
            self.midplane = midplane_of_muscles(found, self.picture.image.geometry)
            self._left_of_mm = {}

    def _rules(self, z: int, box: tuple[slice, slice], label: int) -> Iterator[tuple[Refusal, BoolArray]]:
        """Where each rule allows a label within a box, and what it refuses."""
        picture = self.picture
        if picture is None or z in picture.image.missing_slices:
            yield "no-image", np.zeros((box[0].stop - box[0].start, box[1].stop - box[1].start), bool)
            return
        side = MUSCLE_AND_SIDE[label][1] if label in MUSCLE_AND_SIDE else self._stroke
        if side is not None:
            left_of_mm = self._left_of_mm_on(z)[box]
            yield (
                "beyond-midline",
                (left_of_mm if side == "left" else -left_of_mm) >= -CORRECTION.midline_slack_mm,
            )
        if label == 0:
            return
        yield "outside-body", self.body_on(z)[box]
        if self.tissue_only:
            low, high = picture.tissue.muscle_hu
            hu = picture.image.hu[z][box]
            yield "other-tissue", (hu >= low) & (hu <= high)

    def _left_of_mm_on(self, z: int) -> FloatArray:
        if z not in self._left_of_mm and self.picture is not None:
            self._left_of_mm[z] = self.plane_on(z).left_of_mm(self.picture.image.geometry, z)
        return self._left_of_mm[z]
