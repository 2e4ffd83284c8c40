"""The network's grid over one side of the body, and the way between it and the slices of a series.

Around the centre of a femoral head, 3 mm between planes and 1.2 mm pixels; the right side is mirrored, so
that x always points away from the midline. Planes lie on slices where they can.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
from scipy import ndimage as ndi

from glutseg.image import CtImage, Geometry, Side

SPACING_MM = (3.0, 1.2, 1.2)
"""Of the network's voxels (z, y, x), as it was trained."""
FIRST_MM = (-150.0, -72.0, -90.0)
"""First voxel (z, y, x) from the centre of the head."""
SHAPE = (96, 160, 144)
_CONTEXT_PLANES = 10
"""Beyond the slices asked for: more are no better, and cost time (docs/explanation/experiments.md)."""
_LEAST_PLANES = 32
"""Also for a single slice."""
_STEP_PLANES = 8
"""The network halves its grid three times."""
CONTEXT_MM = (_LEAST_PLANES / 2 + 1) * SPACING_MM[0]
"""So far above and below the slices asked for the network looks at most."""
AIR_HU = -1024.0

FloatArray = npt.NDArray[np.float32]
FloatMatrix = npt.NDArray[np.float64]
PlaceArray = npt.NDArray[np.floating]


@dataclass(frozen=True)
class Turn:
    """A turn about the long axis, around ``centre`` (row, column) of slices with pixels of ``spacing_mm``.

    ``degrees`` are those of the line from the right head to the left one against the rows, positive where the
    left head lies further back.
    """

    degrees: float
    centre: tuple[float, float]
    spacing_mm: tuple[float, float]

    @property
    def matrix(self) -> FloatMatrix:
        """From (row, column) beside the centre, as the patient lies, to that in the slice."""
        c, s = np.cos(np.radians(self.degrees)), np.sin(np.radians(self.degrees))
        scale = np.array(self.spacing_mm)
        return np.asarray(np.array([[c, s], [-s, c]]) * scale / scale[:, None])


@dataclass(frozen=True)
class SideGrid:
    """Places of the planes, rows and columns of the grid among the slices, rows and columns of a series.

    Attributes
    ----------
    planes, rows, columns : continuous indices of the series, equally spaced; columns fall on the right side
    turn : of rows and columns about the head, None for a patient who lies straight
    """

    planes: PlaceArray
    rows: PlaceArray
    columns: PlaceArray
    turn: Turn | None = None

    @classmethod
    def around(
        cls,
        geometry: Geometry,
        head_mm: tuple[float, float, float],
        side: Side,
        slices: range | None,
        roll_degrees: float = 0.0,
    ) -> SideGrid:
        """The grid around a femoral head: planes about some slices, or all of them.

        Parameters
        ----------
        roll_degrees : as `glutseg.anatomy.Hips` has it; the grid lies as the patient does
        """
        z, y, x = geometry.index(head_mm)
        dz, dy, dx = geometry.spacing_mm
        outwards = 1.0 if side == "left" else -1.0
        first = z + FIRST_MM[0] / dz
        first -= first - round(first)
        step = SPACING_MM[0] / dz
        begin, n_planes = 0, SHAPE[0]
        if slices is not None:
            n_planes = min(SHAPE[0], _with_context((len(slices) - 1) / step))
            middle = slices[len(slices) // 2]
            begin = int(np.clip(round((middle - first) / step) - n_planes // 2, 0, SHAPE[0] - n_planes))
        return cls(
            first + (begin + np.arange(n_planes)) * step,
            y + (FIRST_MM[1] + SPACING_MM[1] * np.arange(SHAPE[1])) / dy,
            x + outwards * (FIRST_MM[2] + SPACING_MM[2] * np.arange(SHAPE[2])) / dx,
            Turn(roll_degrees, (y, x), (dy, dx)) if roll_degrees else None,
        )

    @property
    def outwards(self) -> float:
        """1 where columns of the series grow away from the midline, -1 where towards it."""
        return 1.0 if self.columns[1] > self.columns[0] else -1.0

    @property
    def head(self) -> tuple[float, float]:
        """Row and column of the middle of the femoral head."""
        row, column = (round(-first / step) for first, step in zip(FIRST_MM[1:], SPACING_MM[1:], strict=True))
        return float(self.rows[row]), float(self.columns[column])

    def near(self, low: float, high: float) -> slice:
        """Planes between two slices, at least one."""
        kept = np.flatnonzero((self.planes >= low) & (self.planes <= high))
        if not len(kept):
            kept = np.array([np.argmin(np.abs(self.planes - (low + high) / 2))])
        return slice(int(kept[0]), int(kept[-1]) + 1)

    def sample(self, image: CtImage) -> FloatArray:
        """HU on the grid (plane, row, column), linear between voxels; air where the series shows nothing."""
        shape = len(self.rows), len(self.columns)
        rows, columns = (
            _weights(at, n) for at, n in zip((self.rows, self.columns), image.hu.shape[1:], strict=True)
        )
        window = tuple(
            _window(at, n) for at, n in zip((self.rows, self.columns), image.hu.shape[1:], strict=True)
        )
        rows, columns = rows[:, window[0]], columns[:, window[1]]

        def plane(k: int) -> FloatArray:
            if self.turn:
                above_air = image.hu[k].astype(np.float32) - np.float32(AIR_HU)
                return _resampled(above_air, *self._to_slice(), shape, "constant")
            above_air = image.hu[k][window].astype(np.float32) - np.float32(AIR_HU)
            return np.asarray(rows @ above_air @ columns.T, dtype=np.float32)

        step = self.planes[1] - self.planes[0]
        out = np.full((len(self.planes), *shape), AIR_HU, np.float32)
        for n, at in enumerate(self.planes):
            shares = _slab(at, step, image.hu.shape[0])
            if shares:
                out[n] += sum(np.float32(share) * plane(k) for k, share in shares.items())
        return out

    def cropped(self, planes: slice) -> SideGrid:
        """The same with some of its planes, at least two."""
        return replace(self, planes=self.planes[planes])

    def planes_of(self, slices: range) -> slice:
        """The planes between which some slices lie, at least two."""
        low, high = (
            float(np.clip(self._plane_of(k), 0, len(self.planes) - 1)) for k in (slices[0], slices[-1])
        )
        first = min(int(low), len(self.planes) - 2)
        return slice(first, max(int(np.ceil(high)), first + 1) + 1)

    def _plane_of(self, k: int) -> float:
        """Place of a slice among the planes."""
        return float((k - self.planes[0]) / (self.planes[1] - self.planes[0]))

    def _to_slice(self) -> tuple[FloatMatrix, FloatMatrix]:
        """Matrix and offset from row and column of the grid to those of a slice."""
        steps = np.diag([self.rows[1] - self.rows[0], self.columns[1] - self.columns[0]])
        first = np.array([self.rows[0], self.columns[0]], dtype=np.float64)
        if self.turn is None:
            return steps, first
        turned, centre = self.turn.matrix, np.array(self.turn.centre)
        return turned @ steps, centre + turned @ (first - centre)

    def on_slices(
        self, field: FloatArray, slices: range, box: tuple[slice, slice], *, first: int = 0
    ) -> FloatArray:
        """A field on the grid, (..., plane, row, column) from plane ``first`` on, on a box of some slices.

        Linear in between; beyond its last planes their values go on.
        """
        rows, columns = (
            _weights((np.arange(b.start, b.stop) - at[0]) / (at[1] - at[0]), len(at))
            for b, at in zip(box, (self.rows, self.columns), strict=True)
        )
        to_slice, offset = self._to_slice()
        to_grid = np.asarray(np.linalg.inv(to_slice), dtype=np.float64)
        start = to_grid @ (np.array([b.start for b in box]) - offset)
        last = field.shape[-3] - 1
        out = np.empty((*field.shape[:-3], len(slices), len(rows), len(columns)), np.float32)
        for n, k in enumerate(slices):
            at = np.clip(self._plane_of(k) - first, 0, last)
            low = min(int(at), max(last - 1, 0))
            share = np.float32(at - low)
            plane = field[..., low, :, :]
            if share:
                plane = (1 - share) * plane + share * field[..., low + 1, :, :]
            if self.turn is None:
                out[..., n, :, :] = rows @ plane @ columns.T
                continue
            for c in np.ndindex(plane.shape[:-2]):
                out[(*c, n)] = _resampled(plane[c], to_grid, start, out.shape[-2:], "nearest")
        return out

    def box(self, geometry: Geometry) -> tuple[slice, slice]:
        """Rows and columns of the slices that lie on the grid, all of it if it is turned."""
        to_slice, offset = self._to_slice()
        ends = np.array([(r, c) for r in (0, len(self.rows) - 1) for c in (0, len(self.columns) - 1)])
        rows, columns = np.sort(ends @ to_slice.T + offset, axis=0).T
        return _inner(rows, geometry.shape[1]), _inner(columns, geometry.shape[2])


def _with_context(n_steps: float) -> int:
    """Number of planes for slices that span so many steps from plane to plane."""
    n = int(np.ceil(n_steps)) + 1 + 2 * _CONTEXT_PLANES
    return max(_LEAST_PLANES, -(-n // _STEP_PLANES) * _STEP_PLANES)


def _resampled(
    image: FloatArray, matrix: FloatMatrix, offset: FloatMatrix, shape: tuple[int, ...], mode: str
) -> FloatArray:
    """An image at ``matrix`` x (row, column) + ``offset``, linear between its pixels."""
    out = ndi.affine_transform(image, matrix, offset, shape, order=1, mode=mode)
    return np.asarray(out, dtype=np.float32)


def _weights(at: PlaceArray, n: int) -> FloatArray:
    """Linear interpolation at continuous indices as a matrix (len(at), n); rows outside are zero."""
    out = np.zeros((len(at), n), np.float32)
    low = np.floor(at).astype(int)
    share = (at - low).astype(np.float32)
    shown = np.flatnonzero((at >= -0.5) & (at <= n - 0.5))
    np.add.at(out, (shown, np.clip(low[shown], 0, n - 1)), 1 - share[shown])
    np.add.at(out, (shown, np.clip(low[shown] + 1, 0, n - 1)), share[shown])
    return out


def _window(at: PlaceArray, n: int) -> slice:
    return slice(int(np.clip(at.min() - 1, 0, n)), int(np.clip(at.max() + 3, 0, n)))


def _inner(at: PlaceArray, n: int) -> slice:
    low, high = sorted((float(at[0]), float(at[-1])))
    begin = int(np.clip(np.ceil(low), 0, n))
    return slice(begin, int(np.clip(np.floor(high) + 1, begin, n)))


def _slab(at: float, step: float, n_slices: int) -> dict[int, float]:
    """Shares of the slices that make a plane: two neighbours, or the mean of thinner slices than planes."""
    if not -0.5 <= at <= n_slices - 0.5:
        return {}
    thickness = max(1, round(step))
    shares: dict[int, float] = {}
    low = int(np.floor(at + 1e-4 - (thickness - 1) / 2))
    rest = max(0.0, at - (thickness - 1) / 2 - low)
    for i in range(thickness + 1):
        share = (1 - rest if i == 0 else rest if i == thickness else 1.0) / thickness
        if share > 1e-6:
            k = int(np.clip(low + i, 0, n_slices - 1))
            shares[k] = shares.get(k, 0.0) + share
    return shares
