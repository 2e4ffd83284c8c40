"""Settings of one training run."""

from dataclasses import dataclass, field


@dataclass(frozen=True)
class SourceMix:
    """How often a sample comes from each kind of volume; kinds that are absent share nothing.

    Attributes
    ----------
    rendered
        Label maps rendered on the fly: every tissue, border and scanner is new.
    labelled
        Real CT with manual labels, changed.
    simulated
        CT rendered once by another programme, changed: its textures are not those of our own renderer.
    unlabelled
        Real CT with labels of the network's own making (self-training).
    """

    rendered: float = 0.46
    labelled: float = 0.24
    simulated: float = 0.10
    unlabelled: float = 0.20


@dataclass(frozen=True)
class LossWeights:
    """Weights of the six classes (background, maximus, medius, minimus, bone, other muscle), of borders."""

    cross_entropy: tuple[float, ...] = (1.0, 1.0, 1.2, 2.0, 0.7, 0.7)
    dice: tuple[float, ...] = (0.0, 1.0, 1.0, 1.2, 0.4, 0.4)
    maximus_border: float = 0.6
    minimus_border: float = 1.5
    auxiliary: float = 0.3


@dataclass(frozen=True)
class TrainingSettings:
    """One run: for how long, with what, how fast it learns.

    Attributes
    ----------
    seconds
        Time of the training loop; the learning rate follows its course.
    left_out
        Patients whose label map, CT and renderings are not touched, e.g. ``("002",)``.
    slices
        Numbers of slices of the samples; each batch draws one of them. Short crops are cheaper and teach the
        network to do without the rest of the body.
    self_training_at
        Shares of the time at which the unlabelled CT are labelled anew by the running mean of the weights.
    """

    seconds: float = 520.0
    left_out: tuple[str, ...] = ()
    seed: int = 1
    batch_size: int = 4
    slices: tuple[int, ...] = (96, 48)
    peak_learning_rate: float = 2.5e-3
    final_share_of_rate: float = 0.02
    warm_up_steps: int = 100
    weight_decay: float = 1e-3
    gradient_norm: float = 2.0
    mean_decay: float = 0.998
    self_training_at: tuple[float, ...] = (0.35, 0.55, 0.75)
    self_training_probability: float = 0.7
    save_every_seconds: float = 45.0
    mix: SourceMix = field(default_factory=SourceMix)
    loss: LossWeights = field(default_factory=LossWeights)
