"""From a mask to figures: areas, composition, the profile around the level, and height."""

from glutseg.measurement.area import check_grid, measure_side, measure_slice, polygon_area_px
from glutseg.measurement.height import believe_height
from glutseg.measurement.indices import mean_of_sides, per_height, per_height_squared, sum_of_sides
from glutseg.measurement.participants import (
    Participant,
    Participants,
    Unmatched,
    read_participants,
    unmatched,
)
from glutseg.measurement.profile import profile
from glutseg.measurement.table_check import StudyId, check_participants
from glutseg.measurement.table_columns import parse_columns
from glutseg.measurement.whole import measure_whole, slices_of

__all__ = [
    "Participant",
    "Participants",
    "StudyId",
    "Unmatched",
    "believe_height",
    "check_grid",
    "check_participants",
    "mean_of_sides",
    "measure_side",
    "measure_slice",
    "measure_whole",
    "parse_columns",
    "per_height",
    "per_height_squared",
    "polygon_area_px",
    "profile",
    "read_participants",
    "slices_of",
    "sum_of_sides",
    "unmatched",
]
