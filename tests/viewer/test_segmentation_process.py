"""The process of the segmentation lives on: it knows the image, and no answer reaches another question."""

import multiprocessing
import threading
import time
from contextlib import closing

import numpy as np
import pytest
from slow_outliner import SlowOutliner

from glutseg.errors import GlutsegError
from glutseg.image import LEFT, CtImage, Geometry
from glutseg.protocol import LevelRule, load_protocol
from glutseg.viewer import segmentation_process
from glutseg.viewer.segmentation_process import SegmentationProcess

NOT_CANCELLED = threading.Event()


def an_image(column):
    """Twenty slices of water with one dense column."""
    hu = np.zeros((20, 8, 8), np.int16)
    hu[:, 4, column] = 50
    return CtImage(hu, Geometry(hu.shape, (3.0, 1.0, 1.0)))


def at(slice_index):
    rule = LevelRule(landmark="slice", slice_index=slice_index, profile_mm=3.0)
    return load_protocol().model_copy(update={"level": rule})


@pytest.fixture
def process():
    with closing(SegmentationProcess()) as made:
        yield made


def columns(found):
    return set(np.nonzero(found.labels == LEFT)[2].tolist())


def test_one_process_answers_all_questions(process):
    image = an_image(2)
    first = process.segment(image, at(5), SlowOutliner(), NOT_CANCELLED)
    pid = process._process.pid
    second = process.segment(image, at(9), SlowOutliner(), NOT_CANCELLED)
    assert process._process.pid == pid
    assert (first.slice_index, first.start, first.stop) == (5, 4, 7)
    assert (second.slice_index, second.start, second.stop) == (9, 8, 11)
    assert columns(first) == columns(second) == {2}


def test_another_image_is_outlined_on_its_own_pixels_and_the_file_before_is_gone(process, tmp_path):
    kept = []
    for column in (2, 5):
        found = process.segment(an_image(column), at(5), SlowOutliner(), NOT_CANCELLED)
        assert columns(found) == {column}
        kept.append(process._kept[1].file)
    assert [file.exists() for file in kept] == [False, True]
    process.close()
    assert not kept[1].parent.exists()


def test_what_is_cancelled_before_its_turn_starts_no_process(process):
    cancelled = threading.Event()
    cancelled.set()
    assert process.segment(an_image(2), at(5), SlowOutliner(), cancelled) is None
    process.find_hips(an_image(2), at(5), cancelled)
    assert process._process is None


def segment_and_cancel(process, outliner, after_s=0.2):
    cancelled = threading.Event()
    timer = threading.Timer(after_s, cancelled.set)
    timer.start()
    answer = process.segment(an_image(2), at(5), outliner, cancelled)
    timer.join()
    return answer


def test_an_answer_that_nobody_waits_for_is_not_that_to_the_next_question(process):
    process.segment(an_image(2), at(3), SlowOutliner(), NOT_CANCELLED)  # it is warm
    pid = process._process.pid
    assert segment_and_cancel(process, SlowOutliner(seconds=0.5)) is None
    assert process._process.pid == pid
    assert process.segment(an_image(2), at(9), SlowOutliner(), NOT_CANCELLED).slice_index == 9


def test_a_segmentation_that_does_not_end_is_killed(process, monkeypatch):
    monkeypatch.setattr(segmentation_process, "GRACE_S", 0.1)
    process.segment(an_image(2), at(3), SlowOutliner(), NOT_CANCELLED)
    start = time.monotonic()
    assert segment_and_cancel(process, SlowOutliner(seconds=60.0)) is None
    assert time.monotonic() - start < 30
    assert process.segment(an_image(2), at(9), SlowOutliner(), NOT_CANCELLED).slice_index == 9


def test_a_process_that_died_between_two_questions_is_replaced(process):
    image = an_image(2)
    process.segment(image, at(5), SlowOutliner(), NOT_CANCELLED)
    process._process.kill()
    process._process.join()
    assert process.segment(image, at(9), SlowOutliner(), NOT_CANCELLED).slice_index == 9


def test_a_process_that_dies_at_work_is_told_and_replaced(process):
    image = an_image(2)
    with pytest.raises(GlutsegError, match="worker-died"):
        process.segment(image, at(5), SlowOutliner(dies=True), NOT_CANCELLED)
    assert process.segment(image, at(9), SlowOutliner(), NOT_CANCELLED).slice_index == 9


def test_errors_come_back_and_the_process_lives_on(process):
    image = an_image(2)
    with pytest.raises(GlutsegError, match="level-outside"):
        process.segment(image, at(50), SlowOutliner(), NOT_CANCELLED)
    pid = process._process.pid
    process.find_hips(image, at(5), NOT_CANCELLED)  # there are none, which is left to who asks for outlines
    assert process.segment(image, at(5), SlowOutliner(), NOT_CANCELLED).slice_index == 5
    assert process._process.pid == pid


def test_closing_ends_what_is_running():
    process = SegmentationProcess()
    answers = []
    thread = threading.Thread(
        target=lambda: answers.append(
            process.segment(an_image(2), at(5), SlowOutliner(seconds=60.0), NOT_CANCELLED)
        )
    )
    thread.start()
    while process._process is None:
        time.sleep(0.01)
    running = process._process
    process.close()
    thread.join(timeout=30)
    assert not thread.is_alive()
    assert answers == [None]
    assert running not in multiprocessing.active_children()
    assert process.segment(an_image(2), at(5), SlowOutliner(), NOT_CANCELLED) is None
