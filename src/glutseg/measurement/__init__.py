"""From a mask to figures: areas, composition, the profile around the level, and height."""

from glutseg.measurement.area import measure_side, measure_slice, polygon_area_px
from glutseg.measurement.height import believe_height
from glutseg.measurement.indices import mean_of_sides, per_height, per_height_squared, sum_of_sides
from glutseg.measurement.participants import Participant, Participants, read_participants
from glutseg.measurement.profile import profile, slices_around

__all__ = [
    "Participant",
    "Participants",
    "believe_height",
    "mean_of_sides",
    "measure_side",
    "measure_slice",
    "per_height",
    "per_height_squared",
    "polygon_area_px",
    "profile",
    "read_participants",
    "slices_around",
    "sum_of_sides",
]
