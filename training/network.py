"""The network: a small 3D U-Net from two HU windows to the logits of six classes.

Its finest level works at 3 x 2.4 x 2.4 mm (a 4 x 4 stem with stride 2 in the plane), which makes it cheap;
the head returns to 1.2 mm by pixel shuffle. Skips are added, not concatenated, for the same reason. Batch
norm is folded into the convolutions at export.
"""

from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn

from training.labels import CLASSES

CHANNELS = (24, 48, 96, 128)
ENCODER_DEPTH = (1, 2, 2, 2)
DECODER_DEPTH = (2, 2, 2)


def _block(
    inputs: int, outputs: int, kernel: Sequence[int], stride: Sequence[int], padding: Sequence[int]
) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv3d(inputs, outputs, tuple(kernel), tuple(stride), tuple(padding), bias=False),
        nn.BatchNorm3d(outputs, momentum=0.05),
        nn.ReLU(inplace=True),
    )


def _blocks(count: int, channels: int) -> nn.Sequential:
    return nn.Sequential(*[_block(channels, channels, (3, 3, 3), (1, 1, 1), (1, 1, 1)) for _ in range(count)])


def _doubled(x: Tensor) -> Tensor:
    """Each voxel twice along z, y and x; exported as reshape and expand, which every runtime has."""
    b, c, z, h, w = x.shape
    return x.reshape(b, c, z, 1, h, 1, w, 1).expand(b, c, z, 2, h, 2, w, 2).reshape(b, c, 2 * z, 2 * h, 2 * w)


class GlutealNetwork(nn.Module):
    """Logits (B, 6, Z, Y, X) of windows (B, 2, Z, Y, X); Z a multiple of 8, Y and X of 16."""

    def __init__(self) -> None:
        super().__init__()
        c = CHANNELS
        self.stem = _block(2, c[0], (1, 4, 4), (1, 2, 2), (0, 1, 1))
        self.encoder = nn.ModuleList(_blocks(n, k) for n, k in zip(ENCODER_DEPTH, c, strict=True))
        self.down = nn.ModuleList(_block(a, b, (2, 2, 2), (2, 2, 2), (0, 0, 0)) for a, b in pairwise(c))
        self.up = nn.ModuleList(nn.Conv3d(b, a, 1) for a, b in pairwise(c))
        self.decoder = nn.ModuleList(_blocks(n, k) for n, k in zip(DECODER_DEPTH, c, strict=False))
        self.head = nn.Conv3d(c[0], len(CLASSES) * 4, (1, 3, 3), padding=(0, 1, 1))
        self.auxiliary_head = nn.Conv3d(c[1], len(CLASSES), 1)

    def both(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Logits, and those of the auxiliary head at half the depth and a quarter of the height and width."""
        skips = [self.encoder[0](self.stem(x))]
        for down, encoder in zip(self.down, list(self.encoder)[1:], strict=True):
            skips.append(encoder(down(skips[-1])))
        levels = [skips[3]]
        for level in (2, 1, 0):
            levels.append(self.decoder[level](_doubled(self.up[level](levels[-1])) + skips[level]))
        return self._shuffled(self.head(levels[-1])), self.auxiliary_head(levels[-2])

    def forward(self, x: Tensor) -> Tensor:
        """Logits alone: what is exported."""
        return self.both(x)[0]

    @staticmethod
    def _shuffled(x: Tensor) -> Tensor:
        """Four channels of each class become 2 x 2 voxels of the plane."""
        b, _, z, h, w = x.shape
        x = x.reshape(b, len(CLASSES), 2, 2, z, h, w).permute(0, 1, 4, 5, 2, 6, 3)
        return x.reshape(b, len(CLASSES), z, 2 * h, 2 * w)


def windows(hu: Tensor) -> Tensor:
    """The network's input (B, 2, Z, Y, X) from HU (B, Z, Y, X): a window of soft tissue and a wide one."""
    return torch.stack([(hu / 100).clamp(-1.6, 1.6), ((hu - 200) / 400).clamp(-1.6, 2.5)], 1)
