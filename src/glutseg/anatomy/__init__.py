"""Where things are: the hips, the bony landmarks and the level to be measured."""

from glutseg.anatomy.gaps import on_an_image
from glutseg.anatomy.hips import Hips, find_hips
from glutseg.anatomy.level import Anatomy, find_anatomy, find_level, hip_doubts
from glutseg.anatomy.sphere import Sphere
from glutseg.anatomy.upright import as_it_lies

__all__ = [
    "Anatomy",
    "Hips",
    "Sphere",
    "as_it_lies",
    "find_anatomy",
    "find_hips",
    "find_level",
    "hip_doubts",
    "on_an_image",
]
