"""Training volumes: label maps and CT of the pelvis with the centres of the femoral heads."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from training.grid import Grid

HU_OFFSET = 1024.0
"""CT are kept with air near zero, so that interpolation, which fills in zeros, gives air outside a volume."""


@dataclass(frozen=True)
class Box:
    """Where an array lies: centre of its first voxel and spacing, both x, y, z in mm, LPS."""

    origin_mm: Tensor
    spacing_mm: Tensor

    def indices(self, points_mm: Tensor) -> Tensor:
        """Continuous indices (..., x y z) of points (..., x y z)."""
        return (points_mm - self.origin_mm) / self.spacing_mm


@dataclass(frozen=True)
class Volume:
    """One training volume on the device.

    Attributes
    ----------
    name, patient
        Of the volume, and of the patient whose anatomy it shows; a fold leaves out a patient.
    kind
        ``map`` (labels only), ``labelled`` (real CT, manual labels; also a map), ``simulated`` or
        ``unlabelled``.
    heads_mm
        Centres of the left and right femoral head, shape (2, 3), x y z, LPS.
    labels, labels_at
        Codes of ``training.labels``, shape (z, y, x) uint8; None where unlabelled.
    ct, ct_at
        HU + ``HU_OFFSET``, shape (z, y, x) float32; None where there is a map only.
    """

    name: str
    patient: str
    kind: str
    heads_mm: Tensor
    labels: Tensor | None
    labels_at: Box | None
    ct: Tensor | None
    ct_at: Box | None

    def world_mm(self, points_mm: Tensor, side: int) -> Tensor:
        """LPS points of points relative to a head; the right side (1) is mirrored."""
        mirror = points_mm.new_tensor([1.0 if side == 0 else -1.0, 1.0, 1.0])
        return points_mm * mirror + self.heads_mm[side]

    def labels_around(self, points_mm: Tensor, side: int, outside: int) -> Tensor:
        """Codes at points relative to a head (nearest neighbour)."""
        if self.labels is None or self.labels_at is None:
            msg = f"{self.name} has no labels"
            raise ValueError(msg)
        return nearest(self.labels, self.labels_at.indices(self.world_mm(points_mm, side)), outside)

    def hu_around(self, points_mm: Tensor, side: int) -> Tensor:
        """HU at points relative to a head (linear interpolation)."""
        if self.ct is None or self.ct_at is None:
            msg = f"{self.name} has no CT"
            raise ValueError(msg)
        return linear(self.ct, self.ct_at.indices(self.world_mm(points_mm, side))) - HU_OFFSET


def nearest(array: Tensor, indices: Tensor, outside: int) -> Tensor:
    """Values of an array (z, y, x) at continuous indices (..., x y z)."""
    size = torch.tensor(array.shape[::-1], device=array.device)
    index = indices.round().long()
    inside = ((index >= 0) & (index < size)).all(-1)
    index = torch.minimum(index.clamp_(min=0), size - 1)
    flat = (index[..., 2] * size[1] + index[..., 1]) * size[0] + index[..., 0]
    return torch.where(inside, array.view(-1)[flat], torch.full_like(array.view(-1)[:1], outside))


def linear(array: Tensor, indices: Tensor) -> Tensor:
    """Interpolated values of an array (z, y, x) at continuous indices (z, y, x, [x y z]); zero outside."""
    size = torch.tensor(array.shape[::-1], device=array.device)
    at = indices / (size - 1) * 2 - 1
    return functional.grid_sample(array[None, None], at[None], padding_mode="zeros", align_corners=True)[0, 0]


def inside_scan(volume: Volume, points_mm: Tensor, side: int) -> Tensor:
    """Mask of points where the CT was measured."""
    if volume.ct is None or volume.ct_at is None:
        msg = f"{volume.name} has no CT"
        raise ValueError(msg)
    index = volume.ct_at.indices(volume.world_mm(points_mm, side))
    size = torch.tensor(volume.ct.shape[::-1], device=index.device)
    return ((index >= 0) & (index <= size - 1)).all(-1)


def load_volumes(path: Path, device: torch.device, left_out: tuple[str, ...] = ()) -> list[Volume]:
    """Volumes of a file that ``training.prepare`` wrote, without those of the patients left out.

    Raises
    ------
    ValueError
        When a patient to leave out is not in the file: a fold with a misspelt name would have seen it.
    """
    with np.load(path) as data:
        meta = json.loads(bytes(data["meta"]).decode())
        unknown = set(left_out) - {m["patient"] for m in meta.values()}
        if unknown:
            msg = f"no volume of patient {', '.join(sorted(unknown))} in {path}"
            raise ValueError(msg)
        hu = torch.tensor(data["hu"], device=device)
        return [_volume(name, m, data, hu) for name, m in meta.items() if m["patient"] not in left_out]


def _volume(name: str, meta: dict[str, Any], data: "np.lib.npyio.NpzFile", hu_of_code: Tensor) -> Volume:
    device = hu_of_code.device
    boxes = {
        key: Box(
            *(
                torch.tensor(meta[f"{key}_{part}"], device=device, dtype=torch.float32)
                for part in ("origin_mm", "spacing_mm")
            )
        )
        for key in ("labels", "ct")
        if f"{name}_{key}" in data
    }
    labels = torch.tensor(data[f"{name}_labels"], device=device) if "labels" in boxes else None
    ct = None
    if "ct" in boxes:
        ct = hu_of_code[torch.tensor(data[f"{name}_ct"], device=device).int()] + HU_OFFSET
    heads = torch.tensor(meta["heads_mm"], device=device, dtype=torch.float32)
    return Volume(
        name, meta["patient"], meta["kind"], heads, labels, boxes.get("labels"), ct, boxes.get("ct")
    )


def on_grid(
    volume: Volume, side: int, grid: Grid, shift_mm: tuple[float, float, float] = (0.0, 0.0, 0.0)
) -> Tensor:
    """HU of one side as the network sees it at test time, optionally with the head misplaced (x, y, z)."""
    points = grid.points_mm(volume.heads_mm.device)
    return volume.hu_around(points + points.new_tensor(shift_mm), side)
