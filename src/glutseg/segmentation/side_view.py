"""One side of the body as the network sees it, with the edges' corrections, ready to be drawn on slices."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
from scipy import ndimage as ndi

from glutseg.errors import GlutsegError
from glutseg.image import CtImage, Muscle, Side
from glutseg.segmentation import competition
from glutseg.segmentation.competition import Field
from glutseg.segmentation.drawing import BoolArray, ClassArray, FloatArray, classify, draw, territory
from glutseg.segmentation.network import Network, softmax
from glutseg.segmentation.side_grid import SPACING_MM, SideGrid
from glutseg.segmentation.tissue import Tissue, measure_tissue
from glutseg.settings import SegmentationSettings

_GLUTEI = slice(1, 4)
_LEAST_PROBABILITY = 1e-5
_MARGIN = 8  # voxels of the network's grid around what could be a gluteal muscle: room for smoothing


@dataclass(frozen=True)
class SideView:
    """What is known of one side.

    Attributes
    ----------
    grid : of the network
    hu : on it, (plane, row, column)
    probabilities : (class, plane, row, column)
    tissue : levels of fat and muscle near the level
    """

    grid: SideGrid
    hu: FloatArray
    probabilities: FloatArray
    tissue: Tissue

    @classmethod
    def of(
        cls,
        image: CtImage,
        head_mm: tuple[float, float, float],
        side: Side,
        network: Network,
        settings: SegmentationSettings,
        middle: int,
        slices: range | None,
        roll_degrees: float = 0.0,
    ) -> SideView:
        """Run the network on one side.

        Parameters
        ----------
        middle : slice near which fat and muscle are measured
        slices : those to be drawn; None for all from the ischium to above the ilium
        roll_degrees : of a patient whom the network is to see straight

        Raises
        ------
        GlutsegError
            ``muscle-not-found`` where the network sees no gluteus maximus there.
        """
        grid = SideGrid.around(image.geometry, head_mm, side, slices, roll_degrees)
        hu, kept = grid.sample(image), slice(None)
        if slices is not None:  # the planes beyond are context for the network
            near, drawn = _near(grid, image, middle, settings.reach_mm), grid.planes_of(slices)
            kept = slice(min(near.start, drawn.start), max(near.stop, drawn.stop))
        probabilities = network.probabilities(hu, kept)
        grid, hu = grid.cropped(kept), hu[kept]
        near = _near(grid, image, middle, settings.reach_mm)
        if not (probabilities[1, near] > 0.5).any():
            raise GlutsegError("muscle-not-found", f"no muscle was found behind the {side} hip")
        return cls(grid, hu, probabilities, measure_tissue(hu[near], probabilities[:, near]))

    def field(
        self, image: CtImage, middle: int, reach_mm: float, settings: SegmentationSettings
    ) -> tuple[slice, Field]:
        """Planes within ``reach_mm`` of a slice, and what they show."""
        near = _near(self.grid, image, middle, reach_mm)
        return near, competition.look(self.hu[near], self.probabilities[:, near], self.tissue, settings)

    def settled(
        self, near: slice, field: Field, settings: SegmentationSettings, margins: Sequence[float] = (0.0,)
    ) -> Iterator[SideView]:
        """The same with what edges and network see differently changed over to the edges, once per margin."""
        for region in competition.edge_led(field, settings, margins):
            probabilities = self.probabilities.copy()
            probabilities[:, near] = competition.settled(field, region)
            yield replace(self, probabilities=probabilities)

    def _logs(self, slices: range, box: tuple[slice, slice]) -> Iterator[FloatArray]:
        """Of the probabilities on a box of some slices, interpolated; one at a time, for all are large."""
        planes = self.grid.planes_of(slices)
        logs = np.log(np.maximum(self.probabilities[:, planes], _LEAST_PROBABILITY))
        for k in slices:
            yield self.grid.on_slices(logs, range(k, k + 1), box, first=planes.start)

    def box(self, image: CtImage) -> tuple[slice, slice]:
        """Rows and columns of the slices that hold what could be a gluteal muscle."""
        could_be = self.probabilities[_GLUTEI].max(axis=(0, 1)) > 0.01
        rows, columns = (np.flatnonzero(could_be.any(axis)) for axis in (1, 0))
        part = replace(
            self.grid,
            rows=self.grid.rows[_with_margin(rows, len(self.grid.rows))],
            columns=self.grid.columns[_with_margin(columns, len(self.grid.columns))],
        )
        return part.box(image.geometry)

    def draw(
        self, image: CtImage, slices: range, muscles: tuple[Muscle, ...], settings: SegmentationSettings
    ) -> Drawing:
        """The outlines on some slices."""
        box = self.box(image)
        maps = []
        leanness = _leanness(image, slices, box, self.tissue)
        for n, logs in enumerate(self._logs(slices, box)):
            probabilities = softmax(logs)
            classes = classify(leanness[n : n + 1], probabilities, self.tissue, settings)
            maps.append((classes[0], territory(probabilities)[0]))
        return Drawing.of(image, maps, slices, box, muscles, settings)

    def draw_network_led(
        self, image: CtImage, slices: range, muscles: tuple[Muscle, ...], settings: SegmentationSettings
    ) -> Drawing:
        """The outlines that the network alone would draw."""
        box = self.box(image)
        maps = [(logs.argmax(0)[0], territory(logs)[0]) for logs in self._logs(slices, box)]
        return Drawing.of(image, maps, slices, box, muscles, settings)


@dataclass(frozen=True)
class Drawing:
    """Outlines on some slices of one side.

    Attributes
    ----------
    slices : of the series
    box : rows and columns of them in which ``masks`` lie
    shape : rows and columns of a whole slice
    masks : (slice, row, column) within slices and box
    """

    slices: range
    box: tuple[slice, slice]
    shape: tuple[int, int]
    masks: dict[Muscle, BoolArray]

    @classmethod
    def of(
        cls,
        image: CtImage,
        maps: Sequence[tuple[ClassArray, ClassArray]],
        slices: range,
        box: tuple[slice, slice],
        muscles: tuple[Muscle, ...],
        settings: SegmentationSettings,
    ) -> Drawing:
        """From the likeliest class of every pixel of each slice, and the one that it would have were it not
        fat."""
        _, dy, dx = image.geometry.spacing_mm
        masks = {
            muscle: np.stack([draw(*both, muscle, (dy, dx), settings) for both in maps]) for muscle in muscles
        }
        return cls(slices, box, image.geometry.shape[1:], masks)

    def on_slice(self, k: int, muscle: Muscle) -> BoolArray:
        """One muscle on a whole slice, (row, column)."""
        out = np.zeros(self.shape, bool)
        out[self.box] = self.masks[muscle][self.slices.index(k)]
        return out


def _near(grid: SideGrid, image: CtImage, middle: int, reach_mm: float) -> slice:
    reach = reach_mm / image.geometry.spacing_mm[0]
    return grid.near(middle - reach, middle + reach)


def _with_margin(indices: npt.NDArray[np.intp], n: int) -> slice:
    return slice(max(0, int(indices[0]) - _MARGIN), min(n, int(indices[-1]) + 1 + _MARGIN))


def _leanness(image: CtImage, slices: range, box: tuple[slice, slice], tissue: Tissue) -> FloatArray:
    """Smoothed slices on the scale from fat to muscle; slices thinner than the planes are averaged."""
    thickness = max(1, round(SPACING_MM[0] / image.geometry.spacing_mm[0]))
    margin = thickness // 2
    low, high = max(0, slices.start - margin), min(image.hu.shape[0], slices.stop + margin)
    hu = image.hu[(slice(low, high), *box)].astype(np.float32)
    if thickness > 1:
        hu = ndi.uniform_filter1d(hu, thickness, axis=0, mode="nearest")
    return tissue.leanness(hu[slices.start - low : slices.stop - low], image.geometry.spacing_mm)
