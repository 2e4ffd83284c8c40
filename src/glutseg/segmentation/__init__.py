"""Threshold, seeds, growing regions: from a volume and its anatomy to a mask."""

from glutseg.segmentation.gluteus import Segmentation, Settings, peak_level, segment

__all__ = ["Segmentation", "Settings", "peak_level", "segment"]
