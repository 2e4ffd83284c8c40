"""Threshold, seeds, growing regions: from a volume and its anatomy to a mask."""

from glutseg.segmentation.gluteus import Segmentation, peak_level, segment
from glutseg.segmentation.settings import Settings

__all__ = ["Segmentation", "Settings", "peak_level", "segment"]
