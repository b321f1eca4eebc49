"""The gallery's own page: a card for every asset, failures first, with filters where scripts run.

Every card leads to the asset's own page, see `_asset_page`; without scripts as a plain link.
"""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Sequence
from html import escape
from pathlib import Path
from typing import Any
from urllib.parse import quote

from stages._gallery_pictures import shown
from stages._report import AssetReport, summary

#: The folders in the gallery: one page per asset, and the scripts and the style.
ASSETS_FOLDER, PAGE_FOLDER = "assets", "page"

#: (step, file) of the picture on a card, the best first, and of the one that turns.
_STILLS = (
    ("export", "thumbnail.png"),
    ("mesh", "preview.png"),
    ("maps", "sphere.png"),
    ("maps", "plane.png"),
    ("motion", "preview.webp"),
    ("splats", "spin.webp"),
    ("cutout", "cutout.png"),
    ("image", "image.png"),
    ("texture", "texture.png"),
)
_TURNS = (
    ("export", "turntable.webp"),
    ("mesh", "turntable.webp"),
    ("motion", "preview.webp"),
    ("maps", "plane.png"),
)
#: Pictures that are surfaces, not objects: they fill the card.
_FILLING = {"plane.png", "texture.png", "preview.webp"}
_STATES = {"failed": "failed", "warned": "with warnings", "whole": "fine"}
_KINDS = {"prop": "props", "material": "materials", "motion": "motion", "unknown": "unreadable"}
_BADGES = {"failed": "failed", "warned": "warning"}
_LONGEST = 200  # of a file's name
_BAR_NAMES = {
    "triangles": "triangles",
    "texture_px": "texture",
    "materials": "materials",
    "joints": "joints",
    "file_bytes": "file",
}


def page(reports: Sequence[AssetReport], folder: Path) -> str:
    """Return the page that will lie in `folder`, and link the cards' pictures into it."""
    cards = "\n".join(_card(report, folder) for report in reports)
    return f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Assets: {summary(reports)}</title>
<link rel="stylesheet" href="{PAGE_FOLDER}/gallery.css"></head><body>
<header class="top"><h1>Assets</h1><span class="soft">{summary(reports)}</span></header>
{_filters(reports)}
<p id="nothing" class="soft" hidden>No asset fits.
<button id="all" type="button">Show all</button></p>
<main id="cards">
{cards}
</main>
<dialog id="viewer" aria-labelledby="title"><header><strong id="title"></strong>
<button id="previous" type="button" title="previous (p)" aria-label="previous asset">‹</button>
<button id="next" type="button" title="next (n)" aria-label="next asset">›</button>
<a id="page" target="_blank">own page</a>
<button id="close" type="button" title="close (Escape)" aria-label="close">✕</button></header>
<iframe title="asset"></iframe></dialog>
<script src="{PAGE_FOLDER}/index.js"></script>
</body></html>
"""


def address(path: Path, folder: Path) -> str:
    """Return the link from a page in `folder` to a file."""
    return escape(quote(Path(os.path.relpath(path, folder)).as_posix()))


def bars(report: AssetReport, *, short: bool) -> str:
    """Return what an asset costs of its budget, as bars."""
    budget = (report.package or {}).get("budget", {})
    lines = []
    for name, value, limit in budget.get("bars", ()):
        share = min(100.0, 100.0 * value / max(limit, 1))
        over = " over" if value > limit else ""
        shown = f"{_amount(name, value)} of {_amount(name, limit)}"
        end = f"{round(100 * value / max(limit, 1))} %" if short else shown
        lines.append(
            f'<div class="bar{over}" title="{shown}"><span>{_BAR_NAMES.get(name, escape(name))}'
            f'</span><i style="--share:{share:.3g}%"></i><span>{end}</span></div>'
        )
    return f'<div class="bars">{"".join(lines)}</div>' if lines else ""


def _filters(reports: Sequence[AssetReport]) -> str:
    kinds = Counter(report.kind for report in reports)
    states = Counter(report.state for report in reports)
    packs = Counter(report.pack for report in reports if report.pack)
    options = "".join(f'<option value="{p}">{p} ({n})</option>' for p, n in sorted(packs.items()))
    one_pack = " hidden" if len(packs) < 2 else ""
    return (
        '<form id="filters" role="search" onsubmit="return false" hidden>'
        '<input id="search" type="search" placeholder="Search  ( / )" aria-label="search">'
        f"{_buttons('kind', kinds, _KINDS)}{_buttons('status', states, _STATES)}"
        f'<select id="pack" aria-label="pack"{one_pack}><option value="">all packs</option>'
        f'{options}</select><span id="shown" class="hint" aria-live="polite"></span></form>'
    )


def _buttons(group: str, counts: Counter[str], names: dict[str, str]) -> str:
    entries = [("", "all")]
    entries += [(v, f"{name} {counts[v]}") for v, name in names.items() if counts[v]]
    buttons = "".join(
        f'<button type="button" data-group="{group}" data-value="{value}">{text}</button>'
        for value, text in entries
    )
    return f'<div class="buttons" role="group" aria-label="{group}">{buttons}</div>'


def _card(report: AssetReport, folder: Path) -> str:
    name = escape(report.name)
    badge = _BADGES.get(report.state, report.kind)
    link = f"{ASSETS_FOLDER}/{quote(page_file(report.name))}"
    lines = [
        f'<article class="card {report.state}" id="{name}" data-kind="{report.kind}" '
        f'data-status="{report.state}" data-pack="{report.pack}">',
        f'<a class="open" href="{link}">{_still(report, folder)}',
        f'</a><div class="text"><div class="head"><h2>{name}</h2>'
        f'<span class="badge {report.state}">{badge}</span></div>',
    ]
    told = [f'<p class="failure">{escape(f"{f.step}: {f.message}")}</p>' for f in report.failures]
    told += [f'<p class="warning">{escape(text)}</p>' for text in report.warnings]
    if len(told) > 2:
        told[1:] = [f'<p class="warning">and {len(told) - 1} more</p>']
    words = f'<p class="soft">{escape(report.words)}</p>'
    return "".join([*lines, words, *told, bars(report, short=True), "</div></article>"])


def page_file(name: str) -> str:
    """Return the file of an asset's page; an id that was refused may hold anything."""
    safe = re.sub(r"[^a-z0-9_-]", lambda found: f"~{ord(found[0]):x}", name)
    return f"{safe[:_LONGEST]}.html"


def _still(report: AssetReport, folder: Path) -> str:
    still = _first(report, _STILLS)
    if still is None:
        return '<span class="still none">no picture</span>'
    turn = _first(report, _TURNS)
    moving = f' data-turn="{shown(turn, folder)}"' if turn and turn != still else ""
    whole = " whole" if still.name in _FILLING else ""
    return (
        f'<img class="still{whole}" loading="lazy" decoding="async" alt="" '
        f'src="{shown(still, folder)}"{moving}>'
    )


def _first(report: AssetReport, wanted: Sequence[tuple[str, str]]) -> Path | None:
    """Return the first of the files that the asset has; the records know them without a look."""
    for step, file in wanted:
        if file in report.records.get(step, {}).get("files", {}):
            return report.folders[step] / file
    return None


def _amount(name: str, value: Any) -> str:
    if name == "file_bytes":
        return f"{value / 1e6:.1f} MB"
    return f"{value} px" if name == "texture_px" else f"{value:,}"
