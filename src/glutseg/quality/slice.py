"""All checks of what the measured slice shows."""

from __future__ import annotations

from glutseg.errors import Flag
from glutseg.quality.density import check_densities, measure_densities
from glutseg.quality.extent import check_extent
from glutseg.quality.field_of_view import check_field_of_view
from glutseg.quality.picture import Picture


def check_slice(picture: Picture) -> tuple[Flag, ...]:
    """Field of view, HU scale, noise, and whether the outlines hold muscle only."""
    densities = measure_densities(picture)
    return (
        *check_densities(densities, picture.settings),
        *check_field_of_view(picture),
        *check_extent(picture, densities),
    )
