"""A tiny network is trained for seconds on a pelvis of boxes, exported, and gives the same again."""

import json
import math

import numpy as np
import pytest

pytest.importorskip("torch", reason="training needs PyTorch: pip install -e '.[training]'")
pytest.importorskip("onnx", reason="export needs onnx: pip install -e '.[training]'")

import torch

from training.chance import Chance
from training.evaluate import ExportedNetwork, dice, excess, figures, level_index, table
from training.export import export, load_checkpoint
from training.generator.resolution import filtered, pitch_matrix
from training.generator.scanner import scanned
from training.grid import Grid
from training.labels import AIR, FEMUR, IGNORED, MAXIMUS, MEDIUS, MINIMUS, class_of_code
from training.loss import segmentation_loss
from training.network import GlutealNetwork, windows
from training.settings import LossWeights, TrainingSettings
from training.train import Trainer, learning_rate, train
from training.volumes import load_volumes, on_grid

GRID = Grid((16, 48, 48), (-24.0, -28.8, -28.8))
CPU = torch.device("cpu")
STEPS = 12
SETTINGS = TrainingSettings(
    seconds=0.3, batch_size=1, slices=(16,), warm_up_steps=5, self_training_at=(0.0,), mean_decay=0.8
)


@pytest.fixture(autouse=True, scope="module")
def one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def boxes():
    """Codes of two sides of boxes: femur in the middle, maximus behind, minimus and medius lateral of it."""
    labels = np.zeros((60, 100, 220), np.uint8)
    labels[:, :5] = labels[:, -5:] = AIR
    for centre, outwards in ((165, 1), (55, -1)):
        for code, y, x in (
            (FEMUR, (-8, 8), (-8, 8)),
            (MAXIMUS, (12, 30), (-30, 30)),
            (MINIMUS, (-8, 8), (9, 15)),
            (MEDIUS, (-14, 11), (16, 28)),
        ):
            first, last = x if outwards > 0 else (1 - x[1], 1 - x[0])
            labels[5:55, 50 + y[0] : 50 + y[1], centre + first : centre + last] = code
    return labels


@pytest.fixture(scope="module")
def pelvis(tmp_path_factory):
    """A training file: patient A with map and CT, and B with CT alone."""
    labels, hu_of_code = boxes(), np.linspace(-1024, 1500, 256).astype(np.float32)
    kinds = [labels == 0, labels == FEMUR, labels == AIR]
    hu = np.select(kinds, [-100.0, 300.0, -1000.0], 50.0)
    hu += np.random.default_rng(0).normal(0, 10, hu.shape)
    ct = np.searchsorted(hu_of_code, hu).astype(np.uint8)
    box = {"origin_mm": [-110.0, -50.0, -45.0], "spacing_mm": [1.0, 1.0, 1.5]}
    boxes_of = {f"{what}_{key}": value for what in ("labels", "ct") for key, value in box.items()}
    heads = {"heads_mm": [[55.0, 0.0, 0.0], [-55.0, 0.0, 0.0]]}
    meta = {
        "A": {"patient": "A", "kind": "labelled"} | heads | boxes_of,
        "B": {"patient": "B", "kind": "unlabelled"} | heads | boxes_of,
    }
    path = tmp_path_factory.mktemp("pelvis") / "pelvis.npz"
    text = np.frombuffer(json.dumps(meta).encode(), np.uint8)
    np.savez(path, hu=hu_of_code, meta=text, A_labels=labels, A_ct=ct, B_ct=ct)
    return path


def loss_on_patient(trainer):
    """Of the mean weights on the unchanged CT."""
    volume = trainer.sampler.volumes[0]
    logits = trainer.probabilities(on_grid(volume, 0, GRID)).clamp(min=1e-6).log()
    codes = volume.labels_around(GRID.points_mm(CPU), 0, AIR)
    return float(segmentation_loss(logits[None], class_of_code(CPU)[codes.long()][None], LossWeights()))


@pytest.fixture(scope="module")
def trained(pelvis, tmp_path_factory):
    """A trainer after some steps, its folder, and its loss at first."""
    trainer = Trainer.create(SETTINGS, load_volumes(pelvis, CPU), CPU, GRID)
    before, out = loss_on_patient(trainer), tmp_path_factory.mktemp("trained")
    for step in range(STEPS):
        trainer.step(step / STEPS)
    train(trainer, out)
    return trainer, out, before


def test_it_learns_and_labels_the_unlabelled_ct(trained):
    trainer, _, before = trained
    assert loss_on_patient(trainer) < 0.8 * before
    assert trainer.steps > STEPS
    assert set(trainer.sampler.own_labels) == {("B", 0), ("B", 1)}
    codes = trainer.sampler.own_labels["B", 0]
    assert codes.shape == GRID.shape
    assert (codes[0] == IGNORED).all(), "the faces of the crop"


def test_the_exported_network_gives_what_the_checkpoint_gives(trained, tmp_path):
    _, out, _ = trained
    network = load_checkpoint(out / "checkpoint.pt")
    export(network, tmp_path / "network.onnx")
    hu = torch.randn(24, 32, 64) * 100
    with torch.no_grad():
        expected = network.eval()(windows(hu[None]))[0].numpy()
    found = ExportedNetwork(tmp_path / "network.onnx").logits(hu)
    assert found.shape == (6, 24, 32, 64), "another size than the one exported with"
    np.testing.assert_allclose(found, expected, atol=0.05)
    assert (tmp_path / "network.onnx").stat().st_size < 5_000_000


def test_figures_of_the_truth_itself_are_perfect(pelvis):
    volume = load_volumes(pelvis, CPU)[0]
    grid = Grid((32, 48, 48), (-24.0, -28.8, -28.8))

    class Oracle:
        def __init__(self):
            self.side = 0

        def logits(self, hu):
            codes = volume.labels_around(grid.points_mm(CPU), self.side, AIR)
            self.side += 1
            classes = class_of_code(CPU)[codes.long()].long()
            return torch.nn.functional.one_hot(classes, 6).movedim(-1, 0).numpy()

    rows = list(figures(Oracle(), volume, grid))
    assert len(rows) == 6
    assert all(row.dice == row.dice_at_level == 1 and row.area_error == row.volume_error == 0 for row in rows)
    assert table(rows).count("1.000 / 1.000") == 6


def test_the_level_is_common_to_both_sides(pelvis):
    volume = load_volumes(pelvis, CPU)[0]
    volume.heads_mm[:, 2] = torch.tensor([100.0, 112.0])
    levels = [level_index(volume, side, Grid()) for side in (0, 1)]
    heights_mm = [
        float(volume.heads_mm[side, 2]) + Grid().lower_corner_mm[0] + 3 * levels[side] for side in (0, 1)
    ]
    assert heights_mm == [130, 130]


def test_dice_and_excess():
    a, b = np.array([True, True, False, False]), np.array([True, False, False, False])
    assert dice(a, b) == pytest.approx(2 / 3)
    assert excess(a, b) == 1
    assert math.isnan(dice(~a & a, ~a & a))


def test_a_fold_sees_nothing_of_its_patient(pelvis):
    assert [volume.patient for volume in load_volumes(pelvis, CPU, ("A",))] == ["B"]
    with pytest.raises(ValueError, match="no volume of patient C"):
        load_volumes(pelvis, CPU, ("C",))


def test_the_right_side_is_the_mirror_image_of_the_left(pelvis):
    volume = load_volumes(pelvis, CPU)[0]
    left, right = (volume.labels_around(GRID.points_mm(CPU), side, AIR) for side in (0, 1))
    assert (left == right).float().mean() > 0.99


def test_samples_are_new_each_time_and_the_same_with_the_same_seed(pelvis):
    def batch(seed):
        sampler = Trainer.create(SETTINGS, load_volumes(pelvis, CPU), CPU, GRID).sampler
        sampler.chance = Chance(seed, CPU)
        return sampler.batch(2, 16)

    (hu, classes), (again, _), (other, _) = batch(3), batch(3), batch(4)
    assert hu.shape == classes.shape == (2, *GRID.shape)
    assert torch.equal(hu, again)
    assert not torch.equal(hu, other)
    assert not torch.equal(hu[0], hu[1])
    assert hu.isfinite().all()
    assert set(classes.unique().tolist()) <= {0, 1, 2, 3, 4, 5, IGNORED}


def test_a_coarse_grid_keeps_the_mean_and_loses_detail():
    matrix = pitch_matrix(40, 2.5, 0.7, CPU)
    torch.testing.assert_close(matrix.sum(1), torch.ones(40))
    stripes = torch.tensor([0.0, 100.0]).repeat(20).expand(8, 6, 40)
    coarse = filtered(stripes, None, None, matrix)
    assert coarse.shape == stripes.shape
    assert coarse[..., 5:-5].std() < 0.2 * stripes.std()
    assert coarse.mean() == pytest.approx(50, abs=3)


def test_the_scanner_asks_nothing_where_the_scan_ended():
    labels = torch.full(GRID.shape, MAXIMUS, dtype=torch.uint8)
    hu, ended = torch.full(GRID.shape, 50.0), 0
    for seed in range(20):
        image, seen = scanned(hu, labels, GRID, Chance(seed, CPU))
        unseen = (seen == IGNORED).all(-1).all(-1)
        ended += bool(unseen.any())
        assert (image[unseen] == -1024).all()
        assert (image >= -1024).all()
        assert (image <= 3071).all()
    assert 0 < ended < 20


def test_ignored_voxels_take_no_part_in_the_loss():
    torch.manual_seed(0)
    logits, classes = torch.randn(1, 6, 8, 16, 16), torch.randint(0, 6, (1, 8, 16, 16), dtype=torch.uint8)
    classes[:, :, 8:] = IGNORED
    changed = logits.clone()
    changed[:, :, :, 8:] += 5 * torch.randn(1, 6, 8, 8, 16)
    loss = segmentation_loss(logits, classes, LossWeights())
    torch.testing.assert_close(segmentation_loss(changed, classes, LossWeights()), loss)
    right = (
        torch.nn.functional.one_hot(torch.where(classes == IGNORED, 0, classes).long(), 6).movedim(-1, 1)
        * 20.0
    )
    assert segmentation_loss(right, classes, LossWeights()) < 0.01 < loss


def test_the_learning_rate_warms_up_and_falls():
    settings = TrainingSettings(peak_learning_rate=1.0, warm_up_steps=10, final_share_of_rate=0.1)
    assert learning_rate(settings, 0, 0.0) == pytest.approx(0.1)
    assert learning_rate(settings, 50, 0.0) == pytest.approx(1.0)
    assert learning_rate(settings, 50, 0.5) == pytest.approx(0.55)
    assert learning_rate(settings, 50, 1.0) == pytest.approx(0.1)


def test_the_auxiliary_head_works_at_half_the_depth_and_a_quarter_of_the_plane():
    with torch.no_grad():
        logits, coarse = GlutealNetwork().both(torch.zeros(1, 2, 16, 32, 48))
    assert logits.shape == (1, 6, 16, 32, 48)
    assert coarse.shape == (1, 6, 8, 8, 12)
