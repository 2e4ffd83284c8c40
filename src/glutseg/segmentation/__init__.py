"""A learned prior, thresholds and growing regions: from an image and its anatomy to the outlines."""

from glutseg.segmentation.gluteus import OutlineQuality, Outlines, segment
from glutseg.segmentation.outliners import AUTOMATIC, OUTLINERS, GivenMaskOutliner, Outliner, named_outliner
from glutseg.segmentation.peak import peak_level

__all__ = [
    "AUTOMATIC",
    "OUTLINERS",
    "GivenMaskOutliner",
    "OutlineQuality",
    "Outliner",
    "Outlines",
    "named_outliner",
    "peak_level",
    "segment",
]
