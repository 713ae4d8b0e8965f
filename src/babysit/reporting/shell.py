"""What all pages have in common: one self-contained file that asks nothing of any network."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from importlib import resources

from babysit.names import for_page

NOWHERE = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"


def page(title: str, sections: Sequence[str], *, script: str = "") -> str:
    """A whole HTML file.

    Arguments:
        title: any text; it is escaped.
        sections: HTML; empty ones are left out.
        script: the name of a script beside this file; the browser runs it alone, told by its hash.
    """
    code = _text(script) if script else ""
    digest = base64.b64encode(hashlib.sha256(code.encode()).digest()).decode("ascii")
    allowed = f"{NOWHERE}; script-src 'sha256-{digest}'" if code else NOWHERE
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f'<meta http-equiv="Content-Security-Policy" content="{allowed}">'
        f"<title>babysit {for_page(title)}</title><style>{_text('page.css')}</style></head><body>\n"
        + "\n".join(section for section in sections if section)
        + (f"\n<script>{code}</script>" if code else "")
        + "\n</body></html>\n"
    )


def section(title: str, body: str, *, anchor: str = "") -> str:
    """A part of a page under its heading; nothing when it has no body."""
    named = f' id="{anchor}"' if anchor else ""
    return f"<section{named}><h2>{title}</h2>\n{body}</section>" if body else ""


def table(head: Sequence[str], rows: Sequence[Sequence[str]], *, kind: str = "") -> str:
    """A table of HTML cells."""
    top = "".join(f"<th>{cell}</th>" for cell in head)
    body = "".join(f"<tr>{''.join(f'<td>{cell}</td>' for cell in row)}</tr>" for row in rows)
    named = f' class="{kind}"' if kind else ""
    return f'<div class="wide"><table{named}><thead><tr>{top}</tr></thead><tbody>{body}</tbody></table></div>'


def folded(summary: str, body: str) -> str:
    """What is shown when asked for."""
    return f"<details><summary>{summary}</summary>{body}</details>"


def bar(share: float) -> str:
    """A share of 0 to 1 as a bar."""
    return f'<span class="bar"><span style="width:{100 * min(1.0, max(0.0, share)):.1f}%"></span></span>'


def _text(name: str) -> str:
    return resources.files("babysit.reporting").joinpath(name).read_text(encoding="utf-8")
