"""What a careful reader would doubt."""

from glutseg.quality.images import METAL_REACH_MM, check_ends, check_field_of_view, check_metal
from glutseg.quality.outline import check_difference, check_found, check_other_muscle, check_outline
from glutseg.quality.profile import check_profile

__all__ = [
    "METAL_REACH_MM",
    "check_difference",
    "check_ends",
    "check_field_of_view",
    "check_found",
    "check_metal",
    "check_other_muscle",
    "check_outline",
    "check_profile",
]
