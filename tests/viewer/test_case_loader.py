"""Of a long series the slices around the level are shown first; all that is decided waits for the rest."""

import numpy as np
import pytest

from glutseg import batch, dicom
from glutseg.batch.images import find_images
from glutseg.image import SIDES
from glutseg.phantom import PhantomPatient, PhantomScan, render, write_dicom
from glutseg.protocol import load_protocol
from glutseg.review.drafts import write_draft
from glutseg.viewer.case_loader import CaseLoader
from glutseg.viewer.session import Session

LONG_SCAN = PhantomScan(matrix=160, pixel_mm=2.6, slice_mm=3.0, z_range_mm=(-110.0, 130.0))
"""80 slices: long enough for a localiser pass."""
SLOW_MS = 60_000

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def long_run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("long")
    write_dicom(render(PhantomPatient(seed=7), LONG_SCAN), folder / "in")
    batch.run(dicom.scan(folder / "in"), load_protocol(), None, folder / "out")
    return folder / "out"


@pytest.fixture
def session(long_run):
    return Session(long_run, "anna")


def test_a_glance_shows_the_measured_slice_as_the_whole_case_does(session):
    loader = CaseLoader(session, find_images(session.out))
    (item,) = session.items
    glance, whole = loader.glance(item.case_id), loader.load(item.case_id)
    slice_index = whole.picture.slice_index
    assert glance.picture.image.unread_slices
    assert glance.picture.slice_index == slice_index
    assert np.array_equal(glance.picture.image.hu[slice_index], whole.picture.image.hu[slice_index])
    assert np.array_equal(glance.picture.labels, whole.picture.labels)
    assert glance.picture.live() == whole.picture.live()
    assert not whole.picture.image.unread_slices
    assert loader.glance(item.case_id) is None  # it is in memory now
    loader.close()


def test_no_glance_at_a_level_that_was_moved_away(session):
    loader = CaseLoader(session, find_images(session.out))
    (item,) = session.items
    picture = loader.load(item.case_id).picture
    write_draft(session.out, item.case_id, "anna", picture.mask(), 0)
    try:
        assert CaseLoader(session, find_images(session.out)).glance(item.case_id) is None
    finally:
        loader.close()
        for file in (session.out / "cases" / item.case_id).glob("draft-anna*"):
            file.unlink()


def test_on_a_glance_nothing_can_be_drawn_or_decided(screen, long_run, monkeypatch):
    from glutseg.viewer.review_launcher import make_review
    from glutseg.viewer.review_widget import ReviewPanel, RunPlace

    glances = []

    def seen(panel, case_id, glance, error):
        show(panel, case_id, glance, error)
        muscles = panel.layers.muscles
        area = {side: panel.figures.cells["area mm²", side].text() for side in SIDES}
        decidable = any(
            button.isEnabled()
            for button in (panel.decision.accept, panel.decision.correct, panel.decision.reject)
        )
        glances.append((muscles.visible, muscles.editable, panel.layers.picture, decidable, area))

    show = ReviewPanel._show_glance
    monkeypatch.setattr(ReviewPanel, "_show_glance", seen)
    viewer, widget = make_review(RunPlace(long_run, "ben"))
    try:
        panel = widget.panel
        screen.waitUntil(lambda: panel.opened is not None, timeout=SLOW_MS)
        area = {side: panel.figures.cells["area mm²", side].text() for side in SIDES}
        assert glances == [(True, False, None, False, area)]
        assert panel.layers.muscles.editable
        assert panel.layers.picture is panel.opened.picture
        assert panel.decision.accept.isEnabled()
    finally:
        viewer.close()
