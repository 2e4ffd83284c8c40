"""What a careful reader would doubt."""

from glutseg.quality.images import METAL_REACH_MM, check_ends, check_field_of_view, check_metal
from glutseg.quality.outline import check_others, check_sides
from glutseg.quality.profile import check_profile

__all__ = [
    "METAL_REACH_MM",
    "check_ends",
    "check_field_of_view",
    "check_metal",
    "check_others",
    "check_profile",
    "check_sides",
]
