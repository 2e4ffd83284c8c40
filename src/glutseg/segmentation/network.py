"""The learned prior: a small 3D U-Net that says for every voxel how likely each tissue is there.

Its weights lie in the package and are checked by their hash; it runs on one thread and needs neither PyTorch
nor a connection. `training/` holds what made them.
"""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from glutseg.errors import GlutsegError

CLASSES = ("background", "maximus", "medius", "minimus", "bone", "other muscle")
"""Along the first axis of the probabilities."""
SHA256_SUFFIX = ".sha256"
"""Beside the weights lies a file with their hash."""
_WINDOWS_HU = ((0.0, 100.0, -1.6, 1.6), (200.0, 400.0, -1.6, 2.5))
"""Middle, width and limits of the two channels that the network was trained with."""

FloatArray = npt.NDArray[np.float32]


WEIGHTS_VARIABLE = "GLUTSEG_WEIGHTS"
"""Environment variable that names other weights: for figures on a patient that the shipped ones have seen."""


def chosen_weights() -> Path:
    """The weights that come with glutseg, unless the environment names others."""
    other = os.environ.get(WEIGHTS_VARIABLE)
    return (
        Path(other)
        if other
        else Path(str(resources.files("glutseg.segmentation") / "weights" / "gluteal_network.onnx"))
    )


@dataclass(frozen=True)
class Network:
    """A network by its file; it travels to workers, which load it when they need it."""

    weights: Path

    def check(self) -> str:
        """The hash of its weights; the library that runs it is loaded where it runs.

        Raises
        ------
        GlutsegError
            ``network-damaged`` for weights that are missing or not what they were.
        """
        return _checked(self.weights)[1]

    def probabilities(self, hu: FloatArray, planes: slice = slice(None)) -> FloatArray:
        """Of every class in `CLASSES`, (class, plane, row, column), from HU on the network's grid.

        Parameters
        ----------
        hu : (plane, row, column) of one side (`SideGrid`); a multiple of eight planes
        planes : those wanted; the others are context

        Raises
        ------
        GlutsegError
            ``network-damaged``; ``network-not-loaded`` where onnxruntime cannot be loaded or refuses the
            weights.
        """
        session = _load(self.weights)
        channels = [np.clip((hu - middle) / width, low, high) for middle, width, low, high in _WINDOWS_HU]
        (logits,) = session.run(None, {"x": np.stack(channels)[None].astype(np.float32)})
        return softmax(np.asarray(logits[0, :, planes], dtype=np.float32))


def softmax(logits: FloatArray) -> FloatArray:
    """Probabilities along the first axis."""
    odds: FloatArray = logits - logits.max(0)
    np.exp(odds, out=odds)
    odds /= odds.sum(0)
    return odds


@lru_cache(maxsize=2)
def _load(weights: Path) -> Any:
    """A session of onnxruntime."""
    content, _ = _checked(weights)
    try:
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = (
            1  # the same sums on any machine's cores
        )
        options.enable_cpu_mem_arena = False  # 180 MB less at its peak
        session = onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # onnxruntime and the loader of its library raise errors of many kinds
        raise GlutsegError("network-not-loaded", str(error)[:300], weights.name) from error
    return session


def _checked(weights: Path) -> tuple[bytes, str]:
    try:
        content = weights.read_bytes()
        expected = weights.with_name(weights.name + SHA256_SUFFIX).read_text("ascii").split()[0]
    except (OSError, IndexError, UnicodeDecodeError) as error:
        raise GlutsegError("network-damaged", f"cannot be read: {error}", weights.name) from error
    sha256 = hashlib.sha256(content).hexdigest()
    if sha256 != expected:
        detail = f"SHA-256 {sha256[:12]}..., expected {expected[:12]}..."
        raise GlutsegError("network-damaged", detail, weights.name)
    return content, sha256
