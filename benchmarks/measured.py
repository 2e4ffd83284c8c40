"""One measurement in a process of its own: python benchmarks/measured.py KIND FOLDER

Prints JSON: wall and CPU seconds without start-up (interpreter and imports), and the peak of memory.
Other benchmarks call it; see `measuring.fresh`.
"""

from __future__ import annotations

import json
import resource
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

KB_PER_MB = 1024 if sys.platform == "linux" else 1024**2


def simpleitk(folder: Path) -> Callable[[], Any]:
    import SimpleITK as sitk

    reader = sitk.ImageSeriesReader()

    def read() -> dict[str, float]:
        start = time.perf_counter()
        names = reader.GetGDCMSeriesFileNames(str(folder))
        named = time.perf_counter()
        reader.SetFileNames(names)
        reader.Execute()
        return {"names": named - start, "read": time.perf_counter() - named}

    return read


def pydicom(folder: Path) -> Callable[[], Any]:
    import numpy as np
    from pydicom import dcmread

    def read() -> None:
        np.stack([dcmread(path).pixel_array for path in sorted(folder.iterdir())])

    return read


def pydicom_headers(folder: Path) -> Callable[[], Any]:
    from pydicom import dcmread

    def read() -> None:
        for path in folder.rglob("*.dcm"):
            dcmread(path, stop_before_pixels=True)

    return read


def glutseg_scan(folder: Path, jobs: int = 1) -> Callable[[], Any]:
    from glutseg import dicom

    def read() -> dict[str, float]:
        before_mb = _resident_mb()
        with dicom.temporary_index() as file:
            index = dicom.scan(folder, index_file=file, jobs=jobs)
            kept_mb = _resident_mb() - before_mb
            start = time.perf_counter()
            dicom.scan(folder, index_file=file, jobs=jobs)
            return {
                "files": float(index.n_files),
                "studies": float(len(index.studies)),
                "index_mb": kept_mb,
                "disk_mb": file.stat().st_size / 2**20,
                "again_s": time.perf_counter() - start,
            }

    return read


KINDS: dict[str, Callable[[Path], Callable[[], Any]]] = {
    "simpleitk": simpleitk,
    "pydicom": pydicom,
    "pydicom-headers": pydicom_headers,
    "glutseg-scan": glutseg_scan,
    "glutseg-scan-2": partial(glutseg_scan, jobs=2),
}


def _resident_mb() -> float:
    """Memory in use now where the system tells, else the peak so far."""
    status = Path("/proc/self/status")
    if status.exists():
        (line,) = (li for li in status.read_text().splitlines() if li.startswith("VmRSS"))
        return int(line.split()[1]) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / KB_PER_MB


def _children_s() -> float:
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return children.ru_utime + children.ru_stime


def main() -> None:
    kind, folder = sys.argv[1:3]
    job = KINDS[kind](Path(folder))
    startup_cpu = time.process_time()
    wall, cpu = time.perf_counter(), startup_cpu
    stages = job() or {}
    found = {
        "wall_s": time.perf_counter() - wall,
        "cpu_s": time.process_time() - cpu + _children_s(),
        "startup_cpu_s": startup_cpu,
        "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / KB_PER_MB,
        "stages": stages,
    }
    print(json.dumps(found))


if __name__ == "__main__":
    main()
