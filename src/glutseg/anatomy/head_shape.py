"""Whether the femoral heads contradict the stated pixel size.

The height of a head is known from the positions of the slices, its width and depth from the pixel spacing: a
wrong spacing makes an ellipsoid of it. And heads, and their distance, are not of any size.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from glutseg.anatomy.hips import Hips
from glutseg.anatomy.refine import Edges, find_edges
from glutseg.anatomy.sphere import Sphere, distance_mm, fine_enough
from glutseg.errors import Flag
from glutseg.image import CtImage
from glutseg.settings import METHOD, HeadShapeSettings, Method

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True)
class HeadSizes:
    """Of both heads, or of the one that was seen; means of the logarithms.

    Attributes
    ----------
    diameter_mm : of the balls
    distance_mm : between the two centres; None where one head was not seen
    width_to_height : of the ellipsoids, across the long axis and along it; None unless both sides have one:
        one head alone may seem 15 % too high, where joint space or neck are not told from it
    width_to_depth : from side to side and from front to back; likewise
    """

    diameter_mm: float
    distance_mm: float | None = None
    width_to_height: float | None = None
    width_to_depth: float | None = None


def measure_heads(volume: CtImage, hips: Hips, method: Method = METHOD) -> HeadSizes | None:
    """Sizes of the heads of an upright volume; None where both are implants."""
    settings = method.head_shape
    fine = fine_enough(volume, method.grid)
    seen = {"left": hips.left, "right": hips.right}
    if hips.assumed:
        del seen[hips.assumed]
    edges = [(ball, find_edges(fine, ball, method.head_fit, method.grid)) for ball in seen.values()]
    bony = [(ball, found) for ball, found in edges if not found.metal]
    if not bony:
        return None
    sizes = HeadSizes(
        _mean([ball.radius_mm * 2 for ball, _ in bony]),
        None if hips.assumed else distance_mm(hips.left, hips.right),
    )
    if volume.geometry.spacing_mm[0] > settings.max_slice_mm:
        return sizes
    dz = volume.geometry.spacing_mm[0]
    round_ones = [_ellipsoid(found, ball, dz, settings, is_round=True) for ball, found in bony]
    free_ones = [_ellipsoid(found, ball, dz, settings, is_round=False) for ball, found in bony]
    upright = [axes[0] / axes[2] for axes in round_ones if axes is not None]
    flat = [axes[0] / axes[1] for axes in free_ones if axes is not None]
    return replace(
        sizes,
        width_to_height=_mean(upright) if len(upright) == 2 else None,
        width_to_depth=_mean(flat) if len(flat) == 2 else None,
    )


def spacing_flags(sizes: HeadSizes | None, settings: HeadShapeSettings) -> tuple[Flag, ...]:
    """The flag ``spacing-uncertain`` where sizes and shape are not those of femoral heads."""
    if sizes is None:
        return ()
    by_size, is_possible = [math.log(sizes.diameter_mm / settings.usual_diameter_mm)], True
    text = f"the femoral heads measure {sizes.diameter_mm:.0f} mm"
    if sizes.distance_mm is not None:
        by_size.append(math.log(sizes.distance_mm / settings.usual_distance_mm))
        is_possible = settings.distance_mm[0] <= sizes.distance_mm <= settings.distance_mm[1]
        text += f", their centres lie {sizes.distance_mm:.0f} mm apart"
    size = sum(by_size) / len(by_size)
    limit = settings.max_size_percent
    if sizes.width_to_height is not None:
        text += f", and they are {sizes.width_to_height:.2f} times as wide as high"
        shape = math.log(sizes.width_to_height)
        if size * shape > 0:  # a wrong spacing moves both to the same side, a fit that failed does not
            size, limit = (size + shape) / 2, settings.max_scale_percent
    if not is_possible:
        size = by_size[-1]
    if not is_possible or abs(size) > math.log1p(limit / 100):
        scale = f"{abs(math.expm1(size)):.0%} too {'large' if size > 0 else 'small'}"
        return (Flag("spacing-uncertain", f"{text}, as if the stated pixels were about {scale}"),)
    ratio = sizes.width_to_depth
    if ratio is not None and abs(math.log(ratio)) > math.log(settings.max_oblong):
        message = f"the femoral heads are {ratio:.2f} times as wide as deep, as if the pixels were no squares"
        return (Flag("spacing-uncertain", message),)
    return ()


def _mean(values: list[float]) -> float:
    return math.exp(sum(map(math.log, values)) / len(values))


def _ellipsoid(
    edges: Edges, ball: Sphere, dz: float, settings: HeadShapeSettings, *, is_round: bool
) -> FloatArray | None:
    """Semi-axes along (x, y, z) in mm of the ellipsoid of least squares through a head's edges.

    Parameters
    ----------
    dz : distance of the slices in mm
    is_round : the axes along x and y are one

    Returns
    -------
    None where the fit runs away or shows too little of its surface.
    """
    centre, axes, share = np.array(ball.centre_mm), np.full(3, ball.radius_mm), 0.0
    for tolerance_mm in settings.tolerances_mm:
        radius = float(axes.prod() ** (1 / 3))
        ratio = axes / radius
        shown = _as_ball(edges, ratio).surface(centre / ratio, radius, tolerance_mm, dz / ratio[2])
        if shown.chosen.sum() < settings.min_points:
            return None
        points, weights, share = edges.points[shown.chosen] - centre, edges.weights[shown.chosen], shown.share
        fitted = _least_squares(points, weights, is_round=is_round)
        if fitted is None or not np.all((fitted[1] > axes / 2) & (fitted[1] < axes * 2)):
            return None
        centre, axes = centre + fitted[0], fitted[1]
    return axes if share >= settings.min_shown_share else None


def _as_ball(edges: Edges, ratio: FloatArray) -> Edges:
    """The edges in coordinates in which the ellipsoid is a ball."""
    normals = edges.normals * ratio
    normals /= np.linalg.norm(normals, axis=1, keepdims=True)
    low, high = edges.z_range_mm
    z_range_mm = (low / ratio[2], high / ratio[2])
    return replace(edges, points=edges.points / ratio, normals=normals, z_range_mm=z_range_mm, walls=False)


def _least_squares(
    points: FloatArray, weights: FloatArray, *, is_round: bool
) -> tuple[FloatArray, FloatArray] | None:
    """Centre and semi-axes of the ellipsoid along the axes of least (algebraic) squares."""
    squares = points**2
    if is_round:
        squares = np.column_stack([squares[:, 0] + squares[:, 1], squares[:, 2]])
    system = np.column_stack([squares, points]) * weights[:, None]
    solution = np.linalg.lstsq(system, weights, rcond=None)[0]
    curvature, slope = solution[:-3], solution[-3:]
    if is_round:
        curvature = curvature[[0, 0, 1]]
    if np.any(curvature <= 0):
        return None
    centre = -slope / (2 * curvature)
    return centre, np.sqrt((1 + (curvature * centre**2).sum()) / curvature)
