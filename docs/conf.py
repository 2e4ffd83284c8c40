"""How Sphinx builds these pages: offline, with nothing on them that is loaded from elsewhere."""

from importlib.metadata import version as version_of

project = "glutseg"
author = "The glutseg developers"
copyright = author  # noqa: A001
version = release = version_of("glutseg")

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
exclude_patterns = ["_build"]

myst_heading_anchors = 4
suppress_warnings = ["myst.header"]  # README-like pages that are included begin at their own depth

autodoc_member_order = "bysource"
autodoc_typehints = "signature"
autodoc_preserve_defaults = True
python_use_unqualified_type_names = True
napoleon_google_docstring = False
napoleon_use_rtype = False

# types of other projects, whose pages would have to be fetched to link to them
nitpick_ignore_regex = [("py:.*", r"(numpy|npt|np|pathlib|collections|typing|pydantic|SimpleITK)\b.*")]

html_theme = "furo"
html_title = f"glutseg {version}"
html_static_path = ["_static"]
html_css_files = ["glutseg.css"]
html_copy_source = False
html_show_sphinx = False
