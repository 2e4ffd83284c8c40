"""How well an exported network outlines patients that it never saw.

python -m training.evaluate pelves.npz training/folds/without_002.onnx --without 002

Runs the ONNX file with onnxruntime on one thread of the CPU, on the network's own grid (3 x 1.2 x 1.2 mm),
with the femoral heads of the file. Prints one line for each labelled CT and muscle: left and right.
"""

import argparse
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnxruntime
import torch
from numpy.typing import NDArray

from training.grid import SPACING_MM, Grid
from training.labels import AIR, CLASSES, class_of_code
from training.network import windows
from training.volumes import Volume, load_volumes, on_grid

LEVEL_MM = 24.0
"""The top of a femoral head is about this far above its centre: the slice that is measured by default."""
MUSCLES = (1, 2, 3)


@dataclass(frozen=True)
class Figures:
    """Of one muscle on one side; areas and volumes as a share of the truth, minus one."""

    volume: str
    muscle: str
    side: int
    dice_at_level: float
    dice: float
    area_error: float
    volume_error: float


class ExportedNetwork:
    """An ONNX file on one thread of the CPU."""

    def __init__(self, path: Path) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.enable_cpu_mem_arena = False
        self._session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])

    def logits(self, hu: torch.Tensor) -> NDArray[np.float32]:
        """Logits (6, z, y, x) of HU (z, y, x)."""
        (logits,) = self._session.run(None, {"x": windows(hu[None]).numpy()})
        return np.asarray(logits[0])


def figures(network: ExportedNetwork, volume: Volume, grid: Grid) -> Iterator[Figures]:
    """Figures of the three gluteal muscles on both sides of a labelled CT."""
    cpu = torch.device("cpu")
    points, classes = grid.points_mm(cpu), class_of_code(cpu)
    for side in (0, 1):
        level = level_index(volume, side, grid)
        found = network.logits(on_grid(volume, side, grid)).argmax(0)
        truth = classes[volume.labels_around(points, side, AIR).long()].numpy()
        for muscle in MUSCLES:
            mask, wanted = found == muscle, truth == muscle
            yield Figures(
                volume.name,
                CLASSES[muscle],
                side,
                dice(mask[level], wanted[level]),
                dice(mask, wanted),
                excess(mask[level], wanted[level]),
                excess(mask, wanted),
            )


def level_index(volume: Volume, side: int, grid: Grid) -> int:
    """Slice of one side's grid at the level common to both sides: by the mean height of the heads."""
    height_mm = volume.heads_mm[:, 2]
    above_own_head_mm = LEVEL_MM + float(height_mm.mean() - height_mm[side])
    return round((above_own_head_mm - grid.lower_corner_mm[0]) / SPACING_MM[0])


def dice(a: NDArray[np.bool_], b: NDArray[np.bool_]) -> float:
    """Dice of two masks; NaN where both are empty."""
    size = a.sum() + b.sum()
    return float(2 * (a & b).sum() / size) if size else float("nan")


def excess(found: NDArray[np.bool_], wanted: NDArray[np.bool_]) -> float:
    """By how much a mask is larger than the truth, as a share of it; NaN where there is none."""
    return float(found.sum() / wanted.sum() - 1) if wanted.any() else float("nan")


def table(rows: list[Figures]) -> str:
    """Markdown table, one row for each volume and muscle."""
    lines = [
        "| volume | muscle | Dice at level | whole | area at level | volume |",
        "|---|---|---|---|---|---|",
    ]
    for left in (row for row in rows if row.side == 0):
        right = next(r for r in rows if (r.volume, r.muscle, r.side) == (left.volume, left.muscle, 1))
        cells = (
            f"{left.dice_at_level:.3f} / {right.dice_at_level:.3f}",
            f"{left.dice:.3f} / {right.dice:.3f}",
            f"{left.area_error:+.1%} / {right.area_error:+.1%}",
            f"{left.volume_error:+.1%} / {right.volume_error:+.1%}",
        )
        lines.append(f"| {left.volume} | {left.muscle} | {' | '.join(cells)} |")
    return "\n".join(lines)


def main(arguments: list[str] | None = None) -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description="Figures of an exported network on patients it never saw.")
    parser.add_argument("volumes", type=Path, help="file of training.prepare")
    parser.add_argument("network", type=Path, help="ONNX file")
    parser.add_argument(
        "--without", nargs="+", required=True, metavar="PATIENT", help="patients it never saw"
    )
    options = parser.parse_args(arguments)
    network = ExportedNetwork(options.network)
    volumes = load_volumes(options.volumes, torch.device("cpu"))
    scored = [
        v for v in volumes if v.patient in options.without and v.ct is not None and v.labels is not None
    ]
    print(table([row for volume in scored for row in figures(network, volume, Grid())]))


if __name__ == "__main__":
    main()
