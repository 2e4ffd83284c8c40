"""Runs and tables for studies, and the study made of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from glutseg.study.analysis import Study, study_run
from glutseg.study.sample import Question
from run_maker import MadeCase, make_run

HEADER = ("patient_id", "group", "age_years", "visits", "sex")


@dataclass(frozen=True)
class Made:
    out: Path
    table: Path
    cases: tuple[MadeCase, ...]
    rows: tuple[tuple[object, ...], ...]

    def study(self, **asked) -> Study:
        return study_run(self.out, self.table, Question("group", **asked))


def made_cases(n_first: int = 8, n_second: int = 9, gap_mm2: float = 500.0, seed: int = 0) -> list[MadeCase]:
    """Patients A-.. with larger muscles than B-..; every third asks for a look."""
    rng = np.random.default_rng(seed)
    cases = []
    for letter, n, shift in (("A", n_first, gap_mm2), ("B", n_second, 0.0)):
        for i in range(n):
            area = 3000.0 + shift + float(rng.normal(0, 300))
            cases.append(
                MadeCase(
                    f"{letter}-{i:02d}",
                    area + float(rng.normal(0, 60)),
                    area,
                    height_m=round(float(rng.normal(1.65, 0.05)), 2),
                    lean_share=float(rng.uniform(0.8, 0.95)),
                    status="review" if i % 3 == 2 else "ok",
                )
            )
    return cases


def table_rows(cases: Sequence[MadeCase], seed: int = 0) -> list[tuple[object, ...]]:
    rng = np.random.default_rng(seed + 1)
    return [
        (
            case.patient_id,
            "control" if case.patient_id.startswith("A") else "back-pain",
            int(rng.integers(30, 80)),
            int(rng.integers(1, 9)) if case.patient_id.startswith("B") else 0,
            "FM"[int(rng.integers(2))],
        )
        for case in cases
    ]


def write_table(path: Path, rows: Sequence[Sequence[object]], header: Sequence[str] = HEADER) -> Path:
    path.write_text("\n".join(",".join(map(str, row)) for row in (header, *rows)) + "\n", encoding="utf-8")
    return path


def make(folder: Path, cases: Sequence[MadeCase] | None = None, rows=None, **how) -> Made:
    cases = made_cases() if cases is None else cases
    rows = table_rows(cases) if rows is None else rows
    out = make_run(folder / "out", cases, **how)
    return Made(out, write_table(folder / "participants.csv", rows), tuple(cases), tuple(rows))
