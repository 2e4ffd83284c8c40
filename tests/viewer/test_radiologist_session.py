"""A radiologist's session from the first case to the table, by keys and mouse alone; and what it costs."""

import numpy as np
import pytest
from radiologist import sit_down

from glutseg.image import LEFT

pytest.importorskip("napari")


@pytest.fixture
def radiologist(screen, ten):
    person = sit_down(screen, ten.out, "anna")
    person.wait_for_picture()
    yield person
    person.viewer.close()


def row_inside(muscle):
    """A row that crosses the muscle, and its first and last column there."""
    row = int(np.median(np.nonzero(muscle)[0]))
    columns = np.nonzero(muscle[row])[0]
    return row, int(columns[0]), int(columns[-1])


def check_table(rows):
    """Of the cases that were right, wrong, rejected, rejected in the end, and passed over."""
    assert [row["decision"] for row in rows] == ["accepted", "corrected", "rejected", "rejected", ""]
    assert [row["status"] for row in rows[:4]] == ["ok", "ok", "excluded", "excluded"]
    assert [row["exclusion_reason"] for row in rows] == ["", "", "implant-or-metal", "muscle-cut-off", ""]
    assert [row["reviewer"] for row in rows] == ["anna"] * 4 + [""]
    right, wrong = (float(row["area_left_mm2"]) for row in rows[:2])
    assert wrong < right


def test_a_right_a_wrong_and_a_rejected_case_and_one_that_was_rejected_by_mistake(radiologist, ten):
    person, panel = radiologist, radiologist.panel
    right = person.case
    with person.task("right"):
        person.press("A", alt=True)
    wrong = person.wait_for_picture()

    muscle = person.outline_on_screen(LEFT)
    row, start, _ = row_inside(muscle)
    with person.task("wrong"):
        person.press("1", where=person.canvas)  # napari's eraser
        person.stroke((row, start), (row + 2, start))
        with person.bot.waitSignal(panel.decided, timeout=30_000):
            person.press("K", alt=True)
    metal = person.wait_for_picture()

    with person.task("rejected"):
        person.press("R", alt=True)
        person.press("1")
    cut_off = person.wait_for_picture()

    with person.task("rejected by mistake"):
        person.press("R", alt=True)
        person.press("3")
        mistaken = person.wait_for_picture()
        person.press("U", alt=True)
    assert person.wait_for_picture() == cut_off != mistaken
    with person.task("rejected again"):
        person.press("R", alt=True)
        person.press("2")
    assert person.wait_for_picture() == mistaken
    with person.task("next"):
        person.press("N", alt=True)
    person.wait(lambda: panel.opened is not None and person.case != mistaken)
    person.wait(lambda: panel.autosave.is_idle)

    assert {name: dict(count) for name, count in person.effort.items()} == {
        "right": {"keys": 1},
        "wrong": {"keys": 2, "mouse": 1},
        "rejected": {"keys": 2},
        "rejected by mistake": {"keys": 3},
        "rejected again": {"keys": 2},
        "next": {"keys": 1},
    }
    check_table([ten.row(name) for name in (right, wrong, metal, cut_off, mistaken)])
