"""Changes to a scan whose answer stays known."""

from dataclasses import replace

import numpy as np

from glutseg.image import CtImage, Geometry


def between(volume: CtImage, low_mm: float | None = None, high_mm: float | None = None) -> CtImage:
    """The slices between two heights."""
    g = volume.geometry
    first = 0 if low_mm is None else max(0, g.nearest_slice(low_mm))
    last = g.shape[0] - 1 if high_mm is None else min(g.shape[0] - 1, g.nearest_slice(high_mm))
    return volume.crop((slice(first, last + 1), slice(None), slice(None)))


def merged(volume: CtImage, n: int) -> CtImage:
    """Every ``n`` slices averaged into one."""
    g = volume.geometry
    nz = g.shape[0] // n
    hu = volume.hu[: nz * n].reshape(nz, n, *g.shape[1:]).mean(1).astype(np.int16)
    geometry = replace(
        g,
        shape=hu.shape,
        spacing_mm=(g.spacing_mm[0] * n, *g.spacing_mm[1:]),
        origin_mm=g.point_mm((n - 1) / 2, 0, 0),
    )
    return CtImage(hu, geometry)


def mirrored(volume: CtImage) -> CtImage:
    """Left and right exchanged, on the same grid."""
    return CtImage(np.ascontiguousarray(volume.hu[:, :, ::-1]), volume.geometry)


def ball(geometry: Geometry, centre_mm: tuple[float, float, float], radius_mm: float) -> np.ndarray:
    """Voxels of an upright grid within a ball."""
    z, y, x = (
        geometry.origin_mm[2 - a] + np.arange(geometry.shape[a]) * geometry.spacing_mm[a] - centre_mm[2 - a]
        for a in range(3)
    )
    return z[:, None, None] ** 2 + y[None, :, None] ** 2 + x[None, None, :] ** 2 < radius_mm**2


def filled(volume: CtImage, where: np.ndarray, hu: int) -> CtImage:
    """The volume with some voxels at another density."""
    return CtImage(np.where(where, np.int16(hu), volume.hu), volume.geometry)
