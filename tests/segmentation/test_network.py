"""The weights in the package: whole, checked, and the same answer every time."""

import hashlib
from pathlib import Path

import numpy as np
import onnxruntime
import pytest

import glutseg
from glutseg.errors import GlutsegError
from glutseg.segmentation import network as module
from glutseg.segmentation.network import (
    CLASSES,
    SHA256_SUFFIX,
    Network,
    chosen_weights,
    softmax,
)

SAMPLE = Path(__file__).parents[2] / "sample_dicom"
PLANES = (8, 160, 144)


@pytest.fixture(autouse=True)
def shipped_weights(monkeypatch):
    monkeypatch.delenv(module.WEIGHTS_VARIABLE, raising=False)


def copied(folder, change=lambda content: content):
    content = chosen_weights().read_bytes()
    weights = folder / "other.onnx"
    weights.write_bytes(change(content))
    weights.with_name(weights.name + SHA256_SUFFIX).write_text(
        hashlib.sha256(content).hexdigest() + "  other.onnx\n"
    )
    return weights


def test_the_shipped_weights_are_whole():
    assert Network(chosen_weights()).check() == hashlib.sha256(chosen_weights().read_bytes()).hexdigest()
    assert chosen_weights().stat().st_size < 10e6


def test_probabilities_are_probabilities_and_the_same_twice():
    hu = np.random.default_rng(0).normal(0, 60, PLANES).astype(np.float32)
    network = Network(chosen_weights())
    first = network.probabilities(hu)
    assert first.shape == (len(CLASSES), *PLANES)
    np.testing.assert_allclose(first.sum(0), 1, atol=1e-5)
    np.testing.assert_array_equal(first, network.probabilities(hu))


@pytest.mark.parametrize("hu", [-1024.0, 0.0, 3071.0, 1e30])
def test_constant_images_give_numbers(hu):
    assert np.isfinite(Network(chosen_weights()).probabilities(np.full(PLANES, hu, np.float32))).all()


def code_of(weights):
    with pytest.raises(GlutsegError) as error:
        Network(weights).check()
    assert weights.name in str(error.value)
    return error.value.code


def test_one_changed_byte_is_found(tmp_path):
    assert code_of(copied(tmp_path, lambda content: content[:-1] + bytes([content[-1] ^ 1]))) == (
        "network-damaged"
    )


def test_missing_weights_or_hash_are_named(tmp_path):
    assert code_of(tmp_path / "none.onnx") == "network-damaged"
    weights = copied(tmp_path)
    weights.with_name(weights.name + SHA256_SUFFIX).unlink()
    assert code_of(weights) == "network-damaged"


def test_a_library_that_cannot_load_ends_the_run_and_is_named(tmp_path, monkeypatch):
    def broken(*_, **__):
        raise RuntimeError("illegal instruction")

    monkeypatch.setattr(onnxruntime, "InferenceSession", broken)
    monkeypatch.setenv(module.WEIGHTS_VARIABLE, str(copied(tmp_path)))
    with pytest.raises(GlutsegError, match="illegal instruction") as error:
        glutseg.run_folder(SAMPLE, tmp_path / "out", jobs=0)
    assert error.value.code == "network-not-loaded"


def test_a_run_does_not_begin_without_the_network(tmp_path, monkeypatch):
    monkeypatch.setenv(module.WEIGHTS_VARIABLE, str(tmp_path / "none.onnx"))
    with pytest.raises(GlutsegError) as error:
        glutseg.run_folder(tmp_path, tmp_path / "out")
    assert error.value.code == "network-damaged"
    assert not (tmp_path / "out").exists()


def test_the_environment_names_other_weights(tmp_path, monkeypatch):
    monkeypatch.setenv(module.WEIGHTS_VARIABLE, str(tmp_path / "other.onnx"))
    assert chosen_weights() == tmp_path / "other.onnx"


def test_softmax_of_large_logits():
    out = softmax(np.array([1000.0, 0.0], np.float32))
    np.testing.assert_allclose(out, [1, 0])
