"""One slice through drawn buttocks: skin, fat, muscle, and what is outlined."""

from dataclasses import dataclass

import numpy as np
from scipy import ndimage as ndi

from glutseg.image import LEFT, RIGHT
from glutseg.quality import Picture

SKIN_MM = 2.5


@dataclass(frozen=True)
class Drawn:
    """Lengths in mm, y to the back and x to the patient's left from the middle of the image.

    Each gluteus maximus is an ellipse of 44 x 100 mm around (50, ±70), so that it ends at 72 mm.
    """

    fat_hu: float = -100.0
    muscle_hu: float = 50.0
    noise_hu: float = 10.0
    air_hu: float = -1000.0
    half_mm: tuple[float, float] = (105.0, 165.0)  # of the body: to the back, to the side
    back_mm: float = 1000.0  # where it lies flat, within 3 mm over 20 cm
    has_table: bool = False
    pixel_mm: float = 1.5

    def grid_mm(self, parts=1):
        """Middles of the pixels, or of their parts."""
        step_mm = self.pixel_mm / parts
        n_y, n_x = (parts * round(n / self.pixel_mm) for n in (280, 400))
        y, x = ((np.arange(n) - (n - 1) / 2) * step_mm for n in (n_y, n_x))
        return np.meshgrid(y, x, indexing="ij")

    def hu(self, seed=3):
        """With partial volume: the mean of each pixel's parts, blurred as by a soft kernel."""
        parts = int(np.ceil(self.pixel_mm / 0.75))
        y, x = self.grid_mm(parts)
        fine = np.full(y.shape, self.air_hu)
        if self.has_table:
            below_mm = y - min(self.half_mm[0], self.back_mm)
            fine[(below_mm > -5) & (below_mm < 15)] = -900  # cushion
            fine[(below_mm > 15) & (below_mm < 19)] = -150
        for inset_mm, value in ((0.0, 0.0), (SKIN_MM, self.fat_hu)):
            a, b = (half - inset_mm for half in self.half_mm)
            above_back = y + 3 * (x / 100) ** 2 < self.back_mm - inset_mm
            fine[(np.hypot(y / a, x / b) < 1) & above_back] = value
        fine[np.hypot((y + 20) / 45, x / 110) < 1] = self.muscle_hu
        for sign in (-1, 1):
            fine[_muscle(y, x, sign)] = self.muscle_hu
        n_y, n_x = (n // parts for n in fine.shape)
        out = fine.reshape(n_y, parts, n_x, parts).mean((1, 3))
        noise = np.random.default_rng(seed).normal(0, self.noise_hu, out.shape)
        return ndi.gaussian_filter(out, 0.5 / self.pixel_mm) + noise

    def labels(self, grow_mm=0.0):
        y, x = self.grid_mm()
        out = np.zeros(y.shape, np.uint8)
        for sign, label in ((1, LEFT), (-1, RIGHT)):
            out[_muscle(y, x, sign, grow_mm)] = label
        return out

    def picture(self, hu=None, labels=None):
        values = np.clip(np.rint(self.hu() if hu is None else hu), -3024, 3071).astype(np.int16)
        return Picture(values, self.labels() if labels is None else labels, (self.pixel_mm, self.pixel_mm))


def _muscle(y, x, sign, grow_mm=0.0):
    return np.hypot((y - 50) / (22 + grow_mm), (x - sign * 70) / (50 + grow_mm)) < 1
