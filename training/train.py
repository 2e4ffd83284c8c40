"""Train the network.

python -m training.train pelves.npz OUT --seconds 520
python -m training.train pelves.npz OUT --seconds 520 --without 002

Writes ``checkpoint.pt`` (running mean of the weights, half precision) now and then and at the end, and
``log.txt``.
"""

import argparse
import logging
import math
import time
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from torch import Tensor
from torch.optim import AdamW

from training.chance import Chance
from training.grid import Grid
from training.labels import class_of_code
from training.loss import segmentation_loss
from training.network import GlutealNetwork, windows
from training.sampling import Sampler
from training.self_training import own_labels
from training.settings import TrainingSettings
from training.volumes import Volume, load_volumes, on_grid

log = logging.getLogger("training")


@dataclass
class Trainer:
    """A network, the running mean of its weights, and what they learn from."""

    settings: TrainingSettings
    sampler: Sampler
    network: GlutealNetwork
    mean: GlutealNetwork
    optimiser: AdamW
    steps: int = 0

    @classmethod
    def create(
        cls, settings: TrainingSettings, volumes: list[Volume], device: torch.device, grid: Grid
    ) -> "Trainer":
        """A trainer with fresh weights."""
        torch.manual_seed(settings.seed)
        network, mean = (GlutealNetwork().to(device, memory_format=torch.channels_last_3d) for _ in range(2))
        mean.load_state_dict(network.state_dict())
        optimiser = AdamW(
            network.parameters(),
            lr=settings.peak_learning_rate,
            weight_decay=settings.weight_decay,
            betas=(0.9, 0.99),
            fused=device.type == "cuda",
        )
        sampler = Sampler(volumes, settings.mix, Chance(settings.seed, device), grid)
        return cls(settings, sampler, network, mean, optimiser)

    @property
    def device(self) -> torch.device:
        """Where the network is."""
        return self.sampler.chance.device

    def start_from(self, checkpoint: Path) -> None:
        """Weights of an earlier run. A fold must not start from a run that saw its patient."""
        state = torch.load(checkpoint, map_location=self.device, weights_only=True)
        for network in (self.network, self.mean):
            network.load_state_dict(state)

    def step(self, progress: float) -> Tensor:
        """One batch; the loss, not yet waited for. ``progress`` runs from 0 to 1."""
        settings = self.settings
        for group in self.optimiser.param_groups:
            group["lr"] = learning_rate(settings, self.steps, progress)
        slices = settings.slices[self.sampler.chance.integer(0, len(settings.slices))]
        with torch.no_grad():
            hu, classes = self.sampler.batch(settings.batch_size, slices)
        with torch.autocast(self.device.type, dtype=torch.bfloat16, enabled=self.device.type == "cuda"):
            logits, coarse = self.network.both(windows(hu).to(memory_format=torch.channels_last_3d))
        loss = segmentation_loss(logits, classes, settings.loss)
        loss = loss + settings.loss.auxiliary * segmentation_loss(
            coarse, classes[:, ::2, ::4, ::4], settings.loss
        )
        self.optimiser.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.network.parameters(), settings.gradient_norm)
        self.optimiser.step()
        self._update_mean()
        self.steps += 1
        return loss.detach()

    def _update_mean(self) -> None:
        """The mean forgets slowly, and fast in the beginning."""
        keep = min(self.settings.mean_decay, (1 + self.steps) / (20 + self.steps))
        mean, new = self.mean.state_dict(), self.network.state_dict()
        names = [name for name, value in mean.items() if value.is_floating_point()]
        with torch.no_grad():
            torch._foreach_lerp_([mean[n] for n in names], [new[n] for n in names], 1 - keep)

    def probabilities(self, hu: Tensor) -> Tensor:
        """Of the six classes (6, z, y, x), by the mean weights, from HU (z, y, x)."""
        self.mean.eval()
        with (
            torch.no_grad(),
            torch.autocast(self.device.type, dtype=torch.bfloat16, enabled=self.device.type == "cuda"),
        ):
            logits = self.mean(windows(hu[None]).to(memory_format=torch.channels_last_3d))
        return logits[0].float().softmax(0)

    def label_unlabelled(self) -> None:
        """Label the unlabelled CT anew."""
        for volume in self.sampler.volumes:
            if volume.kind == "unlabelled":
                least = self.settings.self_training_probability
                self.sampler.own_labels.update(
                    own_labels(self.probabilities, volume, self.sampler.grid, least)
                )

    def training_dice(self) -> dict[str, list[float]]:
        """Dice of maximus, medius and minimus over both sides of every labelled CT that was trained on."""
        scored = [v for v in self.sampler.volumes if v.ct is not None and v.labels is not None]
        return {volume.name: _dice_of(volume, self) for volume in scored}

    def save(self, path: Path) -> None:
        """Write the mean weights in half precision; a reader never meets half a file."""
        state = {k: v.half() if v.is_floating_point() else v for k, v in self.mean.state_dict().items()}
        part = path.with_suffix(".part")
        torch.save(state, part)
        part.replace(path)


def _dice_of(volume: Volume, trainer: Trainer) -> list[float]:
    grid = trainer.sampler.grid
    overlap, size = torch.zeros(3), torch.zeros(3)
    for side in (0, 1):
        found = trainer.probabilities(on_grid(volume, side, grid)).argmax(0)
        truth = class_of_code(found.device)[
            volume.labels_around(grid.points_mm(found.device), side, 0).long()
        ]
        for n in range(3):
            a, b = found == n + 1, truth == n + 1
            overlap[n] += (a & b).sum().cpu()
            size[n] += (a.sum() + b.sum()).cpu()
    return [round(float(d), 3) for d in 2 * overlap / size.clamp(min=1)]


def learning_rate(settings: TrainingSettings, step: int, progress: float) -> float:
    """Linear warm-up, then half a cosine over the time of the run."""
    warm_up = min(1.0, (step + 1) / settings.warm_up_steps)
    cosine = 0.5 * (1 + math.cos(math.pi * min(1.0, progress)))
    low = settings.final_share_of_rate
    return settings.peak_learning_rate * warm_up * (low + (1 - low) * cosine)


def train(trainer: Trainer, out: Path) -> None:
    """Train for the time of the settings; checkpoints and the log go to ``out``."""
    settings, started = trainer.settings, time.monotonic()
    to_label, next_save, losses = list(settings.self_training_at), settings.save_every_seconds, []
    while (elapsed := time.monotonic() - started) < settings.seconds:
        progress = elapsed / settings.seconds
        if to_label and progress >= to_label[0]:
            to_label.pop(0)
            trainer.label_unlabelled()
            log.info("%.0f s: labelled the unlabelled CT", elapsed)
        losses.append(trainer.step(progress))
        if elapsed > next_save:
            next_save += settings.save_every_seconds
            trainer.save(out / "checkpoint.pt")
            log.info("%.0f s: step %d, loss %.3f", elapsed, trainer.steps, float(torch.stack(losses).mean()))
            losses = []
    trainer.save(out / "checkpoint.pt")
    log.info("%d steps, Dice on patients trained on %s", trainer.steps, trainer.training_dice())


def main(arguments: list[str] | None = None) -> None:
    """Command line."""
    defaults = TrainingSettings()
    parser = argparse.ArgumentParser(description="Train the gluteal network.")
    parser.add_argument("volumes", type=Path, help="file of training.prepare")
    parser.add_argument("out", type=Path, help="folder of the checkpoint and the log")
    parser.add_argument("--seconds", type=float, default=defaults.seconds)
    parser.add_argument("--without", nargs="*", default=(), metavar="PATIENT", help="patients left out")
    parser.add_argument("--start", type=Path, help="checkpoint of an earlier run to start from")
    parser.add_argument("--rate", type=float, default=defaults.peak_learning_rate, help="peak learning rate")
    parser.add_argument("--label-at", type=float, nargs="*", default=defaults.self_training_at)
    parser.add_argument("--seed", type=int, default=defaults.seed)
    options = parser.parse_args(arguments)
    options.out.mkdir(parents=True, exist_ok=True)
    logging.basicConfig(
        level=logging.INFO, format="%(message)s", filename=options.out / "log.txt", filemode="w"
    )
    settings = replace(
        defaults,
        seconds=options.seconds,
        left_out=tuple(options.without),
        peak_learning_rate=options.rate,
        self_training_at=tuple(options.label_at),
        seed=options.seed,
    )
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    torch.backends.cudnn.benchmark = True
    trainer = Trainer.create(
        settings, load_volumes(options.volumes, device, settings.left_out), device, Grid()
    )
    if options.start:
        trainer.start_from(options.start)
    log.info("on %s: %s", device, settings)
    train(trainer, options.out)


if __name__ == "__main__":
    main()
