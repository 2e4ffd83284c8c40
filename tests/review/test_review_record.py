import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from glutseg.errors import GlutsegError
from glutseg.review import Entry, Review, reviewer_id
from glutseg.review.record import append, mask_name, read_review


def entry(decision, **more):
    return Entry(decision, "2020-01-01T00:00:00+00:00", "0", "d", **more)


@given(st.lists(st.sampled_from(["accepted", "rejected", "undo"]), max_size=12))
def test_undo_leads_back_the_way_one_came(steps):
    review, stack = Review("c", "r"), []
    for n, step in enumerate(steps):
        if step == "undo":
            if not stack:
                continue
            stack.pop()
            place = review.place_before
            back = review.history[place] if place >= 0 else entry("withdrawn")
            new = entry(back.decision, note=back.note, restores=place)
        else:
            stack.append((step, str(n)))
            new = entry(step, note=str(n))
        review = Review("c", "r", (*review.history, new))
        now = review.in_force
        assert (None if now is None else (now.decision, now.note)) == (stack[-1] if stack else None)


@given(st.text(max_size=60), st.text(max_size=60))
def test_names_are_safe_in_paths_and_stay_apart(a, b):
    ids = []
    for name in (a, b):
        try:
            ids.append(reviewer_id(name))
        except GlutsegError:
            return
        assert re.fullmatch(r"[a-z0-9_-]{1,51}", ids[-1])
    from glutseg.output.text import plain

    assert (ids[0] == ids[1]) == (plain(a) == plain(b))


def test_plain_names_stay_as_they_are_and_case_matters():
    assert reviewer_id("anna") == "anna"
    assert reviewer_id("Anna") != "anna"
    assert ".." not in reviewer_id("../../etc/passwd")
    with pytest.raises(GlutsegError, match="no name"):
        reviewer_id(" \x1b ")


def test_masks_of_one_reviewer_never_share_a_name():
    names = {mask_name(who, n) for who in ("anna", "anna-2", "anna.2") for n in (1, 2, 3)}
    assert len(names) == 9
    assert "mask.nii.gz" not in names


def test_a_record_that_cannot_be_read_is_not_written_over(tmp_path):
    append(tmp_path, "c-1", "anna", entry("accepted"))
    path = tmp_path / "cases/c-1/review-anna.json"
    path.write_text("{broken")
    with pytest.raises(GlutsegError, match="review-invalid"):
        append(tmp_path, "c-1", "anna", entry("rejected"))
    assert path.read_text() == "{broken"


def test_a_record_that_was_changed_by_hand_is_told(tmp_path):
    append(tmp_path, "c-1", "anna", entry("rejected", reason="metal"))
    path = tmp_path / "cases/c-1/review-anna.json"
    path.write_text(path.read_text().replace("metal", "other"))
    with pytest.raises(GlutsegError, match="review-invalid: it was changed"):
        read_review(tmp_path, "c-1", "anna")


def test_what_is_written_comes_back(tmp_path):
    first = append(tmp_path, "c-1", "Anna Ünal", entry("rejected", reason="metal", note="<b>=1+1"))
    second = append(tmp_path, "c-1", "Anna Ünal", entry("withdrawn", restores=-1))
    assert read_review(tmp_path, "c-1", "Anna Ünal") == second
    assert second.history[0] == first.history[0]
    assert second.in_force is None
