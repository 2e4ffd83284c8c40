"""Quality checks of images, outlines and profile, each with the flags that it gives."""

from glutseg.quality.error_model import Evidence, error_bound_percent
from glutseg.quality.images import check_ends, check_field_of_view, check_metal
from glutseg.quality.outline import check_difference, check_error_bound, check_found, check_outline
from glutseg.quality.profile import check_profile

__all__ = [
    "Evidence",
    "check_difference",
    "check_ends",
    "check_error_bound",
    "check_field_of_view",
    "check_found",
    "check_metal",
    "check_outline",
    "check_profile",
    "error_bound_percent",
]
