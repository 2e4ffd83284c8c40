"""What one study costs as a user pays for it: whole processes, start-up included, beside bare reading.

    python benchmarks/speed.py [--keep DIR] [--slices 100 300 800] [--real DIR] [--repeats 5] [--store]

"glutseg" is `glutseg run` with one worker: tables, masks, picture, both ways to an outline. "SimpleITK" is a
process that reads the same files with SimpleITK's series reader, "pydicom" one that does so with dcmread and
pixel_array; neither measures anything. What is compared takes turns; every figure is the median of the
repeats. CPU seconds are those of all processes, memory is the peak of the largest. On a busy machine
believe the CPU time, not the clock.
"""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path
from typing import Any

import inputs
import measuring

KINDS = ("simpleitk", "pydicom", "glutseg")
BARE = KINDS[:2]
JPEG2000_SLICES = 300
REAL = measuring.HERE.parents[1] / "shared" / "cases" / "real-002" / "dicom"


def once(kind: str, folder: Path) -> dict[str, Any]:
    """One process."""
    if kind in BARE:
        return measuring.timed([sys.executable, str(measuring.HERE / "measured.py"), kind, str(folder)])
    with tempfile.TemporaryDirectory() as name:
        out = Path(name, "out")
        command = [sys.executable, "-m", "glutseg.cli", "run", str(folder), "-o", str(out), "--jobs", "1"]
        found = measuring.timed(command)
        (case,) = json.loads((out / "run.json").read_text(encoding="utf-8"))["cases"]
    if case["status"] == "failed":
        msg = f"{folder} could not be measured"
        raise RuntimeError(msg)
    return found | {"stages": case["seconds"]}


def measure(folder: Path, repeats: int) -> dict[str, Any]:
    """Medians per kind, taken in turns."""
    measuring.warm(folder)
    turns = [{kind: once(kind, folder) for kind in KINDS} for _ in range(repeats)]
    found = {kind: measuring.median_of([turn[kind] for turn in turns]) for kind in KINDS}
    own = found["glutseg"]
    for clock in ("wall", "cpu"):
        own[f"{clock}_ratio"] = {
            kind: round(own[f"{clock}_s"] / found[kind][f"{clock}_s"], 2) for kind in BARE
        }
    return found


def tell(name: str, found: dict[str, Any]) -> None:
    """Figures of one folder."""
    print(f"\n{name}: wall s (CPU s), peak MB")
    for kind in KINDS:
        one = found[kind]
        print(f"  {kind:12} {one['wall_s']:7.2f} ({one['cpu_s']:6.2f}) {one['peak_mb']:7.0f}")
    own = found["glutseg"]
    print("  stages, s: " + ", ".join(f"{stage} {s:.2f}" for stage, s in own["stages"].items()))
    print("  glutseg / other, wall: " + ", ".join(f"{k} {v:.2f}" for k, v in own["wall_ratio"].items()))
    print("  glutseg / other, CPU:  " + ", ".join(f"{k} {v:.2f}" for k, v in own["cpu_ratio"].items()))


def start_up(repeats: int) -> dict[str, Any]:
    """`glutseg --help` beside a bare Python."""
    program = [sys.executable, "-m", "glutseg.cli", "--help"]
    bare = [sys.executable, "-c", "pass"]
    turns = [{"help": measuring.timed(program), "bare": measuring.timed(bare)} for _ in range(repeats)]
    found = measuring.median_of(turns)
    found["above_bare_s"] = round(found["help"]["wall_s"] - found["bare"]["wall_s"], 3)
    cpu_s = found["help"]["cpu_s"] - found["bare"]["cpu_s"]
    print(f"\nglutseg --help: {found['above_bare_s']:.2f} s above a bare Python ({cpu_s:.2f} s of CPU)")
    return found


def main() -> None:
    parser = measuring.options(__doc__, "speed")
    parser.add_argument("--slices", type=int, nargs="+", default=[100, 300, 800])
    parser.add_argument("--real", type=Path, default=REAL, help="a real study, where there is one")
    args = parser.parse_args()
    result: dict[str, Any] = {"machine": measuring.machine(), "repeats": args.repeats, "studies": {}}
    with measuring.kept(args.keep) as keep:
        folders = {f"{n} slices": inputs.study(keep, n) for n in args.slices}
        if JPEG2000_SLICES in args.slices:
            folders[f"{JPEG2000_SLICES} slices, JPEG 2000"] = inputs.study(
                keep, JPEG2000_SLICES, jpeg2000=True
            )
        if args.real.is_dir():
            n = len(list(args.real.iterdir()))
            folders = {f"{n} slices of a patient": args.real} | folders
        for name, folder in folders.items():
            result["studies"][name] = measure(folder, args.repeats)
            tell(name, result["studies"][name])
        result["start_up"] = start_up(args.repeats)
    if args.store:
        measuring.store("speed", result)


if __name__ == "__main__":
    main()
