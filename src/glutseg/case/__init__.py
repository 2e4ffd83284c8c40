"""The one route: from the pixels of an image, or the headers of a study, to a case."""

# A module is loaded when one of its names is first asked for: the main process of a run measures nothing.
import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
