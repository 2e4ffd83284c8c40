"""Settings of the check of the pixel size by the size and the shape of the femoral heads."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from glutseg.settings.base import Count, Length, Percent, Range, Settings, Share

Ratio = Annotated[float, Field(gt=1, le=3)]


class HeadShapeSettings(Settings):
    """When the femoral heads contradict the stated pixel size.

    Three things tell of it, and none is sure: the size of the heads and their distance, which differ between
    people, and how round the heads are from above to below, where the positions of the slices tell the height
    and the joint space may be lost. Read off three real pelves, four renderings and two phantoms, each with
    pixels of 0.8 to 1.3 times their size.
    """

    usual_diameter_mm: Length = 45.5
    """Mean of women (43) and men (48); in these nine 36.8 to 51."""
    usual_distance_mm: Length = 177.0
    """Mean distance of the centres of both heads; in these nine 159 to 210."""
    distance_mm: Range = (140.0, 220.0)
    """Beyond, the distance alone is enough. Chosen: about four standard deviations of 10 mm from the mean;
    the narrowest of 29 right series has 155."""
    max_scale_percent: Percent = 14.5
    """Largest part by which the pixels seem too large or too small, half by the size and half by the shape
    of both heads, without a look, if they point to the same side. Chosen: in the nine at most 6, in 20 fresh
    renderings at most 14, but for two that were drawn 4 and 5 % too narrow."""
    max_size_percent: Percent = 22.0
    """The same by the size alone, where one shape at most is known or the shape contradicts it. Chosen: in
    the nine at most 15."""
    max_oblong: Ratio = 1.25
    """Largest ratio of width and depth of the heads without a look; in the nine at most 1.14, in one of them
    with pixels of 3 mm 1.22."""
    tolerances_mm: Annotated[tuple[Length, ...], Field(min_length=1, max_length=50)] = (
        5.0,
        4.0,
        3.0,
        2.0,
        2.0,
        2.0,
    )
    """Largest distance of an edge from the ellipsoid, in each round of the fit. Chosen."""
    min_points: Count = 60
    """Least number of edges on the ellipsoid in each round. Chosen."""
    min_shown_share: Share = 0.5
    """Least share of the surface that shows; the nine show 0.59 to 0.92. Chosen."""
    max_slice_mm: Length = 5.5
    """The shape is not looked at in thicker slices, of which few cut a head. Chosen."""
