"""The gallery's page: plain HTML without scripts, readable from a file."""

from __future__ import annotations

import os
from collections.abc import Sequence
from html import escape
from pathlib import Path

from stages._report import AssetReport

#: (step, picture, caption), in the order in which an asset grows; the last ones first loaded.
_PICTURES = (
    ("image", "image.png", "image"),
    ("cutout", "cutout.png", "cutout"),
    ("cutout", "view_000.png", "first of the given views, cut out"),
    ("views", "sheet.png", "views: front, right, back, left"),
    ("splats", "spin.webp", "splats"),
    ("splats", "spin.png", "splats from all round"),
    ("mesh", "turntable.webp", "mesh"),
    ("mesh", "turntable.png", "mesh from all round"),
    ("motion", "preview.webp", "motion"),
    ("motion", "sheet.png", "motion, feet, experts"),
)

#: What a person takes away.
_FILES = (".bvh", ".glb", ".obj", ".stl")

_STYLE = """
body { font: 15px/1.45 system-ui, sans-serif; margin: 2rem; background: #f4f4f2; color: #222; }
article { background: #fff; border-radius: 8px; padding: 1rem 1.25rem; margin: 0 0 1.25rem; }
article.failed { border-left: 6px solid #c0392b; }
article.warned { border-left: 6px solid #d9a400; }
h2 { margin: 0 0 .25rem; } p { margin: .25rem 0; }
.failure { color: #a52a1c; font-weight: 600; } .warning { color: #8a6500; }
.pictures { display: flex; flex-wrap: wrap; gap: .75rem; align-items: flex-end; }
figure { margin: .5rem 0 0; } figcaption { font-size: 12px; color: #666; }
img { height: 160px; border-radius: 4px; background: #dcdcda; }
table { border-collapse: collapse; font-size: 13px; margin-top: .5rem; }
td { padding: 0 .9rem .1rem 0; vertical-align: top; }
"""


def page(reports: Sequence[AssetReport], folder: Path) -> str:
    """Return the page that will lie in `folder`, with links relative to it."""
    failed = sum(1 for report in reports if report.failures)
    cards = "\n".join(_card(report, folder) for report in reports)
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        f"<title>Assets</title><style>{_STYLE}</style></head><body>"
        f"<h1>{len(reports)} assets, {failed} failed</h1>\n{cards}\n</body></html>\n"
    )


def _card(report: AssetReport, folder: Path) -> str:
    state = "failed" if report.failures else "warned" if report.warnings else "whole"
    lines = [f'<article class="{state}" id="{escape(report.name)}"><h2>{escape(report.name)}</h2>']
    if report.spec is not None:
        lines.append(f"<p>{escape(report.spec.words)}, seed {report.spec.seed}</p>")
    for failure in report.failures:
        text = f"{failure.step}: {failure.message}"
        lines.append(f'<p class="failure">{escape(text)}</p>')
    lines += [f'<p class="warning">{escape(text)}</p>' for text in report.warnings]
    lines.append(f'<div class="pictures">{_pictures(report, folder)}</div>')
    lines.append(f"<table>{_numbers(report, folder)}</table></article>")
    return "\n".join(lines)


def _pictures(report: AssetReport, folder: Path) -> str:
    figures = []
    spec = report.spec
    picture = None if spec is None else spec.sources.get("image")
    if picture is not None and picture.is_file():
        figures.append(_figure(picture, "input", folder))
    for step, name, caption in _PICTURES:
        if step in report.folders and (report.folders[step] / name).is_file():
            figures.append(_figure(report.folders[step] / name, caption, folder))
    return "".join(figures)


def _figure(path: Path, caption: str, folder: Path) -> str:
    link = escape(Path(os.path.relpath(path, folder)).as_posix())
    return (
        f'<figure><a href="{link}"><img loading="lazy" src="{link}" alt="{escape(caption)}"></a>'
        f"<figcaption>{escape(caption)}</figcaption></figure>"
    )


def _numbers(report: AssetReport, folder: Path) -> str:
    rows = []
    for step, record in report.records.items():
        cells = [f"{name.replace('_', ' ')} {value}" for name, value in record["numbers"].items()]
        models = [f"{m['name']} ({m['licence']})" for m in record["models"].values()]
        seconds = [f"{report.seconds[step]:.1f} s"] if step in report.seconds else []
        text = escape(", ".join([*cells, *models, *seconds]))
        rows.append(f"<tr><td>{step}</td><td>{text}</td></tr>")
    links = [
        f'<a href="{escape(Path(os.path.relpath(p, folder)).as_posix())}">{escape(p.name)}</a>'
        for made in report.folders.values()
        for p in sorted(made.iterdir())
        if p.suffix in _FILES
    ]
    if links:
        rows.append(f"<tr><td>files</td><td>{' '.join(links)}</td></tr>")
    return "".join(rows)
