"""Quality checks of images, outlines and profile, each with the flags that it gives."""

from glutseg.quality.continuity import check_continuity
from glutseg.quality.error_model import error_bound_percent
from glutseg.quality.fit import check_fit
from glutseg.quality.images import check_ends, check_metal
from glutseg.quality.outline import check_difference, check_error_bound, check_found, check_outline
from glutseg.quality.picture import Picture
from glutseg.quality.profile import check_profile
from glutseg.quality.projection import check_projection
from glutseg.quality.slice import check_slice

__all__ = [
    "Picture",
    "check_continuity",
    "check_difference",
    "check_ends",
    "check_error_bound",
    "check_fit",
    "check_found",
    "check_metal",
    "check_outline",
    "check_profile",
    "check_projection",
    "check_slice",
    "error_bound_percent",
]
