import pytest

from glutseg.phantom import Phantom, PhantomPatient, PhantomScan, render


@pytest.fixture(scope="session")
def pelvis() -> Phantom:
    """A whole pelvis, coarse in the slice to be quick."""
    scan = PhantomScan(matrix=256, pixel_mm=1.7, slice_mm=3.0, z_range_mm=(-120.0, 130.0))
    return render(PhantomPatient(seed=7), scan)
