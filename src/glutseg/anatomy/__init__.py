"""Where things are: the hips, the bony landmarks and the level to be measured."""

from glutseg.anatomy.gaps import on_an_image
from glutseg.anatomy.hips import Hips, find_hips
from glutseg.anatomy.level import Anatomy, find_anatomy, find_level, hip_flags
from glutseg.anatomy.localiser import certain_hips, localised_hips
from glutseg.anatomy.midplane import Midplane, midplane_of_body, midplane_of_hips, midplane_of_muscles
from glutseg.anatomy.on_slice import find_anatomy_on_slice
from glutseg.anatomy.sphere import Sphere
from glutseg.anatomy.upright import as_it_lies

__all__ = [
    "Anatomy",
    "Hips",
    "Midplane",
    "Sphere",
    "as_it_lies",
    "certain_hips",
    "find_anatomy",
    "find_anatomy_on_slice",
    "find_hips",
    "find_level",
    "hip_flags",
    "localised_hips",
    "midplane_of_body",
    "midplane_of_hips",
    "midplane_of_muscles",
    "on_an_image",
]
