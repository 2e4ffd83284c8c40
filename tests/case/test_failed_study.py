"""A study that fails keeps what was found of it until then, and says so where memory was too short."""

import pytest

from glutseg import anatomy, dicom
from glutseg.case import failed_result, measure_study
from glutseg.errors import GlutsegError
from glutseg.protocol import load_protocol

PROTOCOL = load_protocol()
N_BROKEN = 4


@pytest.fixture
def study(truth_rooms, tmp_path):
    """Some of its files end too early."""
    folder = truth_rooms.write(tmp_path)
    for path in sorted(folder.glob("*.dcm"))[:N_BROKEN]:
        path.write_bytes(path.read_bytes()[:-1000])
    (one,) = dicom.scan(folder).studies
    return one


def failing(error):
    def find_anatomy(*_, **__):
        raise error

    return find_anatomy


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (GlutsegError("hips-not-found", "none"), "hips-not-found"),
        (GlutsegError("network-not-loaded", "x"), None),
        (ZeroDivisionError(), "internal-error"),
        (MemoryError(), "memory-short"),
    ],
)
def test_it_keeps_the_flags_found_so_far(study, monkeypatch, error, code):
    monkeypatch.setattr(anatomy, "find_anatomy", failing(error))
    if code is None:
        with pytest.raises(GlutsegError, match="network-not-loaded"):
            measure_study(study, PROTOCOL)
        return
    result = measure_study(study, PROTOCOL).result
    assert (result.status, result.error_code, result.muscles) == ("failed", code, ())
    unreadable = [flag.message for flag in result.all_flags if flag.code == "file-unreadable"]
    assert len(unreadable) == 1
    assert unreadable[0].startswith(f"{N_BROKEN} of 16 slices")


@pytest.mark.parametrize(
    "error",
    [
        MemoryError(),
        RuntimeError("Exception thrown in SimpleITK: Failed to allocate memory for image."),
        RuntimeError("std::bad_alloc"),
        RuntimeError("can't start new thread"),
    ],
)
def test_memory_that_ran_out_is_named_with_what_the_study_needs(study, monkeypatch, error):
    monkeypatch.setattr(anatomy, "find_anatomy", failing(error))
    result = measure_study(study, PROTOCOL).result
    assert result.error_code == "memory-short"
    assert "16 slices of 96 x 96 pixels need about 0.3 GB" in result.error_message
    assert not result.traceback


def test_so_it_is_where_the_process_was_killed(study):
    result = failed_result(study, None, GlutsegError("memory-short", "its process was killed (SIGKILL)"))
    assert result.error_message.startswith("its process was killed (SIGKILL); 16 slices of")


def test_without_images_nobody_knows_how_much():
    empty = dicom.Study("1.2", "P", "", "", ())
    result = failed_result(empty, None, GlutsegError("memory-short", "killed"))
    assert result.error_message == "killed"
