"""How the benchmarks of speed measure, tell and store."""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import Any

from glutseg.batch.process import ONE_THREAD

HERE = Path(__file__).resolve().parent
RESULTS = HERE / "results"
KB_PER_MB = 1024 if sys.platform == "linux" else 1024**2


def options(description: str | None, name: str) -> argparse.ArgumentParser:
    """The options that all of them have."""
    parser = argparse.ArgumentParser(
        description=description, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--keep", type=Path, help="make the input in this folder once, and leave it there")
    parser.add_argument("--repeats", type=int, default=5, help="medians of so many [5]")
    parser.add_argument("--store", action="store_true", help=f"write benchmarks/results/{name}.json")
    return parser


@contextmanager
def kept(folder: Path | None) -> Iterator[Path]:
    """The folder for the input, or one that goes when the benchmark ends."""
    if folder is not None:
        folder.mkdir(parents=True, exist_ok=True)
        yield folder.resolve()
        return
    with tempfile.TemporaryDirectory() as name:
        yield Path(name)


def fresh(kind: str, folder: Path) -> dict[str, Any]:
    """One measurement of measured.py, in a new process with one thread for each library."""
    command = [sys.executable, str(HERE / "measured.py"), kind, str(folder)]
    done = subprocess.run(
        command, env=os.environ | ONE_THREAD, check=True, capture_output=True, text=True, errors="replace"
    )
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def timed(command: Sequence[str]) -> dict[str, float]:
    """Wall and CPU seconds of a command with all its processes, and the peak of memory of the largest one."""
    start = time.perf_counter()
    process = subprocess.Popen(
        command, env=os.environ | ONE_THREAD, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    _, status, used = os.wait4(process.pid, 0)
    wall_s = time.perf_counter() - start
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode not in (0, 2):
        raise subprocess.CalledProcessError(process.returncode, command)
    return {
        "wall_s": wall_s,
        "cpu_s": used.ru_utime + used.ru_stime,
        "peak_mb": used.ru_maxrss / KB_PER_MB,
    }


def median_of(found: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Number by number, also within dictionaries."""
    first = found[0]
    return {
        key: median_of([one[key] for one in found])
        if isinstance(value, dict)
        else round(statistics.median(one[key] for one in found), 4)
        for key, value in first.items()
    }


def warm(folder: Path) -> None:
    """Read every file once, so that none of what is compared meets a cold disk."""
    for path in folder.rglob("*"):
        if path.is_file():
            path.read_bytes()


def machine() -> dict[str, Any]:
    """What figures depend on."""
    cpuinfo = Path("/proc/cpuinfo")
    lines = cpuinfo.read_text().splitlines() if cpuinfo.exists() else []
    models = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    libraries = ("glutseg", "numpy", "scipy", "SimpleITK", "pydicom", "pylibjpeg-openjpeg", "onnxruntime")
    return {
        "processor": models[0] if models else platform.processor(),
        "cores": os.cpu_count(),
        "memory_gb": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9, 1),
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "versions": {name: version(name) for name in libraries},
        "load_before": [round(load, 2) for load in os.getloadavg()],
    }


def stored(name: str) -> dict[str, Any]:
    """An earlier result; empty where there is none."""
    path = RESULTS / f"{name}.json"
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    return found


def store(name: str, content: dict[str, Any]) -> None:
    """Write a result that stays with the project."""
    RESULTS.mkdir(exist_ok=True)
    path = RESULTS / f"{name}.json"
    beside = path.with_suffix(".part")
    beside.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    beside.replace(path)
    print(f"stored in {path}")
