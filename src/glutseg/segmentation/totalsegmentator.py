"""TotalSegmentator's outlines, where it is installed with its weights; it never gets to the network.

What its version 2.18.0 does by itself is met here: weights that are not there are downloaded
(``totalsegmentator.libs.download_pretrained_weights``), so they are looked for first; every call is asked to
a server unless its ``config.json`` says no (``totalsegmentator.config.send_usage_stats``), so it is given a
folder of its own with one that does; and it prints. docs/interoperability.md tells how it was tried.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import re
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from glutseg.errors import Flag, GlutsegError, require_extra
from glutseg.image import LABELS, SIDES, CtImage, Geometry, LabelArray, Mask
from glutseg.protocol import Protocol
from glutseg.result import Level
from glutseg.segmentation.outlines import Outlines
from glutseg.version import installed_version

if TYPE_CHECKING:
    from glutseg.anatomy import Anatomy

NAME = "totalsegmentator"
TASK = "total"
ROUGH_TASK_ID = 298
"""The model of 6 mm by which TotalSegmentator crops to the muscles asked for (``python_api``, 2.18.0)."""
HALF_PATCH_MM = 96.0
"""Half of the 128 voxels of 1.5 mm that its network looks at (nnU-Net's patch): less would blind it."""
DEVICES = re.compile(r"cpu|mps|gpu(:\d{1,3})?")
AFFINE_TOLERANCE_MM = 1e-3
NOWHERE = "http://127.0.0.1:9"
"""A proxy that nobody is: what would use the network fails at once (port 9 is discard's)."""
LIBRARIES = {"version": "TotalSegmentator", "nnunetv2": "nnunetv2", "torch": "torch"}


@dataclass(frozen=True)
class TotalSegmentator:
    """An outliner (`glutseg.segmentation.Outliner`): TotalSegmentator's task ``total`` at 1.5 mm.

    Attributes
    ----------
    device : ``gpu`` (which falls back to the processor), ``gpu:N``, ``cpu`` or ``mps``
    """

    device: str = "gpu"

    name = NAME
    needs_hips = True
    hips_context_mm = 0.0
    slices_context_mm = HALF_PATCH_MM
    has_processes = True

    def __post_init__(self) -> None:
        if not DEVICES.fullmatch(self.device):
            raise GlutsegError("outliner-unknown", f"no device {self.device!r}; cpu, gpu, gpu:N or mps")

    def record(self) -> dict[str, str]:
        """Task and versions: what its outlines depend on, besides the device's rounding."""
        return {"name": self.name, "task": TASK} | {
            key: installed_version(name) for key, name in LIBRARIES.items()
        }

    def check(self) -> None:
        """Refuse to begin without the package or its weights.

        Raises
        ------
        GlutsegError
            ``extra-missing``, ``weights-missing``.
        """
        require_extra(NAME, NAME)
        folder, needed = _weights()
        lacking = [name for name in needed if not (folder / name).is_dir()]
        if lacking:
            raise GlutsegError(
                "weights-missing", f"{len(lacking)} of {len(needed)} are not there", str(folder)
            )

    def outline(self, image: CtImage, anatomy: Anatomy | None, level: Level, protocol: Protocol) -> Outlines:
        """TotalSegmentator's outlines around the level, or of whole muscles; there is no expected error.

        Parameters
        ----------
        image : axial; the network is shown its part around the hips

        Raises
        ------
        GlutsegError
            ``weights-missing``, ``outliner-failed``, ``mask-sides-contradicted``.
        """
        self.check()
        if anatomy is None:
            msg = "TotalSegmentator is shown the surroundings of the hips, which are not known"
            raise ValueError(msg)
        muscles = protocol.extent.muscles
        wanted = image.geometry.slices_around(level.slice_index, protocol.level.profile_mm)
        if protocol.extent.whole_muscle:
            from glutseg.segmentation.gluteus import whole_range

            wanted = whole_range(image, anatomy)
        slab = _slab(image.geometry, wanted)
        names = {
            f"gluteus_{muscle}_{side}": label for muscle in muscles for side, label in LABELS[muscle].items()
        }
        numbers = self._predict(image.crop((slab, slice(None), slice(None))), tuple(names))
        labels = np.zeros(image.geometry.shape, np.uint8)
        for name, values in numbers.items():
            labels[slab][values] = names[name]
        labels[: wanted.start] = labels[wanted.stop :] = 0
        _check_sides(labels)
        detail = f"TotalSegmentator {installed_version('TotalSegmentator')}, task {TASK}"
        return Outlines(Mask.on(image, labels), flags=(Flag("other-outliner", detail),))

    def _predict(self, volume: CtImage, names: tuple[str, ...]) -> dict[str, Any]:
        """(z, y, x) bool of every name, on the grid of a canonical volume.

        The image has the grid's spacing and canonical order, and neither place nor obliqueness: the network
        sees voxels only, and ITK within nnU-Net refuses sheared grids.
        """
        import nibabel

        affine = np.diag(
            [
                -volume.geometry.spacing_mm[2],
                -volume.geometry.spacing_mm[1],
                volume.geometry.spacing_mm[0],
                1.0,
            ]
        )
        image = nibabel.Nifti1Image(np.ascontiguousarray(volume.hu.transpose()), affine)
        try:
            with _apart(_weights()[0]), contextlib.redirect_stdout(io.StringIO()):
                from totalsegmentator.map_to_binary import class_map
                from totalsegmentator.python_api import totalsegmentator

                found = totalsegmentator(
                    image,
                    None,
                    ml=True,
                    task=TASK,
                    roi_subset=list(names),
                    device=self.device,
                    quiet=True,
                    nr_thr_saving=1,
                )
            values = np.asanyarray(found.dataobj)
        except (Exception, SystemExit) as error:  # whatever it raises, or ends with, is this study's failure
            detail = f"{type(error).__name__}: {str(error)[:200]}"
            raise GlutsegError("outliner-failed", detail) from error
        if values.shape != image.shape or np.abs(found.affine - affine).max() > AFFINE_TOLERANCE_MM:
            raise GlutsegError("outliner-failed", "its answer is on another grid than the question")
        of_name = {name: number for number, name in class_map[TASK].items()}
        return {name: (values == of_name[name]).transpose() for name in names}


def _slab(g: Geometry, slices: range) -> slice:
    """The slices that the network is shown: a cube of its size around every one of ``slices``."""
    more = int(np.ceil(HALF_PATCH_MM / g.spacing_mm[0]))
    return slice(max(0, slices.start - more), min(g.shape[0], slices.stop + more))


def _check_sides(labels: LabelArray) -> None:
    """In canonical order columns grow to the patient's left, so left has the larger index."""
    x = {side: np.flatnonzero((labels == label).any(axis=(0, 1))) for side, label in SIDES.items()}
    if all(len(columns) for columns in x.values()) and x["left"].mean() < x["right"].mean():
        raise GlutsegError("mask-sides-contradicted", "what TotalSegmentator calls left lies to the right")


def _weights() -> tuple[Path, tuple[str, ...]]:
    """The folder of the weights, and those in it without which TotalSegmentator would begin a download."""
    try:
        from totalsegmentator.config import get_weights_dir
        from totalsegmentator.map_tasks_config import TASK_CONFIGS, TASK_ID_WEIGHTS_CONFIGS

        ids = (*TASK_CONFIGS[TASK]["sub_modes"]["default"]["task_id"], ROUGH_TASK_ID)
        return Path(get_weights_dir()), tuple(TASK_ID_WEIGHTS_CONFIGS[k]["foldername"] for k in ids)
    except (
        ImportError,
        OSError,
        LookupError,
        TypeError,
    ) as error:  # OSError: a library that cannot be loaded
        found = installed_version(LIBRARIES["version"])
        detail = f"TotalSegmentator {found} cannot be used: {type(error).__name__}: {error}"
        raise GlutsegError("extra-missing", detail[:300]) from error


@contextlib.contextmanager
def _apart(weights: Path) -> Iterator[None]:
    """Surroundings with its weights, a configuration that forbids statistics, and no network."""
    with tempfile.TemporaryDirectory(prefix="glutseg-") as home:
        configuration = {"totalseg_id": "", "send_usage_stats": False, "prediction_counter": 0}
        configuration["statistics_disclaimer_shown"] = True
        (Path(home) / "config.json").write_text(json.dumps(configuration), encoding="utf-8")
        proxies = {
            name: NOWHERE for one in ("http_proxy", "https_proxy", "all_proxy") for name in (one, one.upper())
        }
        with _environment(
            {
                "TOTALSEG_HOME_DIR": home,
                "TOTALSEG_WEIGHTS_PATH": str(weights),
                **proxies,
                "no_proxy": "",
                "NO_PROXY": "",
            }
        ):
            yield


@contextlib.contextmanager
def _environment(values: Mapping[str, str]) -> Iterator[None]:
    """Variables of this process and those it starts; afterwards all are as before, also what others added."""
    before = dict(os.environ)
    os.environ.update(values)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)
