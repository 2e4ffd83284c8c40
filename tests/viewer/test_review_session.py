"""The session without a screen."""

import os
import signal
import subprocess
import sys
import textwrap

import numpy as np
import pytest
from typer.testing import CliRunner

from glutseg import batch, dicom, review
from glutseg.batch.images import find_images
from glutseg.cli import app
from glutseg.errors import GlutsegError
from glutseg.output.pseudonym import pseudonymiser
from glutseg.protocol import load_protocol
from glutseg.viewer.case_loader import CaseLoader
from glutseg.viewer.series_cache import SeriesCache
from glutseg.viewer.session import Session
from made_run import MadeCase, make_run


@pytest.fixture
def session(ten) -> Session:
    return Session(ten.out, "anna")


def opened(session, name):
    return CaseLoader(session, find_images(session.out)).load(name)


def test_filters_progress_and_steps(session, ten):
    names = [item.case_id for item in session.items]
    assert session.progress == (0, 10)
    session.accept(names[0])
    session.reject(names[1], "metal")
    assert session.progress == (2, 10)
    assert [item.case_id for item in session.shown("undecided")] == names[2:]
    assert [item.case_id for item in session.shown("decided")] == names[:2]
    assert [item.case_id for item in session.shown("excluded")] == [names[1]]
    by_status = [item for status in ("ok", "review", "failed", "excluded") for item in session.shown(status)]
    assert sorted(item.case_id for item in by_status) == sorted(names)
    assert session.shown("failed") == []
    assert len(session.shown("all")) == 10
    assert session.step(names[3], "undecided", 1) == names[4]
    assert session.step(names[2], "undecided", -1) is None
    assert session.step(names[2], "all", -1) == names[1]
    assert Session(ten.out, "anna").progress == (2, 10)
    assert Session(ten.out, "ben").progress == (0, 10)


def test_the_most_uncertain_case_of_a_status_comes_first(tmp_path):
    bounds = {"A": (4.0, 6.0), "B": (None, None), "C": (12.0, 3.0), "D": (11.0, 30.0), "E": (15.0, None)}
    cases = [
        MadeCase(name, error_bounds_percent=pair, status="review" if name in "DE" else "ok")
        for name, pair in bounds.items()
    ]
    session = Session(make_run(tmp_path / "out", cases).out, "anna")
    assert [item.result.patient_id for item in session.items] == ["D", "E", "C", "A", "B"]
    assert [item.result.largest_error_bound_percent for item in session.items] == [
        30.0,
        15.0,
        12.0,
        6.0,
        None,
    ]


def test_a_case_opens_as_it_was_left(session):
    name = session.items[0].case_id
    case = opened(session, name)
    assert case.is_automatic
    assert not case.is_changed
    with pytest.raises(GlutsegError, match="nothing was changed"):
        session.correct(case)
    case.picture.labels[case.picture.slice_index, 10, 10] = 1
    assert case.is_changed
    assert session.save_draft(case)
    again = opened(session, name)
    assert again.is_changed
    assert np.array_equal(again.picture.labels, case.picture.labels)
    session.correct(again, "misses muscle")
    kept = opened(session, name)
    assert not kept.is_changed
    assert not kept.is_automatic
    assert np.array_equal(kept.picture.labels, case.picture.labels)
    session.undo(name)
    assert opened(session, name).is_automatic
    assert not list((session.out / "cases" / name).glob("draft-*"))


def test_the_live_area_is_that_of_the_table_to_the_pixel(session, ten):
    name = session.items[2].case_id
    case = opened(session, name)
    assert case.picture.live().sides["left"].area_mm2 == pytest.approx(
        float(ten.row(name)["area_left_mm2"]), abs=5e-4
    )
    case.picture.labels[case.picture.slice_index, 10:13, 10:14] = 2
    live = case.picture.live().sides["right"].area_mm2
    session.correct(case)
    session.collator.collate()
    assert float(ten.row(name)["area_right_mm2"]) == pytest.approx(live, abs=5e-4)


def test_images_that_moved_are_found_and_those_gone_are_told(session, ten, tmp_path):
    moved = tmp_path / "moved"
    ten_images = find_images(ten.out)
    moved.symlink_to(ten.images)
    assert find_images(ten.out, moved).case_ids == ten_images.case_ids
    with pytest.raises(GlutsegError, match="images-not-found"):
        find_images(ten.out, tmp_path / "nowhere")
    one = find_images(ten.out, ten.images / "0001")
    with pytest.raises(GlutsegError, match="images-not-found"):
        one.series(session.items[5].result, session.protocol)


def test_memory_stays_bounded(ten, session):
    images = find_images(ten.out)
    reads = []
    cache = SeriesCache()
    read = cache.read
    cache.read = lambda series: reads.append(1) or read(series)
    series = {item.case_id: images.series(item.result, session.protocol) for item in session.items}
    one = cache.get(session.items[0].case_id, series[session.items[0].case_id])
    cache.max_bytes = 3 * one.hu.nbytes
    for name in series:
        cache.get(name, series[name])
    assert cache.n_bytes <= cache.max_bytes
    assert len(reads) == 10
    assert cache.holds(session.items[-1].case_id)
    assert not cache.holds(session.items[0].case_id)


def test_killed_in_the_middle_nothing_that_was_decided_is_lost(ten):
    script = textwrap.dedent(
        """
        import sys
        from pathlib import Path
        from glutseg.batch.images import find_images
        from glutseg.viewer.session import Session
        from glutseg.viewer.case_loader import CaseLoader

        session = Session(Path(sys.argv[1]), "anna")
        loader = CaseLoader(session, find_images(session.out))
        for number, item in enumerate(session.items):
            case = loader.load(item.case_id)
            case.picture.labels[case.picture.slice_index, 10, 10 : 10 + number + 1] = 1
            session.correct(case)
            print(item.case_id, flush=True)
        """
    )
    process = subprocess.Popen(
        [sys.executable, "-c", script, str(ten.out)], stdout=subprocess.PIPE, text=True, env=os.environ
    )
    told = [process.stdout.readline().strip() for _ in range(4)]
    process.send_signal(signal.SIGKILL)
    process.wait()
    review.Collator(ten.out).collate()
    image = opened(Session(ten.out, "ben"), told[0]).picture.image
    for name in told:
        row = ten.row(name)
        assert row["decision"] == "corrected"
        mask = review.read_mask(ten.out / row["mask"], image.stored)
        n_pixels = int((mask.stored_labels()[int(row["slice_index"])] == 1).sum())
        assert float(row["area_left_mm2"]) == pytest.approx(
            n_pixels * image.geometry.pixel_area_mm2, abs=5e-4
        )
    undecided = [row for row in ten.table() if row["case_id"] not in told]
    assert sum(row["decision"] == "corrected" for row in undecided) <= 1  # the one in hand


def test_images_of_a_run_with_pseudonyms_are_found_with_its_key_only(truth_rooms, tmp_path):
    folder = truth_rooms.write(tmp_path / "in")
    key, other = tmp_path / "k.key", tmp_path / "other.key"
    out = tmp_path / "out"
    batch.run(dicom.scan(folder), load_protocol(), None, out, pseudonyms=pseudonymiser(key, out))
    session = Session(out, "anna")
    (item,) = session.items
    assert CaseLoader(session, find_images(out, folder, key)).load(item.case_id).is_automatic
    with pytest.raises(GlutsegError, match="key-invalid"):
        find_images(out, folder, other)
    with pytest.raises(GlutsegError, match="images-not-found"):
        find_images(out)
    with pytest.raises(GlutsegError, match="images-not-found"):
        CaseLoader(session, find_images(out, folder)).load(item.case_id)


def test_without_a_display_the_command_says_so(ten, monkeypatch):
    pytest.importorskip("napari")
    monkeypatch.delenv("DISPLAY", raising=False)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    done = CliRunner().invoke(app, ["review", str(ten.out)])
    assert done.exit_code == 1
    assert "viewer-missing" in done.output
