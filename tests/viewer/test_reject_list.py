"""The list of reasons on the screen: keys, mouse, words of one's own, and what must not happen."""

from itertools import product

import pytest
from radiologist import sit_down

from glutseg.image import LEFT
from glutseg.result import EXCLUSION_REASONS

pytest.importorskip("napari")


@pytest.fixture
def radiologist(screen, ten):
    person = sit_down(screen, ten.out, "anna")
    person.wait_for_picture()
    yield person
    person.viewer.close()


def entry(person, case):
    """The decision as the session has it."""
    item = person.panel.session.item(case)
    return item.decision, item.reason, item.status


def test_the_whole_list_can_be_read_and_nothing_is_chosen_yet(radiologist):
    person, reasons = radiologist, radiologist.panel.reasons
    person.press("R", alt=True)
    window = person.viewer.window._qt_window
    assert reasons.list.count() == len(EXCLUSION_REASONS)
    assert person.case in reasons.title.text()
    for theme, row in product(("dark", "light"), range(reasons.list.count())):
        person.viewer.theme = theme
        person.bot.wait(10)
        box = reasons.list.visualItemRect(reasons.list.item(row))
        assert reasons.list.viewport().rect().contains(box)
        corner = reasons.list.viewport().mapTo(window, box.bottomRight())
        assert corner.x() <= 1280
        assert corner.y() <= 800
        assert reasons.list.fontMetrics().horizontalAdvance(reasons.list.item(row).text()) < box.width()
    person.press("Return")
    assert reasons.isVisible()
    assert entry(person, person.case) == ("", "", person.panel.session.item(person.case).result.status)


def test_escape_goes_back_and_digits_are_napari_s_again(radiologist):
    person, panel, case = radiologist, radiologist.panel, radiologist.case
    person.press("R", alt=True)
    person.press("Escape")
    assert not panel.reasons.isVisible()
    person.press("2", where=person.canvas)
    assert panel.layers.muscles.mode == "paint"
    assert (person.case, entry(person, case)[0]) == (case, "")


def test_a_digit_on_the_picture_chooses_and_does_not_reach_the_brush(radiologist):
    person, panel, case = radiologist, radiologist.panel, radiologist.case
    mode = panel.layers.muscles.mode
    person.press("R", alt=True)
    person.press("2", where=person.canvas)
    assert entry(person, case) == ("rejected", "muscle cut off by the field of view", "excluded")
    assert person.wait_for_picture() != case
    assert panel.layers.muscles.mode == mode
    assert case in panel.message.text()
    assert "Alt+U" in panel.message.text()


def test_by_mouse_alone_and_by_arrow_keys_alone(radiologist):
    person, panel = radiologist, radiologist.panel
    first = person.case
    person.click(panel.decision.reject)
    reasons = panel.reasons.list
    person.click(reasons.viewport(), reasons.visualItemRect(reasons.item(3)).center())
    assert entry(person, first)[1] == "wrong patient, study or series"
    second = person.wait_for_picture()
    person.press("R", alt=True)
    person.press("Down")
    person.press("Down")
    person.press("Enter")
    assert entry(person, second)[1] == "muscle cut off by the field of view"


def test_words_of_one_s_own_may_hold_digits_and_must_not_be_empty(radiologist):
    person, panel, case = radiologist, radiologist.panel, radiologist.case
    person.press("R", alt=True)
    person.press("9")
    person.press("Return")
    assert panel.reasons.isVisible()
    person.write("aged 17, <b>under 18</b>")
    person.press("Return")
    assert entry(person, case) == ("rejected", "aged 17, <b>under 18</b>", "excluded")
    panel.cases.filter.setCurrentText("excluded")
    (shown,) = [
        panel.cases.list.item(row)
        for row in range(panel.cases.list.count())
        if case in panel.cases.list.item(row).text()
    ]
    assert "excluded" in shown.text()
    assert "&lt;b&gt;" in shown.toolTip()


def test_the_list_never_stays_open_on_another_case(radiologist):
    person, panel, case = radiologist, radiologist.panel, radiologist.case
    person.press("R", alt=True)
    person.press("N", alt=True)
    person.wait(lambda: panel.opened is not None and person.case != case)
    assert not panel.reasons.isVisible()
    person.press("1", where=person.canvas)
    assert panel.session.progress == (0, 10)


def test_undoing_a_rejection_brings_back_what_was_drawn(radiologist):
    person, panel, case = radiologist, radiologist.panel, radiologist.case
    rows, columns = person.outline_on_screen(LEFT).nonzero()
    middle = len(rows) // 2
    person.press("1", where=person.canvas)
    person.stroke((rows[middle], columns[middle]), (rows[middle], columns[middle] + 1))
    drawn = panel.layers.muscles.data.copy()
    person.press("R", alt=True)
    person.press("1")
    person.wait(lambda: panel.opened is not None and person.case != case)
    person.press("U", alt=True)
    person.wait(lambda: panel.opened is not None and person.case == case)
    assert (panel.layers.muscles.data == drawn).all()
    assert entry(person, case)[0] == ""


def test_after_the_last_case_those_passed_over_come_and_then_it_says_so(radiologist):
    person, panel = radiologist, radiologist.panel
    first = person.case
    panel.open_case(panel.session.items[-1].case_id)
    person.wait(lambda: panel.opened is not None and person.case != first)
    person.press("A", alt=True)
    person.wait(lambda: panel.opened is not None)
    assert person.case == first
    for item in panel.session.items[1:-1]:
        panel.session.accept(item.case_id)
    person.press("R", alt=True)
    person.press("1")
    assert "All cases are decided" in panel.message.text()
    assert "You excluded this case: implant or metal" in panel.quality_flags.text()
    person.press("U", alt=True)
    person.wait(lambda: panel.opened is not None)
    assert panel.session.progress == (9, 10)
