"""From volumes to samples: which volume, which side, how changed."""

from dataclasses import dataclass, field

import torch
from torch import Tensor

from training.chance import Chance
from training.generator.deformation import deformed_points
from training.generator.recolouring import recoloured, slightly_recoloured
from training.generator.scanner import scanned
from training.generator.tissue import rendered
from training.grid import SPACING_MM, Grid
from training.labels import AIR, IGNORED, class_of_code
from training.settings import SourceMix
from training.volumes import Volume, nearest

ALREADY_MEASURED = {"labelled": 0.7, "simulated": 0.6, "unlabelled": 0.7}
"""Share of the full noise that is added to images that have some."""


@dataclass
class Sampler:
    """Draws samples from training volumes.

    Attributes
    ----------
    volumes
        All volumes of the run.
    mix
        How often each kind is drawn.
    own_labels
        Labels of the network's own making of unlabelled CT, on the network's whole grid, by name and side;
        an unlabelled CT is drawn only once it has some.
    """

    volumes: list[Volume]
    mix: SourceMix
    chance: Chance
    grid: Grid = field(default_factory=Grid)
    own_labels: dict[tuple[str, int], Tensor] = field(default_factory=dict)

    def batch(self, size: int, slices: int) -> tuple[Tensor, Tensor]:
        """HU (B, Z, Y, X) and classes (B, Z, Y, X) of ``size`` samples, each of some consecutive slices."""
        first = self.chance.integer(0, self.grid.shape[0] - slices + 1)
        samples = [self.sample(self.grid.part(first, slices)) for _ in range(size)]
        return torch.stack([hu for hu, _ in samples]), torch.stack([classes for _, classes in samples])

    def sample(self, grid: Grid) -> tuple[Tensor, Tensor]:
        """HU and classes of one new sample."""
        kind, volume = self._drawn()
        side, points = self.chance.integer(0, 2), deformed_points(grid, self.chance)
        if kind == "unlabelled":
            labels = self._own_labels_at(volume, side, points)
        else:
            labels = volume.labels_around(points, side, AIR)
        if kind == "rendered":
            hu, labels = rendered(labels, grid, self.chance)
        elif kind == "unlabelled":
            hu = slightly_recoloured(volume.hu_around(points, side), labels, grid, self.chance)
        else:
            hu, labels = recoloured(volume.hu_around(points, side), labels, grid, self.chance)
        hu, labels = scanned(hu, labels, grid, self.chance, ALREADY_MEASURED.get(kind, 1.0))
        return hu, class_of_code(labels.device)[labels.long()]

    def _drawn(self) -> tuple[str, Volume]:
        """A kind of source that there is, and one of its volumes."""
        sources = {
            "rendered": [v for v in self.volumes if v.kind in ("map", "labelled")],
            "labelled": [v for v in self.volumes if v.kind == "labelled"],
            "simulated": [v for v in self.volumes if v.kind == "simulated"],
            "unlabelled": [v for v in self.volumes if (v.name, 0) in self.own_labels],
        }
        present = {kind: getattr(self.mix, kind) for kind, volumes in sources.items() if volumes}
        total = sum(present.values())
        kind = str(self.chance.numbers.choice(list(present), p=[share / total for share in present.values()]))
        volumes = sources[kind]
        return kind, volumes[self.chance.integer(0, len(volumes))]

    def _own_labels_at(self, volume: Volume, side: int, points_mm: Tensor) -> Tensor:
        corner, spacing = (
            points_mm.new_tensor(self.grid.lower_corner_mm[::-1]),
            points_mm.new_tensor(SPACING_MM[::-1]),
        )
        return nearest(self.own_labels[volume.name, side], (points_mm - corner) / spacing, IGNORED)
