"""The settings of the method: every threshold, distance and weight, with unit, meaning and source.

They travel in the protocol (``[method.…]`` in its file, ``protocol.method`` in Python) and stand in run.json.
"""

from __future__ import annotations

from glutseg.settings.base import Settings
from glutseg.settings.correction import CORRECTION, CorrectionSettings
from glutseg.settings.femoral_heads import (
    CircleSettings,
    GridSettings,
    HeadFitSettings,
    HipSettings,
    Region,
    SingleSliceSettings,
    SurroundingsSettings,
)
from glutseg.settings.head_shape import HeadShapeSettings
from glutseg.settings.levels import (
    LandmarkSettings,
    LevelSettings,
    LocaliserSettings,
    OrientationSettings,
    SearchBox,
)
from glutseg.settings.quality import QualitySettings
from glutseg.settings.segmentation import SegmentationSettings

__all__ = [
    "CORRECTION",
    "METHOD",
    "CircleSettings",
    "CorrectionSettings",
    "GridSettings",
    "HeadFitSettings",
    "HeadShapeSettings",
    "HipSettings",
    "LandmarkSettings",
    "LevelSettings",
    "LocaliserSettings",
    "Method",
    "OrientationSettings",
    "QualitySettings",
    "Region",
    "SearchBox",
    "SegmentationSettings",
    "Settings",
    "SingleSliceSettings",
    "SurroundingsSettings",
]


class Method(Settings):
    """How hips and level are found, how muscles are outlined and what is flagged. Areas of runs with other
    settings are not to be mixed."""

    grid: GridSettings = GridSettings()
    circles: CircleSettings = CircleSettings()
    surroundings: SurroundingsSettings = SurroundingsSettings()
    head_fit: HeadFitSettings = HeadFitSettings()
    hips: HipSettings = HipSettings()
    head_shape: HeadShapeSettings = HeadShapeSettings()
    single_slice: SingleSliceSettings = SingleSliceSettings()
    orientation: OrientationSettings = OrientationSettings()
    landmarks: LandmarkSettings = LandmarkSettings()
    level: LevelSettings = LevelSettings()
    localiser: LocaliserSettings = LocaliserSettings()
    segmentation: SegmentationSettings = SegmentationSettings()
    quality: QualitySettings = QualitySettings()


METHOD = Method()
"""The settings that glutseg was checked with."""
