"""A run and a scan that are killed twenty times at random moments give what undisturbed ones give.

    python benchmarks/kills.py [scan] [run] [--kills 20] [--studies 8] [--keep DIR] [--store]

The command line measures small phantoms, is killed (SIGKILL, its workers with it) and started again with
--resume; at the end all tables, masks, overlays and case records are compared byte by byte with those of a
run that nobody disturbed. The scan is of more phantoms, into one index, with two processes; at the end what
the index says is compared.
"""

from __future__ import annotations

import hashlib
import os
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import inputs
import measuring
from glutseg import dicom
from glutseg.output.layout import RUN_JSON

SEED = 20
INPUTS = {"scan": (200, inputs.TINY, "headers"), "run": (None, inputs.SMALL, "small")}
"""(studies, size of a phantom, name of its folder) of each part."""
SCAN = (
    "import sys; from pathlib import Path; from glutseg import dicom; "
    "dicom.scan(Path(sys.argv[1]), index_file=Path(sys.argv[2]), jobs=2)"
)


def killed(command: Sequence[str], within_s: float, rng: random.Random) -> str:
    """Start a command and kill it at a random moment; what became of it."""
    process = subprocess.Popen(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
    )
    try:
        process.wait(rng.uniform(0, within_s))
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    return "killed" if process.returncode < 0 else "finished"


def undisturbed_s(command: Sequence[str]) -> float:
    """Seconds of a command that is left to its end."""
    start = time.perf_counter()
    done = subprocess.run(command, stdout=subprocess.DEVNULL, check=False)
    if done.returncode not in (0, 2):
        raise subprocess.CalledProcessError(done.returncode, command)
    return time.perf_counter() - start


def digests(out: Path) -> dict[str, str]:
    """Of every file of a run but its record, which holds times, and the index, which holds places."""
    files = (path for path in out.rglob("*") if path.is_file())
    names = {path.relative_to(out).as_posix(): path for path in files}
    left_out = (RUN_JSON, dicom.INDEX_FILE)
    return {
        name: hashlib.sha256(path.read_bytes()).hexdigest()
        for name, path in names.items()
        if name not in left_out
    }


def runs(folder: Path, work: Path, n_kills: int, rng: random.Random) -> dict[str, Any]:
    """Kill a run again and again; whenever one comes to its end, it is compared and begun anew."""
    glutseg = (sys.executable, "-m", "glutseg.cli", "run", str(folder), "--jobs", "2", "-o")
    whole, out = work / "whole", work / "killed"
    whole_s = undisturbed_s([*glutseg, str(whole)])
    command, expected = [*glutseg, str(out), "--resume"], digests(whole)
    done_at_kill: list[int] = []
    compared: list[list[str]] = []
    while len(done_at_kill) < n_kills:
        if killed(command, whole_s, rng) == "killed":
            done_at_kill.append(len(list(out.glob("cases/*/case.json"))))
        else:
            compared.append(differing(expected, digests(out)))
            shutil.rmtree(out)
    undisturbed_s(command)
    compared.append(differing(expected, digests(out)))
    return {
        "kills": n_kills,
        "cases_done_at_each": done_at_kill,
        "files": len(expected),
        "comparisons": len(compared),
        "differing": sorted({name for names in compared for name in names}),
    }


def differing(expected: dict[str, str], found: dict[str, str]) -> list[str]:
    """Files that are not the same in both, or not in both."""
    return sorted(name for name in expected | found if expected.get(name) != found.get(name))


def scans(folder: Path, work: Path, n_kills: int, rng: random.Random) -> dict[str, Any]:
    """Kill a scan again and again."""
    command = (sys.executable, "-c", SCAN, str(folder))
    whole_s = undisturbed_s([*command, str(work / "whole.sqlite")])
    file = work / "killed.sqlite"
    read_at_kill: list[int] = []
    while len(read_at_kill) < n_kills:
        if killed([*command, str(file)], whole_s, rng) == "killed":
            read_at_kill.append(n_read(file))
        else:
            file.unlink()  # begun anew: nothing was left to kill
    undisturbed_s([*command, str(work / "killed.sqlite")])
    whole, found = (dicom.scan(folder, index_file=work / f"{name}.sqlite") for name in ("whole", "killed"))
    both = [tuple(zip(one.studies, dicom.summaries(one), strict=True)) for one in (whole, found)]
    return {
        "kills": n_kills,
        "files_read_at_each": read_at_kill,
        "files": whole.n_files,
        "differing": [one[0].patient_id for one, other in zip(*both, strict=True) if one != other],
    }


def n_read(file: Path) -> int:
    """Number of files whose headers are in an index."""
    if not file.exists():
        return 0
    with closing(sqlite3.connect(file)) as db:
        if not db.execute("SELECT 1 FROM sqlite_master WHERE name = 'files'").fetchone():
            return 0
        (count,) = db.execute("SELECT count(*) FROM files WHERE n_sources IS NOT NULL").fetchone()
        return int(count)


def main() -> None:
    parser = measuring.options(__doc__, "kills")
    parser.add_argument("parts", nargs="*", help="scan or run; both, unless named")
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--studies", type=int, default=8)
    args = parser.parse_args()
    rng = random.Random(SEED)
    result: dict[str, Any] = {"seed": SEED}
    with measuring.kept(args.keep) as keep:
        work = keep / "kills"
        shutil.rmtree(work, ignore_errors=True)
        work.mkdir()
        for part in args.parts or ("scan", "run"):
            n_studies, size, name = INPUTS[part]
            folder = inputs.cohort(keep, n_studies or args.studies, size, name)
            machine = measuring.machine()
            found = (scans if part == "scan" else runs)(folder, work, args.kills, rng)
            said = found["differing"] or "none"
            print(f"{part}: {found['kills']} kills, {found['files']} files, differing: {said}", flush=True)
            result[part] = {"machine": machine, **found}
    if args.store:
        measuring.store("kills", measuring.stored("kills") | result)
    if any(result[part]["differing"] for part in args.parts or ("scan", "run")):
        raise SystemExit(1)


if __name__ == "__main__":
    main()
