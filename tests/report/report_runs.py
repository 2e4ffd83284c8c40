"""Runs to report on: one with everything a page may have to show, and hostile words in every text."""

import json
from dataclasses import replace
from pathlib import Path

from glutseg import agreement, review
from glutseg.errors import Flag
from glutseg.protocol import load_protocol
from made_run import MadeCase, correct_case, make_run, reseal

HOSTILE = "<script>document.title='owned'</script><img src=x onerror=\"document.title='owned'\">"
"""What a patient id or a series description may hold."""
CASES = [
    MadeCase("P01", (17, 18)),
    MadeCase("P02", (12, 14), flags=(Flag("sides-differ", "by 15 %"),), status="review"),
    MadeCase("P03", (9, 10), height_m=None, flags=(Flag("height-missing", "none"),)),
    MadeCase("P10", status="failed", error=("hips-not-found", f"no hips {HOSTILE}")),
    MadeCase(HOSTILE, (15, 15), description=HOSTILE, flags=(Flag("outline-uncertain", HOSTILE, "left"),),
             status="review"),
    MadeCase("=P11", (20, 19)),
]  # fmt: skip


def make_full_run(out: Path) -> Path:
    """Six cases with pictures, two reviewers, an agreement."""
    run = make_run(out, CASES, load_protocol(), pictures=True)
    path = out / "cases" / CASES[1].case_id / "case.json"
    record = json.loads(path.read_text())
    record["rejected_series"] = [{"series_uid": "1.9", "reason": f"a localizer {HOSTILE}"}]
    path.write_text(json.dumps(record))
    reseal(path)
    review.accept(out, CASES[0].case_id, "Ann", note=HOSTILE)
    correct_case(out, replace(CASES[1], widths_px=(14, 14)), HOSTILE)
    review.reject(out, CASES[2].case_id, "Ann", "metal")
    table = out.parent / "hand.csv"
    rows = [f"{r.case_id},{500 + 20 * i}" for i, r in enumerate(run.results) if r.muscles]
    table.write_text("\n".join(["case_id,area_left_mm2", *rows]))
    agreement.agree(out, [str(table)])
    return out
