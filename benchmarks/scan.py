"""Headers a second, on one core and on two, beside pydicom alone: 20,000 files in 400 studies.

python benchmarks/scan.py [--keep DIR] [--files 20000] [--repeats 5] [--store]

A scan enters the headers in an index on disk, as that of a run does; a second scan of the same files follows.
"""

from __future__ import annotations

from typing import Any

import inputs
import measuring

SLICES = 50
KINDS = ("pydicom-headers", "glutseg-scan", "glutseg-scan-2")


def main() -> None:
    parser = measuring.options(__doc__, "scan")
    parser.add_argument("--files", type=int, default=20_000)
    args = parser.parse_args()
    n_studies = args.files // SLICES
    with measuring.kept(args.keep) as keep:
        folder = inputs.cohort(keep, n_studies, inputs.TINY, "headers")
        measuring.warm(folder)
        turns = [{kind: measuring.fresh(kind, folder) for kind in KINDS} for _ in range(args.repeats)]
    found = {kind: measuring.median_of([turn[kind] for turn in turns]) for kind in KINDS}
    n_files = n_studies * SLICES
    if any(found[kind]["stages"]["studies"] != n_studies for kind in KINDS[1:]):
        raise RuntimeError("not every study was found")
    for kind, one in found.items():
        for clock in ("wall_s", "cpu_s"):
            one[clock] -= one["stages"].get("again_s", 0.0)
        one["headers_per_s"] = round(n_files / one["wall_s"])
        cpu_us = one["cpu_s"] / n_files * 1e6
        print(f"{kind:16} {one['headers_per_s']:6} headers/s, {cpu_us:.0f} µs of CPU each")
    own = found["glutseg-scan"]
    for where in ("index", "disk"):
        own[f"{where}_bytes_per_header"] = round(own["stages"][f"{where}_mb"] * 2**20 / n_files)
    own["headers_per_s_again"] = round(n_files / own["stages"]["again_s"])
    ratio = own["cpu_s"] / found["pydicom-headers"]["cpu_s"]
    print(
        f"glutseg / pydicom, CPU: {ratio:.2f}; {own['index_bytes_per_header']} bytes a header in memory, "
        f"{own['disk_bytes_per_header']} on disk; again: {own['headers_per_s_again']} headers/s"
    )
    result: dict[str, Any] = {"machine": measuring.machine(), "repeats": args.repeats, "files": n_files}
    if args.store:
        measuring.store("scan", {**result, "kinds": found, "cpu_ratio": round(ratio, 2)})


if __name__ == "__main__":
    main()
