"""Two sessions of one reviewer on the same case: every decision that was reported is kept."""

import os
import subprocess
import sys

import pytest

from glutseg.review.record import read_review
from made_run import MadeCase, make_run

CASE = MadeCase("A")
N = 60
DECIDE = """
import sys
from pathlib import Path
from glutseg import review

out, case_id, session, n = Path(sys.argv[1]), sys.argv[2], sys.argv[3], int(sys.argv[4])
for number in range(n):
    review.accept(out, case_id, "anna", note=f"{session} {number}")
"""
CORRECT = """
import sys
from pathlib import Path
from made_run import MadeCase, correct_case

for width in range(int(sys.argv[2]), int(sys.argv[2]) + 6):
    correct_case(Path(sys.argv[1]), MadeCase("A", (width, width)), "anna")
"""


@pytest.fixture
def out(tmp_path):
    return make_run(tmp_path / "out", [CASE]).out


def at_once(script, *many_args):
    env = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    processes = [
        subprocess.Popen([sys.executable, "-c", script, *map(str, args)], env=env) for args in many_args
    ]
    assert [process.wait(300) for process in processes] == [0] * len(processes)


def test_no_decision_is_lost(out):
    at_once(DECIDE, *((out, CASE.case_id, session, N) for session in "ab"))
    notes = [entry.note for entry in read_review(out, CASE.case_id, "anna").history]
    assert sorted(notes) == sorted(f"{session} {n}" for session in "ab" for n in range(N))
    for session in "ab":  # and the order in which each decided
        own = [note for note in notes if note.startswith(session)]
        assert own == [f"{session} {n}" for n in range(N)]
    assert not list(out.rglob(".glutseg*"))


def test_every_correction_has_a_mask_of_its_own(out):
    at_once(CORRECT, (out, 3), (out, 12))
    history = read_review(out, CASE.case_id, "anna").history
    assert sorted(entry.mask_version for entry in history) == list(range(1, 13))
    assert len({entry.mask_sha256 for entry in history}) == 12
