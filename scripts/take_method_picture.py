"""Draw docs/images/method.png, the steps of docs/explanation/method.md on a patient of sample_dicom."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from glutseg.segmentation.layer import Layer, find_layer
from glutseg.segmentation.sheet import ANGLES_DEGREES, REACH_MM
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Circle

import glutseg
from glutseg import anatomy
from glutseg.anatomy.hips import Hips
from glutseg.image import LEFT, CtImage
from glutseg.protocol import LevelRule
from glutseg.segmentation.gluteus import DEFAULT
from glutseg.study import figures as look

ROOT = Path(__file__).resolve().parents[1]
SERIES = ROOT / "sample_dicom" / "PHANTOM-0001"
PICTURE = ROOT / "docs" / "images" / "method.png"
REACH_SLICES = 3
RAYS_EVERY = 8
ACROSS_MM, BACK_MM = (-20.0, 190.0), (-90.0, 130.0)
WINDOW_HU = (-150, 250)


def show(axes: Axes, volume: CtImage, k: int, title: str) -> None:
    """A slice in mm, the patient's left on the right of the picture."""
    (x, y, _), (right, back, _) = (volume.geometry.point_mm(k, *at) for at in ((0, 0), volume.hu.shape[1:]))
    axes.imshow(volume.hu[k], cmap="gray", vmin=WINDOW_HU[0], vmax=WINDOW_HU[1], extent=(x, right, back, y))
    axes.set(title=title, xticks=[], yticks=[])
    axes.grid(visible=False)


def on_slice(layer: Layer, radius_mm: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """LPS (x, y) of a radius per angle."""
    fan, angle = layer.scene.fan, np.deg2rad(ANGLES_DEGREES)
    across, back = np.sin(angle) * radius_mm, np.cos(angle) * radius_mm
    return tuple(fan.centre_mm[i] + across * fan.lateral[i] + back * fan.posterior[i] for i in (0, 1))  # type: ignore[return-value]


def draw_heads(axes: Axes, volume: CtImage, hips: Hips) -> None:
    """Both spheres, where they are widest."""
    show(axes, volume, volume.geometry.nearest_slice(hips.left.centre_mm[2]), "1. two femoral heads")
    for head in (hips.left, hips.right):
        axes.add_patch(Circle(head.centre_mm[:2], head.radius_mm, fill=False, color=look.ORANGE, linewidth=2))


def draw_rays(axes: Axes, volume: CtImage, layer: Layer, k: int) -> None:
    """Where the picture is sampled, and the outermost flesh."""
    show(axes, volume, k, "2. the polar grid, and the outer surface")
    (x, y), (x_mm, y_mm) = layer.scene.fan.centre_mm, on_slice(layer, np.full(len(ANGLES_DEGREES), REACH_MM))
    for i in range(0, len(x_mm), RAYS_EVERY):
        axes.plot([x, x_mm[i]], [y, y_mm[i]], color="0.8", linewidth=0.5)
    axes.plot(*on_slice(layer, layer.at_slice(layer.outer_mm, k)), color=look.BLUE, linewidth=1.5)


def draw_fat_planes(axes: Axes, layer: Layer, k: int) -> None:
    """The rays beside each other: dark lines of the picture, and both surfaces of the muscle."""
    deep, outer = layer.at_slice(layer.deep_mm, k), layer.at_slice(layer.outer_mm, k)
    axes.imshow(
        layer.scene.wall[round(layer.slab_of(k))].T,
        cmap="magma",
        vmin=0,
        vmax=0.4,
        origin="lower",
        aspect="auto",
        extent=(ANGLES_DEGREES[0], ANGLES_DEGREES[-1], 0, REACH_MM),
    )
    axes.plot(ANGLES_DEGREES, outer, color=look.BLUE, label="outer surface")
    cut = np.where(deep < outer, deep, np.nan)
    axes.plot(ANGLES_DEGREES, cut, color=look.ORANGE, label="deep surface: the minimum cut")
    axes.set(title="3, 4. fat planes in the polar grid, and the border")
    axes.set(xlabel="angle, degrees", ylabel="radius, mm", ylim=(20, REACH_MM))
    axes.grid(visible=False)
    axes.legend(loc="upper right", labelcolor="white")


def draw_outline(axes: Axes, volume: CtImage, layer: Layer, k: int) -> None:
    """What is measured, and the border with a perturbed shape prior."""
    show(axes, volume, k, "5, 6. the outline, and borders with other priors")
    outer = layer.at_slice(layer.outer_mm, k)
    for other_mm in layer.others_mm:
        other = layer.at_slice(other_mm, k)
        axes.plot(*on_slice(layer, np.where(other < outer, other, np.nan)), color=look.GREEN, linewidth=1)
    mask = glutseg.segment(volume, k).mask
    rows, columns = mask.labels.shape[1:]
    x_mm = [volume.geometry.point_mm(k, 0, i)[0] for i in range(columns)]
    y_mm = [volume.geometry.point_mm(k, i, 0)[1] for i in range(rows)]
    axes.contour(x_mm, y_mm, mask.labels[k] == LEFT, levels=[0.5], colors=[look.ORANGE], linewidths=1.5)


def draw(volume: CtImage) -> Figure:
    """The steps on the left side, at the level."""
    found = anatomy.find_anatomy(volume)
    k = anatomy.find_level(found, LevelRule()).slice_index
    around = range(k - REACH_SLICES, k + REACH_SLICES + 1)
    layer = find_layer(volume, found, "left", around, DEFAULT, doubt_at=k)
    figure = Figure(figsize=(10, 7.6), layout="constrained")
    (heads, rays), (fat_planes, outline) = figure.subplots(2, 2)
    draw_heads(heads, volume, found.hips)
    draw_rays(rays, volume, layer, k)
    draw_fat_planes(fat_planes, layer, k)
    draw_outline(outline, volume, layer, k)
    x, y = found.hips.midline_x_mm, found.hips.left.centre_mm[1]
    heads.set(xlim=(x - ACROSS_MM[1], x + ACROSS_MM[1]), ylim=(y + BACK_MM[1], y - BACK_MM[1]))
    for axes in (rays, outline):
        axes.set(xlim=(x + ACROSS_MM[0], x + ACROSS_MM[1]), ylim=(y + BACK_MM[1], y + BACK_MM[0]))
    return figure


def main() -> None:
    volume = glutseg.load(SERIES)
    with look.style():
        draw(volume).savefig(PICTURE, dpi=90)


if __name__ == "__main__":
    main()
