"""Memory that ran out while a study was measured: how much it needs, and what to do."""

from __future__ import annotations

import math
import re

from glutseg import dicom
from glutseg.errors import GlutsegError

MEMORY_SHORT = "memory-short"
BASE_GB = 0.3
"""Of a process that measures, before the first study (docs/explanation/performance.md: a worker)."""
BYTES_PER_VOXEL = 9
"""Beyond that at the peak, for every voxel that is read (benchmarks/results/speed.json: 100 slices)."""
NO_MEMORY = re.compile(r"bad[_ ]alloc|failed to allocate memory|can.t start new thread", re.IGNORECASE)
"""What errors of SimpleITK, ONNX Runtime and threads (which need a stack) say; none is a MemoryError."""


def is_memory_short(error: Exception) -> bool:
    """Whether memory ran out."""
    if isinstance(error, GlutsegError):
        return error.code == MEMORY_SHORT
    return isinstance(error, MemoryError) or bool(
        isinstance(error, RuntimeError) and NO_MEMORY.search(str(error))
    )


def with_needs(study: dicom.Study, error: Exception) -> Exception:
    """An error of memory with what the study needs; any other error as it is."""
    if not is_memory_short(error):
        return error
    what = error.message if isinstance(error, GlutsegError) else "there was too little memory"
    shapes = [one.geometry.shape for one in study.series if one.geometry is not None]
    if not shapes:
        return GlutsegError(MEMORY_SHORT, what)
    n_slices, rows, columns = max(shapes, key=math.prod)
    needed_gb = BASE_GB + BYTES_PER_VOXEL * n_slices * rows * columns / 1e9
    needs = f"{n_slices} slices of {rows} x {columns} pixels need about {needed_gb:.1f} GB in each process"
    return GlutsegError(MEMORY_SHORT, f"{what}; {needs}")
