"""Whether a difference that was put into phantoms comes out of the study, with nothing replaced.

    python benchmarks/cohort.py [--work DIR] [--jobs N] [--store] [--figures DIR]

Writes the demonstration cohort (`glutseg phantom --cohort`), measures it (`glutseg run`), studies it
(`glutseg study`), and sets the difference of the groups beside the one that the phantoms' true areas
have. The exit code is 1 when the true difference lies outside the 95 % interval. `--store` keeps the
result in results/cohort.json, `--figures` copies the study's figures, as docs/how-to/study.md shows them.
With `--work` what is there already is not made again. About six minutes of processor time.
"""

from __future__ import annotations

import argparse
import csv
import json
import shutil
import subprocess
import sys
import tempfile
from dataclasses import asdict
from pathlib import Path
from typing import Any

from glutseg.phantom.cohort import COHORT_SCAN, GROUPS
from glutseg.study.effects import compare_summaries

HERE = Path(__file__).resolve().parent
STORED = HERE / "results" / "cohort.json"
VALUE = "area_mean_per_height_mm2_per_m"
QUESTION = ("--group", "group", "--groups", ",".join(GROUPS), "--value", VALUE, "--correlate", "visits",
            "--covariate", "age_years", "--covariate", "bmi_kg_m2", "--overwrite")  # fmt: skip


def main() -> int:
    """Run it."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--work", type=Path, help="where the cohort and the run are kept")
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--store", action="store_true")
    parser.add_argument("--figures", type=Path)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        work = asked.work or Path(scratch)
        result = judge(work, measure(work, asked.jobs))
        show(result)
        if asked.store:
            STORED.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
        if asked.figures:
            asked.figures.mkdir(parents=True, exist_ok=True)
            for figure in sorted((work / "out" / "study" / "figures").glob("*.svg")):
                shutil.copyfile(figure, asked.figures / figure.name)
    return (
        0
        if result["measured"]["ci_low"] < result["true"]["difference"] < result["measured"]["ci_high"]
        else 1
    )


def measure(work: Path, jobs: int) -> Path:
    """The cohort, its run with whole muscles (for every named level), and the study."""
    cohort, out = work / "cohort", work / "out"
    if not (cohort / "participants.csv").exists():
        glutseg("phantom", cohort, "--cohort")
    if not (out / "measurements.csv").exists():
        glutseg("run", cohort, "-o", out, "--whole-muscle", "--jobs", jobs)
    glutseg("study", out, "--participants", cohort / "participants.csv", *QUESTION)
    return out


def glutseg(*words: object) -> None:
    """The program as a user runs it; 2 is "some need a look"."""
    code = subprocess.run([sys.executable, "-m", "glutseg.cli", *map(str, words)], check=False).returncode
    if code not in (0, 2):
        raise SystemExit(code)


def judge(work: Path, out: Path) -> dict[str, Any]:
    """What was measured beside what is true, per patient and between the groups."""
    study = json.loads((out / "study" / "study.json").read_text(encoding="utf-8"))
    truth = {r["patient_id"]: float(r[VALUE]) for r in rows(work / "cohort" / "true_areas.csv")}
    cases = [
        {
            "patient_id": row["patient_id"],
            "group": row["group"],
            "status": row["status"],
            "measured_mm2_per_m": float(row["value"]),
            "true_mm2_per_m": truth[row["patient_id"]],
        }
        for row in rows(out / "study" / "patients.csv")
    ]
    comparison = study["comparison"]
    return {
        "patients": len(cases),
        "scan": asdict(COHORT_SCAN),
        "true": told(truth_of(cases, "true_mm2_per_m")),
        "measured": told(truth_of(cases, "measured_mm2_per_m")),
        "study_says": {"p": comparison["welch"]["p"], "hedges_g": comparison["effect"]["hedges_g"]},
        "cases": cases,
    }


def truth_of(cases: list[dict[str, Any]], kind: str) -> tuple[Any, Any]:
    """Welch's test and the effect of a column, from the groups' means and SDs."""
    summaries: list[float] = []
    for group in GROUPS:
        values = [c[kind] for c in cases if c["group"] == group]
        mean = sum(values) / len(values)
        sd = (sum((v - mean) ** 2 for v in values) / (len(values) - 1)) ** 0.5
        summaries += [mean, sd, len(values)]
    _, welch, effect = compare_summaries(*summaries)  # type: ignore[arg-type]
    return welch, effect


def told(found: tuple[Any, Any]) -> dict[str, float]:
    """A test's figures for the record."""
    welch, effect = found
    figures = {
        "difference": welch.difference,
        "ci_low": welch.ci.low,
        "ci_high": welch.ci.high,
        "p": welch.p,
        "hedges_g": effect.hedges_g,
    }
    return {name: float(f"{value:.6g}") for name, value in figures.items()}


def rows(path: Path) -> list[dict[str, str]]:
    """A CSV table."""
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def show(result: dict[str, Any]) -> None:
    """Print it."""
    errors = [100 * (c["measured_mm2_per_m"] / c["true_mm2_per_m"] - 1) for c in result["cases"]]
    print(f"{result['patients']} patients, area errors {min(errors):+.1f} to {max(errors):+.1f} %")
    for kind in ("true", "measured"):
        r = result[kind]
        print(
            f"{kind:9s} {r['difference']:.1f} mm²/m (95 % CI {r['ci_low']:.1f} to {r['ci_high']:.1f}), "
            f"p = {r['p']:.2g}, g = {r['hedges_g']:.2f}"
        )


if __name__ == "__main__":
    sys.exit(main())
