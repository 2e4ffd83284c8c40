"""Write a checkpoint as ONNX: batch norm folded, weights stored in half precision and computed in single.

python -m training.export OUT/checkpoint.pt gluteal_network.onnx
python -m training.export OUT/first.pt OUT/last.pt gluteal_network.onnx

Several checkpoints are averaged: sensible for the first and last weights of one run (Wortsman et al. 2022,
"Robust fine-tuning of zero-shot models").
"""

import argparse
from pathlib import Path

import numpy as np
import onnx
import torch
from onnx import TensorProto, helper, numpy_helper

from training.network import GlutealNetwork

OPSET = 17
SMALLEST_HALVED = 256
"""Elements; biases and shapes stay as they are."""


def export(network: GlutealNetwork, path: Path) -> None:
    """Write the network; input ``x`` (1, 2, z, h, w), output ``y`` (1, 6, z, h, w)."""
    network.eval()
    axes = {name: {2: "z", 3: "h", 4: "w"} for name in "xy"}
    torch.onnx.export(
        network,
        (torch.zeros(1, 2, 16, 32, 32),),
        str(path),
        opset_version=OPSET,
        dynamo=False,  # the older exporter folds batch norm and needs no further package
        input_names=["x"],
        output_names=["y"],
        dynamic_axes=axes,
    )
    model = onnx.load(path)
    _store_in_half_precision(model.graph)
    onnx.checker.check_model(model)
    onnx.save(model, path)


def _store_in_half_precision(graph: onnx.GraphProto) -> None:
    """Large weights as fp16 with a cast before their use."""
    kept, casts = [], []
    for tensor in graph.initializer:
        values = numpy_helper.to_array(tensor)
        if values.dtype == np.float32 and values.size > SMALLEST_HALVED:
            kept.append(numpy_helper.from_array(values.astype(np.float16), f"{tensor.name}_half"))
            casts.append(
                helper.make_node("Cast", [f"{tensor.name}_half"], [tensor.name], to=TensorProto.FLOAT)
            )
        else:
            kept.append(tensor)
    nodes = list(graph.node)
    del graph.initializer[:], graph.node[:]
    graph.initializer.extend(kept)
    graph.node.extend([*casts, *nodes])


def load_checkpoint(path: Path, *more: Path) -> GlutealNetwork:
    """The network of a checkpoint of ``training.train``, or of the mean of several."""
    states = [torch.load(p, map_location="cpu", weights_only=True) for p in (path, *more)]
    network = GlutealNetwork()
    network.load_state_dict(
        {
            name: torch.stack([state[name].float() for state in states]).mean(0)
            if value.is_floating_point()
            else value
            for name, value in states[0].items()
        }
    )
    return network


def main(arguments: list[str] | None = None) -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description="Write a checkpoint as ONNX.")
    parser.add_argument("checkpoints", type=Path, nargs="+")
    parser.add_argument("onnx", type=Path)
    options = parser.parse_args(arguments)
    export(load_checkpoint(*options.checkpoints), options.onnx)


if __name__ == "__main__":
    main()
