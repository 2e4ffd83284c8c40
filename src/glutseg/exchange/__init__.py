"""Results in other programs' formats, and other programs' outlines measured here."""

from glutseg.exchange.assign import parse_labels
from glutseg.exchange.export import Exported, export
from glutseg.exchange.foreign import read_foreign
from glutseg.exchange.many import GivenMasks
from glutseg.exchange.measure_mask import Loaded, Measured, load_series, measure_mask
from glutseg.exchange.osirix import Reading, measure_readings, readings
from glutseg.exchange.osirix_files import read_rois

__all__ = [
    "Exported",
    "GivenMasks",
    "Loaded",
    "Measured",
    "Reading",
    "export",
    "load_series",
    "measure_mask",
    "measure_readings",
    "parse_labels",
    "read_foreign",
    "read_rois",
    "readings",
]
