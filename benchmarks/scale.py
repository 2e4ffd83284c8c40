"""Many studies: the throughput of two workers beside one, and whether memory stays flat.

    python benchmarks/scale.py [pace] [memory] [--keep DIR] [--studies 500] [--pace-studies 12] [--repeats 5]
        [--store]

A study is a small phantom (35 slices of 192 x 192) under new UIDs. One run of --studies with one worker
tells memory, also on a busy machine; runs of --pace-studies with one and with two workers, in turns, tell
throughput. The pace is that between the first study done and the last, so that the start of the processes
does not count.
"""

from __future__ import annotations

import multiprocessing
import os
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from scipy import stats

import inputs
import measuring
from glutseg import batch, dicom
from glutseg.batch import RunOptions
from glutseg.protocol import load_protocol
from glutseg.result import CaseResult

TICKS = os.sysconf("SC_CLK_TCK")
SETTLING = 0.5
"""Share of the studies after which memory must stay as it is: until then the allocator finds its size."""


class Watch:
    """What a run's processes need, study by study (Linux)."""

    def __init__(self) -> None:
        self.at_s: list[float] = []
        self.worker_mb: list[float] = []
        self.main_mb: list[float] = []
        self.cpu_s: list[float] = []

    def __call__(self, done: int, total: int, result: CaseResult | None) -> None:
        if result is None:
            return
        if result.status == "failed":
            raise RuntimeError(result.error_code)
        workers = [str(child.pid) for child in multiprocessing.active_children()]
        self.at_s.append(time.perf_counter())
        self.cpu_s.append(sum(map(_cpu_s, workers)))
        self.worker_mb.append(max(map(_resident_mb, workers)))
        self.main_mb.append(_resident_mb("self"))


def _resident_mb(process: str) -> float:
    pages = int(Path(f"/proc/{process}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def _cpu_s(process: str) -> float:
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def run(folder: Path, jobs: int) -> tuple[Watch, dict[str, float]]:
    """One run, and the seconds of its parts."""
    watch, start = Watch(), time.perf_counter()
    with tempfile.TemporaryDirectory() as out:
        index = dicom.scan(folder, index_file=Path(out) / dicom.INDEX_FILE, jobs=jobs)
        scanned = time.perf_counter()
        batch.run(index, load_protocol(), None, Path(out), options=RunOptions(jobs=jobs), progress=watch)
        ended = time.perf_counter()
        batch.run(
            index,
            load_protocol(),
            None,
            Path(out),
            options=RunOptions(jobs=jobs, resume=True),
            progress=watch,
        )
    return watch, {
        "scan": scanned - start,
        "tables": ended - watch.at_s[-1],
        "resuming a finished run": time.perf_counter() - ended,
    }


def pace(folder: Path, jobs: int) -> dict[str, float]:
    """Studies per second, and CPU seconds of each, between the first done and the last."""
    watch, _ = run(folder, jobs)
    n = len(watch.at_s) - jobs
    seconds, cpu_s = watch.at_s[-1] - watch.at_s[jobs - 1], watch.cpu_s[-1] - watch.cpu_s[jobs - 1]
    return {"studies_per_s": n / seconds, "cpu_s_per_study": cpu_s / n}


def memory(folder: Path) -> dict[str, Any]:
    """A worker's memory and the main process's over a run."""
    watch, parts = run(folder, 1)
    n = len(watch.at_s)
    settled = slice(int(n * SETTLING), None)
    return {
        "studies": n,
        "seconds": round(watch.at_s[-1] - watch.at_s[0], 1),
        "cpu_s_per_study": round((watch.cpu_s[-1] - watch.cpu_s[0]) / max(1, n - 1), 3),
        "parts_s": {name: round(seconds, 3) for name, seconds in parts.items()},
        "worker_peak_mb": round(max(watch.worker_mb), 1),
        "worker_growth_mb_per_100_studies": round(_slope(watch.worker_mb[settled]) * 100, 3),
        "main_growth_mb_per_100_studies": round(_slope(watch.main_mb[settled]) * 100, 3),
        "worker_mb": [round(mb, 1) for mb in watch.worker_mb],
        "main_mb": [round(mb, 1) for mb in watch.main_mb],
    }


def _slope(values: Sequence[float]) -> float:
    """The median slope between any two (Theil and Sen): a study that needed more once is no growth."""
    return float(stats.theilslopes(values).slope) if len(values) > 1 else 0.0


def paces(folder: Path, repeats: int) -> dict[str, Any]:
    """One worker and two, in turns."""
    turns = [{str(jobs): pace(folder, jobs) for jobs in (1, 2)} for _ in range(repeats)]
    found = measuring.median_of(turns)
    return {
        "repeats": repeats,
        "workers": found,
        "throughput_ratio": round(found["2"]["studies_per_s"] / found["1"]["studies_per_s"], 2),
    }


def tell_pace(found: dict[str, Any]) -> None:
    """The figures in words."""
    for jobs, one in found["workers"].items():
        per_hour = one["studies_per_s"] * 3600
        print(f"{jobs} workers: {per_hour:.0f} studies/h, {one['cpu_s_per_study']:.2f} s of CPU each")
    print(f"throughput of two workers / one: {found['throughput_ratio']:.2f}")


def tell_memory(found: dict[str, Any]) -> None:
    """The figures in words."""
    print(
        f"{found['studies']} studies with one worker: at most {found['worker_peak_mb']:.0f} MB after one, "
        f"growing by {found['worker_growth_mb_per_100_studies']:.2f} MB per 100 studies "
        f"(main process {found['main_growth_mb_per_100_studies']:.2f})"
    )
    print("parts, s: " + ", ".join(f"{name} {s:.2f}" for name, s in found["parts_s"].items()))


TELL = {"pace": tell_pace, "memory": tell_memory}


def main() -> None:
    parser = measuring.options(__doc__, "scale")
    parser.add_argument("parts", nargs="*", help="pace or memory; both, unless named")
    parser.add_argument("--studies", type=int, default=500)
    parser.add_argument("--pace-studies", type=int, default=12)
    args = parser.parse_args()
    if unknown := set(args.parts) - set(TELL):
        parser.error(f"there is no part {sorted(unknown)}")
    result: dict[str, Any] = {}
    with measuring.kept(args.keep) as keep:
        for part in args.parts or TELL:
            n = args.pace_studies if part == "pace" else args.studies
            folder = inputs.cohort(keep, n, inputs.SMALL, "small")
            machine = measuring.machine()
            measured = paces(folder, args.repeats) if part == "pace" else memory(folder)
            result[part] = {"machine": machine, **measured}
            TELL[part](result[part])
    if args.store:
        measuring.store("scale", measuring.stored("scale") | result)


if __name__ == "__main__":
    main()
