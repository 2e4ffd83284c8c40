"""Draw docs/images/method.png, the steps of docs/explanation/method.md on a patient of sample_dicom."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Circle

import glutseg
from glutseg import anatomy
from glutseg.anatomy import Anatomy
from glutseg.anatomy.hips import Hips
from glutseg.image import LEFT, CtImage
from glutseg.protocol import LevelRule
from glutseg.segmentation import segment
from glutseg.segmentation.competition import MAXIMUS, MEDIUS, MINIMUS
from glutseg.segmentation.network import Network, chosen_weights
from glutseg.segmentation.side_view import SideView
from glutseg.settings import METHOD
from glutseg.study import figures as look

ROOT = Path(__file__).resolve().parents[1]
SERIES = ROOT / "sample_dicom" / "PHANTOM-0001"
PICTURE = ROOT / "docs" / "images" / "method.png"
HALF_BODY_MM = 185.0
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


def borders_mm(image: CtImage, view: SideView) -> tuple[float, float, float, float]:
    """Where the network's grid ends on a slice: x towards the midline and away, y in front and behind."""
    rows, columns = view.grid.rows, view.grid.columns
    ends = [image.geometry.point_mm(0, i, j) for i, j in ((rows[0], columns[0]), (rows[-1], columns[-1]))]
    return ends[0][0], ends[1][0], ends[0][1], ends[1][1]


def draw_planes(axes: Axes, image: CtImage, view: SideView, k: int) -> None:
    """Cost of a border on the network's grid, and where the two regions meet."""
    near, seen = view.field(image, k, METHOD.segmentation.reach_mm, METHOD.segmentation)
    plane = int(np.argmin(np.abs(view.grid.planes[near] - k)))
    inner, outer, front, back = borders_mm(image, view)
    axes.imshow(1 - seen.cost[plane], cmap="magma", extent=(inner, outer, back, front), vmin=0, vmax=1)
    region = next(view.settled(near, seen, METHOD.segmentation)).probabilities[:, near][:, plane].argmax(0)
    n_rows, n_columns = region.shape
    x_mm, y_mm = np.linspace(inner, outer, n_columns), np.linspace(front, back, n_rows)
    axes.contour(x_mm, y_mm, region == MAXIMUS, levels=[0.5], colors=[look.ORANGE], linewidths=1.5)
    axes.set(title="3, 4. fat planes, and where two regions meet", xticks=[], yticks=[])
    axes.grid(visible=False)


def draw_outline(axes: Axes, image: CtImage, found: Anatomy, network: Network, k: int) -> None:
    """What is measured, and thin the most different other outline, as in a run's overlay."""
    show(axes, image, k, "5, 6. the outline, and thin the one that differs most")
    here = range(k, k + 1)
    outlines = segment(image, found, here, METHOD.segmentation, network=network, slice_index=k)
    other = outlines.quality["maximus", "left"].other_outline
    outline(axes, image, outlines.mask.labels[k] == LEFT, look.ORANGE, linewidths=2)
    if other is not None:
        outline(axes, image, other, "white", linewidths=0.7)


def draw(image: CtImage) -> Figure:
    """The steps on the left side, at the level."""
    found = anatomy.find_anatomy(image)
    k = anatomy.find_level(found, LevelRule()).slice_index
    network = Network(chosen_weights())
    view = SideView.of(
        image, found.hips.left.centre_mm, "left", network, METHOD.segmentation, k, range(k, k + 1)
    )
    figure = Figure(figsize=(10, 11.4), layout="constrained")
    (heads, expected), (planes, drawn) = figure.subplots(2, 2)
    draw_heads(heads, image, found.hips)
    draw_network(expected, image, view, k)
    draw_planes(planes, image, view, k)
    draw_outline(drawn, image, found, network, k)
    inner, outer, front, back = borders_mm(image, view)
    for axes in (expected, planes, drawn):
        axes.set(xlim=(inner, outer), ylim=(back, front))
    x, y = found.hips.midline_x_mm, found.hips.left.centre_mm[1]
    half_height_mm = HALF_BODY_MM * (back - front) / (outer - inner)
    heads.set(
        xlim=(x - HALF_BODY_MM, x + HALF_BODY_MM),
        ylim=(y + half_height_mm, y - half_height_mm),
        facecolor="black",
    )
    return figure


def main() -> None:
    image = glutseg.load(SERIES)
    with look.style():
        draw(image).savefig(PICTURE, dpi=90)


if __name__ == "__main__":
    main()
