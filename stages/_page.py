"""The gallery's page: plain HTML without scripts, readable from a file."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any
from urllib.parse import quote

from stages._records import RECORD_FILE
from stages._report import AssetReport, summary

#: (step, pattern, caption), in the order in which an asset grows; the last ones first loaded.
_PICTURES = (
    ("image", "image.png", "image"),
    ("cutout", "cutout.png", "cutout"),
    ("cutout", "view_*.png", "given view"),
    ("views", "sheet.png", "views: front, right, back, left"),
    ("splats", "spin.webp", "splats"),
    ("splats", "spin.png", "splats from all round"),
    ("mesh", "turntable.webp", "mesh"),
    ("mesh", "turntable.png", "mesh from all round"),
    ("texture", "tiled.png", "three tiles by three"),
    ("maps", "sheet.png", "maps"),
    ("maps", "plane.png", "three by three under a grazing light"),
    ("maps", "sphere.png", "on a sphere"),
    ("motion", "preview.webp", "motion"),
    ("motion", "sheet.png", "motion, feet, experts"),
)

#: What a person takes away.
_FILES = (".bvh", ".glb", ".obj", ".stl")
_MATERIAL = "material.json"

_STYLE = """
body { font: 15px/1.45 system-ui, sans-serif; margin: 2rem; background: #f4f4f2; color: #222; }
article { background: #fff; border-radius: 8px; padding: 1rem 1.25rem; margin: 0 0 1.25rem; }
article.failed { border-left: 6px solid #c0392b; }
article.warned { border-left: 6px solid #d9a400; }
h2 { margin: 0 0 .25rem; } p { margin: .25rem 0; }
.failure { color: #a52a1c; font-weight: 600; } .warning { color: #8a6500; }
.pictures { display: flex; flex-wrap: wrap; gap: .75rem; align-items: flex-end; }
figure { margin: .5rem 0 0; } figcaption { font-size: 12px; color: #666; }
nav { margin: 0 0 1.25rem; line-height: 1.9; } nav a { margin-right: .75rem; }
nav a.failed { color: #a52a1c; font-weight: 600; } nav a.warned { color: #8a6500; }
details { margin-top: .5rem; } summary { cursor: pointer; color: #666; font-size: 13px; }
img { height: 160px; border-radius: 4px; background: #dcdcda; }
img.small { height: 80px; }
table { border-collapse: collapse; font-size: 13px; margin-top: .5rem; }
td { padding: 0 .9rem .1rem 0; vertical-align: top; }
"""


def page(reports: Sequence[AssetReport], folder: Path) -> str:
    """Return the page that will lie in `folder`, with links relative to it."""
    index = " ".join(
        f'<a class="{_state(r)}" href="#{escape(r.name)}">{escape(r.name)}</a>' for r in reports
    )
    cards = "\n".join(_card(report, folder) for report in reports)
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        f"<title>Assets</title><style>{_STYLE}</style></head><body>"
        f"<h1>{summary(reports)}</h1>\n<nav>{index}</nav>\n{cards}\n</body></html>\n"
    )


def _state(report: AssetReport) -> str:
    return "failed" if report.failures else "warned" if report.warnings else "whole"


def _card(report: AssetReport, folder: Path) -> str:
    name = escape(report.name)
    lines = [f'<article class="{_state(report)}" id="{name}"><h2>{name}</h2>']
    if report.spec is not None:
        lines.append(f"<p>{escape(report.spec.words)}, seed {report.spec.seed}</p>")
    for failure in report.failures:
        text = f"{failure.step}: {failure.message}"
        lines.append(f'<p class="failure">{escape(text)}</p>')
    lines += [f'<p class="warning">{escape(text)}</p>' for text in report.warnings]
    lines.append(f'<div class="pictures">{_pictures(report, folder)}</div>')
    files = [p for made in report.folders.values() for p in sorted(made.iterdir())]
    links = " ".join(
        _link(p, p.name, folder) for p in files if p.suffix in _FILES or p.name == _MATERIAL
    )
    facts = ", ".join([*_facts(report)])
    if links or facts:
        lines.append(f"<p>{links} {escape(facts)}</p>")
    if report.records:
        lines.append("<details><summary>how it was made</summary>")
        lines.append(f"<table>{_numbers(report, folder)}</table></details>")
    return "\n".join([*lines, "</article>"])


def _facts(report: AssetReport) -> Iterator[str]:
    """Yield what the user of the files wants to know of them."""
    mesh = report.records.get("mesh", {}).get("numbers", {})
    if "size_m" in mesh:
        yield " × ".join(f"{side:.2f}" for side in mesh["size_m"]) + " m (width, height, depth)"
    if "faces" in mesh:
        yield f"{mesh['faces']} triangles"
    if "texture_px" in mesh:
        yield f"texture {mesh['texture_px']} px"
    maps = report.records.get("maps", {}).get("numbers", {})
    if "tile_m" in maps:
        yield f"{maps['size_px']} px, tile of {maps['tile_m']:g} m"
        yield f"{1000 * maps['height_range_m']:.1f} mm from the lowest point to the highest"
        yield f"seams: {_seams(maps)} (1: as strong as perfect tiles may be)"
    clip = report.records.get("motion", {}).get("numbers", {})
    if "seconds" in clip:
        yield f"{clip['seconds']:.1f} s"
    if "mean_speed_m_s" in clip:
        yield f"{clip['mean_speed_m_s']:.1f} m/s on average"


def _seams(maps: Mapping[str, Any]) -> str:
    """Return each map's seam as a share of its limit."""
    shares = {n.removeprefix("seam_"): v for n, v in maps.items() if n.startswith("seam_")}
    return ", ".join(f"{name} {value:.2f}" for name, value in shares.items())


def _link(path: Path, text: str, folder: Path) -> str:
    return f'<a href="{_address(path, folder)}">{escape(text)}</a>'


def _address(path: Path, folder: Path) -> str:
    return escape(quote(Path(os.path.relpath(path, folder)).as_posix()))


def _pictures(report: AssetReport, folder: Path) -> str:
    figures = []
    spec = report.spec
    picture = None if spec is None else spec.sources.get("image")
    if picture is not None and picture.is_file():
        figures.append(_figure(picture, "input", folder))
    for step, pattern, caption in _PICTURES:
        found = sorted(report.folders[step].glob(pattern)) if step in report.folders else []
        for number, path in enumerate(found, 1):
            text = f"{caption} {number} of {len(found)}" if len(found) > 1 else caption
            figures.append(_figure(path, text, folder))
    return "".join(figures)


def _figure(path: Path, caption: str, folder: Path) -> str:
    link = _address(path, folder)
    size = ' class="small"' if path.name.startswith("view_") else ""
    return (
        f'<figure><a href="{link}"><img{size} loading="lazy" src="{link}" alt="{escape(caption)}">'
        f"</a><figcaption>{escape(caption)}</figcaption></figure>"
    )


def _numbers(report: AssetReport, folder: Path) -> str:
    rows = []
    for step, record in report.records.items():
        cells = [
            f"{name.replace('_', ' ')} {_value(value)}" for name, value in record["numbers"].items()
        ]
        models = {f"{m['name']} ({m['licence']})": None for m in record["models"].values()}
        cells += [f"model {name}" for name in models]
        cells += [f"{report.seconds[step]:.1f} s"] if step in report.seconds else []
        link = _link(report.folders[step] / RECORD_FILE, RECORD_FILE, folder)
        rows.append(f"<tr><td>{step}</td><td>{escape(', '.join(cells))}</td><td>{link}</td></tr>")
    return "".join(rows)


def _value(value: object) -> str:
    if isinstance(value, list):
        return " ".join(_value(part) for part in value)
    return f"{value:.4g}" if isinstance(value, float) else str(value)
