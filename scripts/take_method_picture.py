"""Draw docs/images/method.png, the steps of docs/explanation/method.md on a patient of sample_dicom."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Circle

import glutseg
from glutseg import anatomy
from glutseg.anatomy.hips import Hips
from glutseg.image import LEFT, CtImage
from glutseg.protocol import LevelRule
from glutseg.segmentation.competition import MAXIMUS, MEDIUS, MINIMUS
from glutseg.segmentation.network import Network, chosen_weights
from glutseg.segmentation.side_view import SideView
from glutseg.settings import METHOD
from glutseg.study import figures as look

ROOT = Path(__file__).resolve().parents[1]
SERIES = ROOT / "sample_dicom" / "PHANTOM-0001"
PICTURE = ROOT / "docs" / "images" / "method.png"
ACROSS_MM, BACK_MM = (-20.0, 190.0), (-90.0, 130.0)
WINDOW_HU = (-150, 250)
GLUTEI = ((MAXIMUS, look.ORANGE, "maximus"), (MEDIUS, look.BLUE, "medius"), (MINIMUS, look.GREEN, "minimus"))


def show(axes: Axes, image: CtImage, k: int, title: str) -> None:
    """A slice in mm, the patient's left on the right of the picture."""
    (x, y, _), (right, back, _) = (image.geometry.point_mm(k, *at) for at in ((0, 0), image.hu.shape[1:]))
    axes.imshow(image.hu[k], cmap="gray", vmin=WINDOW_HU[0], vmax=WINDOW_HU[1], extent=(x, right, back, y))
    axes.set(title=title, xticks=[], yticks=[])
    axes.grid(visible=False)


def outline(axes: Axes, image: CtImage, mask: np.ndarray, colour: str, **style: float) -> None:
    """The border of a mask of a slice, in mm."""
    rows, columns = mask.shape
    x_mm = [image.geometry.point_mm(0, 0, i)[0] for i in range(columns)]
    y_mm = [image.geometry.point_mm(0, i, 0)[1] for i in range(rows)]
    axes.contour(x_mm, y_mm, mask, levels=[0.5], colors=[colour], **style)


def draw_heads(axes: Axes, image: CtImage, hips: Hips) -> None:
    """Both spheres, where they are widest."""
    show(axes, image, image.geometry.nearest_slice(hips.left.centre_mm[2]), "1. two femoral heads")
    for head in (hips.left, hips.right):
        axes.add_patch(Circle(head.centre_mm[:2], head.radius_mm, fill=False, color=look.ORANGE, linewidth=2))


def draw_network(axes: Axes, image: CtImage, view: SideView, k: int) -> None:
    """Where the network sees each muscle with a probability of a tenth, a half, and nine tenths."""
    show(axes, image, k, "2. what the network expects")
    box = tuple(slice(0, n) for n in image.hu.shape[1:])
    expected = view.grid.on_slices(view.probabilities, range(k, k + 1), box)[:, 0]
    for number, colour, name in GLUTEI:
        for level, width in ((0.1, 0.6), (0.5, 1.6), (0.9, 0.6)):
            outline(axes, image, np.where(expected[number] > level, 1.0, 0.0), colour, linewidths=width)
        axes.plot([], [], color=colour, label=name)
    axes.legend(loc="lower left", labelcolor="white", facecolor="black")


def draw_planes(axes: Axes, image: CtImage, view: SideView, k: int) -> None:
    """Cost of a border on the network's grid, and where the two regions meet."""
    near, seen = view.field(image, k, METHOD.segmentation.reach_mm, METHOD.segmentation)
    plane = int(np.argmin(np.abs(view.grid.planes[near] - k)))
    rows, columns = (
        [image.geometry.point_mm(k, *at)[i] for at in ends]
        for i, ends in (
            (1, [(view.grid.rows[0], 0), (view.grid.rows[-1], 0)]),
            (0, [(0, view.grid.columns[0]), (0, view.grid.columns[-1])]),
        )
    )
    axes.imshow(
        1 - seen.cost[plane], cmap="magma", extent=(columns[0], columns[1], rows[1], rows[0]), vmin=0, vmax=1
    )
    region = view.settled(near, seen, METHOD.segmentation).probabilities[:, near][:, plane].argmax(0)
    x_mm, y_mm = (np.linspace(*ends, n) for ends, n in zip((columns, rows), region.shape[::-1], strict=True))
    axes.contour(x_mm, y_mm, region == MAXIMUS, levels=[0.5], colors=[look.ORANGE], linewidths=1.5)
    axes.set(title="3. fat planes, and where two regions meet", xticks=[], yticks=[])
    axes.grid(visible=False)


def draw_outline(axes: Axes, image: CtImage, k: int) -> None:
    """What is measured, and the most different other outline."""
    show(axes, image, k, "4, 5. the outline, and the one that differs most")
    found = glutseg.segment(image, k)
    outline(axes, image, found.mask.labels[k] == LEFT, look.ORANGE, linewidths=1.5)


def draw(image: CtImage) -> Figure:
    """The steps on the left side, at the level."""
    found = anatomy.find_anatomy(image)
    k = anatomy.find_level(found, LevelRule()).slice_index
    network = Network(chosen_weights())
    view = SideView.of(image, found.hips.left.centre_mm, "left", network, METHOD.segmentation, k)
    figure = Figure(figsize=(10, 10), layout="constrained")
    (heads, expected), (planes, drawn) = figure.subplots(2, 2)
    draw_heads(heads, image, found.hips)
    draw_network(expected, image, view, k)
    draw_planes(planes, image, view, k)
    draw_outline(drawn, image, k)
    x, y = found.hips.midline_x_mm, found.hips.left.centre_mm[1]
    heads.set(xlim=(x - ACROSS_MM[1], x + ACROSS_MM[1]), ylim=(y + BACK_MM[1], y - BACK_MM[1]))
    for axes in (expected, planes, drawn):
        axes.set(xlim=(x + ACROSS_MM[0], x + ACROSS_MM[1]), ylim=(y + BACK_MM[1], y + BACK_MM[0]))
    return figure


def main() -> None:
    image = glutseg.load(SERIES)
    with look.style():
        draw(image).savefig(PICTURE, dpi=90)


if __name__ == "__main__":
    main()
