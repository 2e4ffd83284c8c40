"""Whether the values of a NIfTI file are Hounsfield units: no header says so, but a CT of a body does."""

from __future__ import annotations

import gzip
import hashlib
import zlib
from dataclasses import dataclass, field
from typing import IO, Any

import numpy as np
import numpy.typing as npt

from glutseg.dicom.nifti_file import NiftiError, NiftiLayout

CHUNK_BYTES = 8 * 2**20
"""Read at once; a multiple of every voxel's bytes."""
MAX_LABELS = 130
"""Most labels of a mask: TotalSegmentator has 118. CT has thousands of values, MR of 8 bits has 256."""
AIR_HU = -150.0
"""Some voxel of a CT is below: air, or what a window of soft tissue leaves of it. Fat is at -100."""
BODY_HU = -500.0
DENSE_HU = 500.0
MAX_DENSE_SHARE = 0.4
"""Largest share of voxels above `DENSE_HU` among those above `BODY_HU`. Dense bone is about 3 % of a
pelvis; with HU + 1024, where air is 24, all of the body lies above."""
MAX_ZERO_SHARE = 0.1
"""Largest share of voxels that are exactly 0: below 2 % in CT, more where resampling or a mask filled in
zeros, which are water to everything that looks for the skin."""
SHIFT = 1024
"""Between HU and the values that scanners store; what is left when the intercept was not applied."""


@dataclass
class ValueSummary:
    """What all voxels of a file have in common, read once from its start to its end.

    Attributes
    ----------
    sha256 : of the header and the voxels, whatever the compression
    lowest, highest : of the finite values, scaled; NaN where there is none
    n_body, n_dense, n_zero, n : voxels above `BODY_HU`, above `DENSE_HU`, of exactly 0, and in all
    distinct : the values, as long as they are whole and no more than `MAX_LABELS`; None for others
    """

    sha256: str = ""
    lowest: float = np.nan
    highest: float = np.nan
    n_body: int = 0
    n_dense: int = 0
    n_zero: int = 0
    n: int = 0
    distinct: set[float] | None = field(default_factory=set)

    def add(self, values: npt.NDArray[Any]) -> None:
        """Count some more values."""
        finite = values[np.isfinite(values)] if values.dtype.kind == "f" else values
        if not finite.size:
            return
        low, high = float(finite.min()), float(finite.max())
        self.lowest, self.highest = float(np.fmin(self.lowest, low)), float(np.fmax(self.highest, high))
        self.n += finite.size
        self.n_zero += int(np.count_nonzero(finite == 0))
        if high > BODY_HU:
            self.n_body += int(np.count_nonzero(finite > BODY_HU))
            self.n_dense += int(np.count_nonzero(finite > DENSE_HU))
        if self.distinct is not None:
            found = np.unique(finite)
            is_few = len(found) <= MAX_LABELS and bool((found == np.rint(found)).all())
            self.distinct = self.distinct | set(found.tolist()) if is_few else None
            if self.distinct is not None and len(self.distinct) > MAX_LABELS:
                self.distinct = None

    @property
    def is_mask(self) -> bool:
        """Whether the values are labels: a few whole numbers, none of them air."""
        return bool(self.distinct) and self.lowest > AIR_HU

    def why_not_hu(self) -> str:
        """Why the values cannot be Hounsfield units; "" if they can."""
        if not np.isfinite(self.lowest):
            return "no value is a number"
        stated = f"values from {self.lowest:g} to {self.highest:g}"
        if self.lowest > AIR_HU:
            shifted = self.lowest >= 0 and self.highest > SHIFT
            hint = f": MR, or HU with {SHIFT} added" if shifted else ""
            return f"not in HU: {stated}, without air{hint}"
        if self.n_zero > MAX_ZERO_SHARE * self.n:
            return f"not in HU: {self.n_zero / self.n:.0%} of the values are exactly 0, where air is -1024"
        share = self.n_dense / self.n_body if self.n_body else 0.0
        if share > MAX_DENSE_SHARE:
            return f"not in HU: {share:.0%} of the body is above {DENSE_HU:g}, perhaps {SHIFT} too high"
        return "" if self.n_body else f"not in HU: {stated}, without tissue"


def summarise(stream: IO[bytes], layout: NiftiLayout) -> ValueSummary:
    """Read all voxels in pieces: memory does not grow with the size of the file.

    Parameters
    ----------
    stream : from `glutseg.dicom.nifti_file.opened`

    Raises
    ------
    NiftiError
        When the file is cut short or damaged.
    """
    digest = hashlib.sha256(layout.header)
    found = ValueSummary()
    stream.seek(layout.offset)
    left = layout.n_bytes
    slope, intercept = layout.scaling
    while left:
        content = stream.read(min(left, CHUNK_BYTES))
        if not content or len(content) % layout.dtype.itemsize:
            raise NiftiError("the file is cut short")
        left -= len(content)
        digest.update(content)
        values = np.frombuffer(content, layout.dtype)
        is_scaled = (slope, intercept) != (1, 0)
        found.add(values * np.float32(slope) + np.float32(intercept) if is_scaled else values)
    if isinstance(stream, gzip.GzipFile):
        stream.read(1)  # its checksum is looked at where it ends
    found.sha256 = digest.hexdigest()
    return found


BROKEN = (NiftiError, zlib.error, gzip.BadGzipFile, EOFError)
"""What reading a damaged file raises."""
