"""Weights in nnU-Net's own format, made by hand: a network that knows the muscles by their brightness.

Everything of TotalSegmentator and nnU-Net then runs as it does with the true weights, which cannot be had
without the network: checks, cropping, resampling, its processes, the network itself, and the way back.
"""

from __future__ import annotations

import json
from pathlib import Path

CODE_HU = {"left": 1000, "right": -1000}
"""Of the gluteus maximus in images made for these weights; everything else is 0."""
SPACING_MM = {291: 1.5, 292: 1.5, 293: 1.5, 294: 1.5, 295: 1.5, 298: 6.0}
PATCH = [32, 32, 32]
ARCHITECTURE = {
    "network_class_name": "dynamic_network_architectures.architectures.unet.PlainConvUNet",
    "arch_kwargs": {
        "n_stages": 2,
        "features_per_stage": [1, 1],
        "conv_op": "torch.nn.modules.conv.Conv3d",
        "kernel_sizes": [[1, 1, 1], [1, 1, 1]],
        "strides": [[1, 1, 1], [2, 2, 2]],
        "n_conv_per_stage": [1, 1],
        "n_conv_per_stage_decoder": [1],
        "conv_bias": True,
        "norm_op": None,
        "norm_op_kwargs": {},
        "dropout_op": None,
        "dropout_op_kwargs": None,
        "nonlin": None,
        "nonlin_kwargs": None,
    },
    "_kw_requires_import": ["conv_op"],
}


def make_weights(folder: Path) -> Path:
    """The weights that task ``total`` looks for."""
    from totalsegmentator.map_tasks_config import TASK_CONFIGS, TASK_ID_WEIGHTS_CONFIGS
    from totalsegmentator.map_to_binary import class_map, class_map_5_parts, map_taskid_to_partname_ct

    modes = TASK_CONFIGS["total"]["sub_modes"]
    for task, spacing_mm in SPACING_MM.items():
        trainer = modes["fastest" if task == 298 else "default"]["trainer"]
        names = class_map["total"] if task == 298 else class_map_5_parts[map_taskid_to_partname_ct[task]]
        model = folder / TASK_ID_WEIGHTS_CONFIGS[task]["foldername"] / f"{trainer}__nnUNetPlans__3d_fullres"
        _write_model(model, trainer, {name: number for number, name in names.items()}, spacing_mm)
    return folder


def _write_model(folder: Path, trainer: str, labels: dict[str, int], spacing_mm: float) -> None:
    import torch

    (folder / "fold_0").mkdir(parents=True)
    dataset = {
        "channel_names": {"0": "CT"},
        "labels": {"background": 0, **labels},
        "file_ending": ".nii.gz",
        "numTraining": 1,
    }
    (folder / "dataset.json").write_text(json.dumps(dataset))
    (folder / "plans.json").write_text(json.dumps(_plans(folder.parent.name, spacing_mm)))
    checkpoint = {
        "network_weights": _network_weights(labels),
        "trainer_name": trainer,
        "init_args": {"configuration": "3d_fullres"},
        "inference_allowed_mirroring_axes": None,
    }
    torch.save(checkpoint, folder / "fold_0" / "checkpoint_final.pth")


def _plans(dataset: str, spacing_mm: float) -> dict:
    how = {"is_seg": False, "order": 3, "order_z": 0, "force_separate_z": None}
    resample = "resample_data_or_seg_to_shape"
    return {
        "dataset_name": dataset,
        "plans_name": "nnUNetPlans",
        "transpose_forward": [0, 1, 2],
        "transpose_backward": [0, 1, 2],
        "image_reader_writer": "SimpleITKIO",
        "label_manager": "LabelManager",
        "foreground_intensity_properties_per_channel": {
            "0": {"mean": 0.0, "std": 200.0, "percentile_00_5": -1000.0, "percentile_99_5": 1000.0}
        },
        "configurations": {
            "3d_fullres": {
                "data_identifier": "x",
                "preprocessor_name": "DefaultPreprocessor",
                "batch_size": 1,
                "patch_size": PATCH,
                "spacing": [spacing_mm] * 3,
                "normalization_schemes": ["CTNormalization"],
                "use_mask_for_norm": [False],
                "resampling_fn_data": resample,
                "resampling_fn_data_kwargs": how,
                "resampling_fn_seg": resample,
                "resampling_fn_seg_kwargs": {**how, "is_seg": True, "order": 1},
                "resampling_fn_probabilities": resample,
                "resampling_fn_probabilities_kwargs": {**how, "order": 1},
                "architecture": ARCHITECTURE,
                "batch_dice": True,
            }
        },
    }


def _network_weights(labels: dict[str, int]) -> dict:
    """A straight line from brightness to the two labels, along the network's outermost connection."""
    from dynamic_network_architectures.architectures.unet import PlainConvUNet
    from torch.nn import Conv3d

    kwargs = {**ARCHITECTURE["arch_kwargs"], "conv_op": Conv3d}
    network = PlainConvUNet(input_channels=1, num_classes=len(labels) + 1, deep_supervision=False, **kwargs)
    weights = {name: value.detach().zero_() for name, value in network.state_dict().items()}
    for name, value in weights.items():
        if name.startswith("encoder.stages.0.") and name.endswith(".weight"):
            value[:] = 1
        if "decoder.stages" in name and name.endswith(".weight"):
            value[:, -1] = 1  # what came from the encoder stands after what came from below
    heads, bias = weights["decoder.seg_layers.0.weight"], weights["decoder.seg_layers.0.bias"]
    bias[1:] = -50.0
    for side, hu in CODE_HU.items():
        if f"gluteus_maximus_{side}" in labels:
            number = labels[f"gluteus_maximus_{side}"]
            heads[number, 0] = 1.0 if hu > 0 else -1.0
            bias[number] = -2.5
    return weights
