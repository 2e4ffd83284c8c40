"""What the pixels give away reaches the result of a study."""

from dataclasses import replace

import numpy as np
import pytest

from glutseg.case import measure_study
from glutseg.protocol import load_protocol
from stand_ins import use_truth


@pytest.fixture
def measure(stage, small_phantom, monkeypatch, tmp_path):
    """The result of the phantom with other voxels; hips, level and outlines are its truth."""

    def measured(hu):
        changed = replace(small_phantom, volume=replace(small_phantom.volume, hu=hu))
        use_truth(monkeypatch, [changed], lambda *_: 8)
        return measure_study(replace(stage, phantom=changed).study(tmp_path), load_protocol()).result

    return measured


def test_slices_of_one_patient_are_right(small_phantom, measure):
    result = measure(small_phantom.volume.hu)
    assert (result.status, [str(f) for f in result.all_flags]) == ("ok", [])


@pytest.mark.parametrize("first", [5, 8])
def test_slices_that_do_not_belong_together_ask_for_review(small_phantom, measure, first):
    """As if the patient had been moved by 4 cm: somebody else's differ more."""
    hu = small_phantom.volume.hu.copy()
    hu[first : first + 3] = np.roll(hu[first : first + 3], 9, axis=1)
    result = measure(hu)
    assert result.status == "review"
    assert "slices-discontinuous" in [f.code for f in result.flags]
