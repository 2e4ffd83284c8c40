"""How many headers a second are read, beside pydicom alone: 20,000 files in 400 studies.

python benchmarks/scan.py [--keep DIR] [--files 20000] [--repeats 5] [--store]
"""

from __future__ import annotations

from typing import Any

import inputs
import measuring

SLICES = 50
KINDS = ("pydicom-headers", "glutseg-scan")


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
    if found["glutseg-scan"]["stages"]["studies"] != n_studies:
        raise RuntimeError("not every study was found")
    for kind, one in found.items():
        one["headers_per_s"] = round(n_files / one["wall_s"])
        print(
            f"{kind:16} {one['headers_per_s']:6} headers/s, {one['cpu_s'] / n_files * 1e6:.0f} µs of CPU each"
        )
    own = found["glutseg-scan"]
    own["index_bytes_per_header"] = round(own["stages"]["index_mb"] * 2**20 / n_files)
    ratio = own["cpu_s"] / found["pydicom-headers"]["cpu_s"]
    print(
        f"glutseg / pydicom, CPU: {ratio:.2f}; the index holds {own['index_bytes_per_header']} bytes a header"
    )
    result: dict[str, Any] = {"machine": measuring.machine(), "repeats": args.repeats, "files": n_files}
    if args.store:
        measuring.store("scan", {**result, "kinds": found, "cpu_ratio": round(ratio, 2)})


if __name__ == "__main__":
    main()
