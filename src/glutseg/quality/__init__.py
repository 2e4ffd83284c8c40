"""Quality checks of images, outlines and profile, each with the flags that it gives."""

from glutseg.quality.images import check_ends, check_field_of_view, check_metal
from glutseg.quality.outline import check_difference, check_found, check_other_muscle, check_outline
from glutseg.quality.profile import check_profile

__all__ = [
    "check_difference",
    "check_ends",
    "check_field_of_view",
    "check_found",
    "check_metal",
    "check_other_muscle",
    "check_outline",
    "check_profile",
]
