"""The page itself: one HTML file that needs nothing else, and may load nothing else.

Jinja escapes every text. Should one ever slip through, the page's own policy lets neither a script nor a
style run that is not, byte for byte, one of its own, and opens no address but the pictures inside it.
"""

from __future__ import annotations

import base64
import hashlib
from importlib import resources

from glutseg.report.model import Report


def render(report: Report) -> str:
    """The page as HTML."""
    from jinja2 import BaseLoader, Environment, StrictUndefined
    from markupsafe import Markup

    style, script = _asset("page.css"), _asset("page.js")
    environment = Environment(
        loader=BaseLoader(), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    template = environment.from_string(_asset("page.html.j2"))
    return template.render(
        report=report,
        # these two are the package's own files: the only text on the page that is not escaped
        style=Markup(style),  # noqa: S704
        script=Markup(script),  # noqa: S704
        policy=policy(style, script),
    )


def policy(style: str, script: str) -> str:
    """Content-Security-Policy: nothing from anywhere, this style, this script, pictures within the page."""
    return (
        f"default-src 'none'; img-src data:; style-src '{_digest(style)}'; script-src '{_digest(script)}'; "
        "base-uri 'none'; form-action 'none'"
    )


def _digest(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode("ascii")


def _asset(name: str) -> str:
    return resources.files("glutseg.report").joinpath("page", name).read_text(encoding="utf-8")
