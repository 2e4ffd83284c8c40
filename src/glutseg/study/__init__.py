"""From a run to a result: participants joined, groups compared, how much rests on the method.

    from glutseg import study

    found = study.study_run(out, participants, study.Question("group", correlates=("visits",)))
    found.comparison.welch.p
    study.write_study(folder, found)

Names are loaded when first used: what a run's rows are must not need what draws figures.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from glutseg.study.analysis import Study, study_run
    from glutseg.study.effects import compare_summaries, effect_from_t, p_of_r, smallest_n_for_r
    from glutseg.study.plots import draw
    from glutseg.study.record import study_json, write_study
    from glutseg.study.run_rows import RunRows, read_run
    from glutseg.study.sample import Question
    from glutseg.study.words import summary

_HOME = {
    "Question": "sample",
    "RunRows": "run_rows",
    "Study": "analysis",
    "compare_summaries": "effects",
    "draw": "plots",
    "effect_from_t": "effects",
    "p_of_r": "effects",
    "read_run": "run_rows",
    "smallest_n_for_r": "effects",
    "study_json": "record",
    "study_run": "analysis",
    "summary": "words",
    "write_study": "record",
}

__all__ = [
    "Question",
    "RunRows",
    "Study",
    "compare_summaries",
    "draw",
    "effect_from_t",
    "p_of_r",
    "read_run",
    "smallest_n_for_r",
    "study_json",
    "study_run",
    "summary",
    "write_study",
]


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        msg = f"module 'glutseg.study' has no attribute {name!r}"
        raise AttributeError(msg)
    return getattr(import_module(f"glutseg.study.{_HOME[name]}"), name)
