"""An outliner that takes its time or dies, in a module that the process of the segmentation can import."""

import os
import time
from dataclasses import dataclass

import numpy as np

from glutseg.image import LEFT, Mask
from glutseg.segmentation import Outlines


@dataclass(frozen=True)
class SlowOutliner:
    """Takes all that is denser than water near the level for the left muscle."""

    seconds: float = 0.0
    dies: bool = False

    name = "slow"
    needs_hips = False
    hips_context_mm = 0.0
    slices_context_mm = 0.0
    has_processes = False

    def record(self):
        return {"name": self.name}

    def check(self):
        pass

    def outline(self, image, anatomy, level, protocol):
        time.sleep(self.seconds)
        if self.dies:
            os._exit(3)
        labels = np.zeros(image.hu.shape, np.uint8)
        near = image.geometry.slices_around(level.slice_index, protocol.level.profile_mm)
        labels[near.start : near.stop] = np.where(image.hu[near.start : near.stop] > 0, LEFT, 0)
        return Outlines(Mask.on(image, labels))
