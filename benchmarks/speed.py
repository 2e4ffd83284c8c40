"""How long one study takes, beside the bare reading of the same files.

    python benchmarks/speed.py [--keep DIR] [--slices 100 300 800] [--repeats 5] [--store]

Every figure is the median of repeats in processes of their own with one thread, start-up (interpreter and
imports) apart; what is compared takes turns. "SimpleITK" is its series reader with the search for the names
of the files, "pydicom" dcmread and pixel_array of every file.
CPU time says more on a busy machine.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import inputs
import measuring

KINDS = ("simpleitk", "pydicom", "glutseg")
BARE = KINDS[:2]
JPEG2000_SLICES = 300


def measure(folder: Path, repeats: int) -> dict[str, Any]:
    """Medians per kind, taken in turns."""
    measuring.warm(folder)
    turns = [{kind: measuring.fresh(kind, folder) for kind in KINDS} for _ in range(repeats)]
    found = {kind: measuring.median_of([turn[kind] for turn in turns]) for kind in KINDS}
    for own in (found[kind] for kind in KINDS if kind not in BARE):
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
    for kind in KINDS[len(BARE) :]:
        own = found[kind]
        print(f"  {kind}, stages, s: " + ", ".join(f"{stage} {s:.2f}" for stage, s in own["stages"].items()))
        print(f"  {kind} / other, wall: " + ", ".join(f"{k} {v:.2f}" for k, v in own["wall_ratio"].items()))
        print(f"  {kind} / other, CPU:  " + ", ".join(f"{k} {v:.2f}" for k, v in own["cpu_ratio"].items()))


def start_up(repeats: int) -> dict[str, Any]:
    """`glutseg --help` beside a bare Python."""
    program = [sys.executable, "-c", "from glutseg.cli import main; main()", "--help"]
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
    args = parser.parse_args()
    result: dict[str, Any] = {"machine": measuring.machine(), "repeats": args.repeats, "studies": {}}
    with measuring.kept(args.keep) as keep:
        folders = {f"{n} slices": inputs.study(keep, n) for n in args.slices}
        if JPEG2000_SLICES in args.slices:
            folders[f"{JPEG2000_SLICES} slices, JPEG 2000"] = inputs.study(
                keep, JPEG2000_SLICES, jpeg2000=True
            )
        for name, folder in folders.items():
            result["studies"][name] = measure(folder, args.repeats)
            tell(name, result["studies"][name])
        result["start_up"] = start_up(args.repeats)
    if args.store:
        measuring.store("speed", result)


if __name__ == "__main__":
    main()
