"""How Sphinx builds these pages: offline, with nothing on them that is loaded from elsewhere."""

import re
from importlib.metadata import version as version_of
from typing import Any

project = "glutseg"
author = "The glutseg developers"
copyright = author  # noqa: A001
version = release = version_of("glutseg")

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon", "sphinx_copybutton"]
exclude_patterns = ["_build"]

myst_heading_anchors = 4
smartquotes = False  # it makes a dash of the beginning of an option
default_role = "py:obj"

autodoc_member_order = "bysource"
autodoc_typehints = "signature"
autodoc_class_signature = "separated"
autodoc_preserve_defaults = True
python_use_unqualified_type_names = True
napoleon_google_docstring = False
napoleon_use_rtype = False

# types of other projects, whose pages would have to be fetched to link to them, and of the inside of this one
nitpick_ignore_regex = [
    ("py:.*", r"(numpy|npt|np|pathlib|collections|typing|types|pydantic|SimpleITK)\b.*"),
    ("py:obj", ".*"),
    ("py:.*", r"(FieldInfo|NoneType|dict\[str|glutseg\.segmentation\..*|glutseg\.study\..*)"),
    (
        "py:.*",
        r"(Image|LevelLike|MaskLike|tuple\[.*|Path|Study|Agreement|Axes|matplotlib\..*|pd\.DataFrame|pandas\..*)",
    ),
]

html_theme = "furo"
html_title = f"glutseg {version}"
html_static_path = ["_static"]
html_css_files = ["glutseg.css"]
copybutton_exclude = ".linenos, .gp, .go"
html_copy_source = False
html_show_sphinx = False


PARAMETER = re.compile(r"(\s*)(\w+(?:, \w+)*) : (.+)")


def split_parameters(
    _app: object, _what: str, _name: str, _obj: object, _options: object, lines: list[str]
) -> None:
    """Docstrings here say ``name : what it is``, and types stand in the signature: no text is a type."""
    is_listing = False
    out = []
    for line in lines:
        if re.fullmatch(r"\s*-{3,}\s*", line):
            is_listing = bool(out) and out[-1].strip() in ("Parameters", "Attributes")
        found = PARAMETER.fullmatch(line) if is_listing else None
        out += [f"{found[1]}{found[2]}", f"{found[1]}    {found[3]}"] if found else [line]
    lines[:] = out


def setup(app: Any) -> None:
    """Before napoleon reads them."""
    app.connect("autodoc-process-docstring", split_parameters, priority=400)
