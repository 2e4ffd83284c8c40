"""A run and a scan that are killed twenty times at random moments give what undisturbed ones give.

    python benchmarks/kills.py [--kills 20] [--studies 24] [--keep DIR] [--store]

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
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import inputs
import measuring
from glutseg import dicom
from glutseg.output.layout import RUN_JSON

SEED = 20
SCANNED_STUDIES = 200
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
    """Kill a run again and again."""
    glutseg = (sys.executable, "-m", "glutseg.cli", "run", str(folder), "--jobs", "2", "-o")
    whole_s = undisturbed_s([*glutseg, str(work / "whole")])
    command = [*glutseg, str(work / "killed"), "--resume"]
    n_killed, n_done = 0, []
    while n_killed < n_kills:
        # in small steps, so that the last kills still find something to do
        n_killed += killed(command, 2 * whole_s / n_kills + 4, rng) == "killed"
        n_done.append(len(list((work / "killed").glob("cases/*/case.json"))))
    undisturbed_s(command)
    expected, found = digests(work / "whole"), digests(work / "killed")
    differing = sorted(name for name in expected | found if expected.get(name) != found.get(name))
    return {"kills": n_killed, "cases_after_each": n_done, "files": len(expected), "differing": differing}


def scans(folder: Path, work: Path, n_kills: int, rng: random.Random) -> dict[str, Any]:
    """Kill a scan again and again."""
    command = (sys.executable, "-c", SCAN, str(folder))
    whole_s = undisturbed_s([*command, str(work / "whole.sqlite")])
    for _ in range(n_kills):
        killed([*command, str(work / "killed.sqlite")], whole_s / 2, rng)
    undisturbed_s([*command, str(work / "killed.sqlite")])
    whole, found = (dicom.scan(folder, index_file=work / f"{name}.sqlite") for name in ("whole", "killed"))
    return {
        "kills": n_kills,
        "files": whole.n_files,
        "is_same": tuple(whole.studies) == tuple(found.studies)
        and tuple(dicom.summaries(whole)) == tuple(dicom.summaries(found)),
    }


def main() -> None:
    parser = measuring.options(__doc__, "kills")
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--studies", type=int, default=24)
    args = parser.parse_args()
    rng, machine = random.Random(SEED), measuring.machine()
    with measuring.kept(args.keep) as keep:
        work = keep / "kills"
        shutil.rmtree(work, ignore_errors=True)
        work.mkdir()
        few = inputs.cohort(keep, args.studies, inputs.SMALL, "small")
        many = inputs.cohort(keep, SCANNED_STUDIES, inputs.TINY, "headers")
        scan = scans(many, work, args.kills, rng)
        print(f"scan: {scan['kills']} kills, {scan['files']} files, the same: {scan['is_same']}")
        run = runs(few, work, args.kills, rng)
        print(f"run: {run['kills']} kills, {run['files']} files, differing: {run['differing'] or 'none'}")
    if args.store:
        measuring.store("kills", {"machine": machine, "seed": SEED, "scan": scan, "run": run})
    if run["differing"] or not scan["is_same"]:
        raise SystemExit(1)


if __name__ == "__main__":
    main()
