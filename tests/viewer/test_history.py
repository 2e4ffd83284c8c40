"""One history for strokes, clicks and the level."""

import pytest

from glutseg.viewer.history import Change, History


@pytest.fixture
def clock():
    return [0.0]


@pytest.fixture
def history(clock):
    return History(lambda: clock[0])


def change(log, name, kind="labels"):
    return Change(kind, lambda: log.append(f"-{name}"), lambda: log.append(f"+{name}"))


def test_newest_first_and_again(history):
    log, told = [], []
    history.on_change(lambda: told.append((history.can_undo, history.can_redo)))
    history.record(change(log, "a"))
    history.record(change(log, "b", "clicks"))
    history.undo()
    history.undo()
    history.undo()
    history.redo()
    assert log == ["-b", "-a", "+a"]
    assert told[-1] == (True, True)
    history.record(change(log, "c"))
    assert not history.can_redo
    history.clear()
    assert told[-1] == (False, False)


def test_what_is_done_in_one_step_is_undone_in_reverse(history):
    log = []
    with history.one_step():
        history.record(change(log, "a"))
        with history.one_step():
            history.record(change(log, "b", "level"))
    with history.one_step():
        pass
    history.undo()
    assert log == ["-b", "-a"]
    history.redo()
    assert log == ["-b", "-a", "+a", "+b"]


def test_moves_of_the_level_within_a_second_are_one(history, clock):
    log = []
    for at, name in ((0.0, "1"), (0.9, "2"), (1.8, "3"), (3.0, "4")):
        clock[0] = at
        history.record(change(log, name, "level"))
    history.undo()
    history.undo()
    assert log == ["-4", "-1"]
    assert not history.can_undo
    history.redo()
    assert log[-1] == "+3"


def test_a_stroke_between_two_moves_keeps_them_apart(history):
    log = []
    for name, kind in (("1", "level"), ("s", "labels"), ("2", "level")):
        history.record(change(log, name, kind))
    history.undo()
    assert log == ["-2"]


def test_what_was_segmented_belongs_to_the_move(history):
    log = []
    history.record(change(log, "level", "level"))
    with history.part_of_last_move():
        history.record(change(log, "fill"))
    history.undo()
    assert log == ["-fill", "-level"]
    history.redo()
    history.record(change(log, "stroke"))
    with history.part_of_last_move():
        history.record(change(log, "late"))
    history.undo()
    assert log[-1] == "-late"
    history.undo()
    assert log[-1] == "-stroke"


def test_undoing_records_nothing(history):
    log = []
    history.record(Change("level", lambda: history.record(change(log, "x")), lambda: None))
    history.undo()
    assert not history.can_undo
    assert history.can_redo
