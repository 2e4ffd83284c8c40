"""Threshold, seeds, growing regions: from a volume and its anatomy to a mask."""

from glutseg.segmentation.gluteus import OutlineQuality, Outlines, peak_level, segment
from glutseg.segmentation.outliners import AUTOMATIC, OUTLINERS, GivenMaskOutliner, Outliner, named_outliner
from glutseg.segmentation.settings import Settings

__all__ = [
    "AUTOMATIC",
    "OUTLINERS",
    "GivenMaskOutliner",
    "OutlineQuality",
    "Outliner",
    "Outlines",
    "Settings",
    "named_outliner",
    "peak_level",
    "segment",
]
