"""The page of one asset: all that is known of it; where scripts run, to be turned and played."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from decimal import ROUND_HALF_UP, Decimal
from html import escape
from pathlib import Path
from typing import Any

from stages._candidate_section import candidates_section, candidates_title
from stages._gallery_pictures import given_picture, shown
from stages._page import PAGE_FOLDER, address, bars
from stages._records import RECORD_FILE
from stages._report import AssetReport
from stages._scenes import DATA_FOLDER

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
#: What a person takes away where nothing was packaged.
_FILES = (".bvh", ".glb", ".obj", ".stl")
_MATERIAL = "material.json"
#: Said where the page's script finds that it lies elsewhere: the links to them become words.
_BESIDE = (
    '<p class="soft" id="alone" hidden>This is a copy of the gallery alone: it holds the pictures '
    "and what can be turned, but not these files.</p>"
)
_VIEWER = ("viewer.js", "mesh.js", "splats.js", "material.js", "asset.js")


def asset_page(report: AssetReport, folder: Path, problem: str = "") -> str:
    """Return the page that will lie in `folder`/assets, and link its pictures into `folder`.

    Args:
        report: the asset.
        folder: the gallery's.
        problem: why its files cannot be shown to turn, where they cannot.
    """
    name = escape(report.name)
    told = [f'<p class="failure">{escape(f"{f.step}: {f.message}")}</p>' for f in report.failures]
    told += [f'<p class="warning">{escape(text)}</p>' for text in report.warnings]
    if problem:
        told.append(f'<p class="warning">gallery: cannot be shown to turn: {escape(problem)}</p>')
    scene = folder / DATA_FOLDER / f"{report.name}.js"
    # An id that was refused may hold "../".
    there = report.spec is not None and scene.is_file()
    data = f' data-scene="{DATA_FOLDER}/{name}.js"' if there else ""
    scripts = "".join(f'<script src="{PAGE_FOLDER}/{file}"></script>' for file in _VIEWER)
    seed = "" if report.spec is None else f", seed {report.spec.seed}"
    seed += f", candidate {report.chosen} of {len(report.candidates)}" if report.chosen else ""
    facts = "".join(f"<p>{escape(fact)}</p>" for fact in _facts(report))
    return f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><base href="../">
<meta name="viewport" content="width=device-width, initial-scale=1"><title>{name}</title>
<link rel="stylesheet" href="{PAGE_FOLDER}/gallery.css"></head><body>
<main class="asset" data-home="{_home(folder)}">
<p id="back-line"><a id="back" href="index.html">‹ all assets</a></p>
<div class="head"><h1>{name}</h1>
<span class="badge">{_badge(report)}</span></div>
<p class="soft">{escape(report.words)}{seed}</p>
{"".join(told)}
<div id="viewers"{data} hidden></div>
<div class="columns"><section>{_section("What it is", facts)}
{_section(_budget_title(report), bars(report, short=False))}
{_section("Make it again", _commands(report))}</section>
<section>{_section("Files", _files(report, folder))}</section></div>
{_section(candidates_title(report), candidates_section(report, folder))}
{_section("How it grew", _pictures(report, folder))}
{_section("How it was made", _numbers(report, folder))}
</main>{scripts}</body></html>
"""


def _section(title: str, content: str) -> str:
    return f"<h3>{title}</h3>{content}" if content else ""


def _badge(report: AssetReport) -> str:
    package = report.package or {}
    sold = {True: "commercial use: yes", False: "not for commercial use"}
    licence = sold.get(package["commercial"], "commercial use: nobody checked") if package else ""
    return " · ".join(escape(part) for part in (report.kind, report.pack, licence) if part)


def _budget_title(report: AssetReport) -> str:
    name = (report.package or {}).get("budget", {}).get("name", "")
    return f"Budget: {escape(str(name))}"


def _commands(report: AssetReport) -> str:
    name = escape(report.name)
    entry = f"<pre>{escape(report.entry)}</pre>" if report.entry else ""
    if report.spec is None:
        return entry
    return (
        f'<p class="soft">These lines of the manifest:</p>{entry}'
        f'<p class="soft">and this command:</p><pre>.venv/bin/assets3d build {name}</pre>'
    )


def _facts(report: AssetReport) -> Iterator[str]:
    """Yield what the user of the files wants to know of them."""
    mesh = report.records.get("mesh", {}).get("numbers", {})
    if "size_m" in mesh:
        yield " × ".join(f"{side:.2f}" for side in mesh["size_m"]) + " m (width, height, depth)"
    if "faces" in mesh:
        texture = f", texture {mesh['texture_px']} px" if "texture_px" in mesh else ""
        yield f"{mesh['faces']} triangles{texture}"
    for number, level in enumerate((report.package or {}).get("lods", ())[1:], 1):
        yield (
            f"LOD{number}: {level['triangles']} triangles, off by at most "
            f"{100 * level['error_share']:.2g} % of the size"
        )
    maps = report.records.get("maps", {}).get("numbers", {})
    if "tile_m" in maps:
        yield f"{maps['size_px']} px, tile of {maps['tile_m']:.3g} m"
        yield f"{1000 * maps['height_range_m']:.1f} mm from the lowest point to the highest"
        yield f"seams: {_seams(maps)} (1: as strong as perfect tiles may be)"
    clip = report.records.get("motion", {}).get("numbers", {})
    if "seconds" in clip:
        yield f"{_tenths(clip['seconds'])} s"
    if "mean_speed_m_s" in clip:
        yield f"{clip['mean_speed_m_s']:.1f} m/s on average"


def _tenths(seconds: float) -> Decimal:
    """Return seconds as the page's script rounds them: halves up, where Python takes even ones."""
    return Decimal(seconds).quantize(Decimal("0.1"), ROUND_HALF_UP)


def _seams(maps: Mapping[str, Any]) -> str:
    """Return each map's seam as a share of its limit."""
    shares = {n.removeprefix("seam_"): v for n, v in maps.items() if n.startswith("seam_")}
    return ", ".join(f"{name} {value:.2f}" for name, value in shares.items())


def _files(report: AssetReport, folder: Path) -> str:
    """Return the package's files, or what the steps made where there is no package."""
    rows = []
    packed = (report.package or {}).get("files", {})
    sizes = report.records.get("export", {}).get("files", {})
    for role, file in packed.items():
        path = report.folders["export"] / file
        rows.append((role.replace("_", " "), _link(path, file, folder), sizes.get(file, {})))
    if not packed:
        for step, record in report.records.items():
            for file, facts in record.get("files", {}).items():
                if Path(file).suffix in _FILES or Path(file).name == _MATERIAL:
                    rows.append((step, _link(report.folders[step] / file, file, folder), facts))
    cells = "".join(
        f'<tr><th>{escape(role)}</th><td>{link}</td><td class="number">{_size(facts)}</td></tr>'
        for role, link, facts in rows
    )
    if not cells:
        return ""
    return f'{_BESIDE}<div class="scroll"><table>{cells}</table></div>'


def _size(facts: Mapping[str, Any]) -> str:
    size = facts.get("bytes")
    if size is None:
        return ""
    return f"{size / 1e6:.2f} MB" if size >= 100_000 else f"{size / 1e3:.1f} kB"


def _home(folder: Path) -> str:
    """Return where the steps' folders lie beside the gallery, for the page's script to tell."""
    return escape("/".join(folder.resolve().parts[-2:]))


def _link(path: Path, text: str, folder: Path) -> str:
    """Return a link to a file that a copy of the gallery does not have."""
    return f'<a class="beside" href="{address(path, folder)}">{escape(text)}</a>'


def _pictures(report: AssetReport, folder: Path) -> str:
    given = given_picture(report, folder)
    figures = [_figure(given, "input")] if given else []
    for step, pattern, caption in _PICTURES:
        found = sorted(report.folders[step].glob(pattern)) if step in report.folders else []
        for number, path in enumerate(found, 1):
            text = f"{caption} {number} of {len(found)}" if len(found) > 1 else caption
            small = path.name.startswith("view_")
            figures.append(_figure(shown(path, folder), text, small=small))
    return f'<div class="pictures">{"".join(figures)}</div>' if figures else ""


def _figure(link: str, caption: str, *, small: bool = False) -> str:
    size = ' class="small"' if small else ""
    return (
        f'<figure><a href="{link}"><img{size} loading="lazy" src="{link}" alt="{escape(caption)}">'
        f"</a><figcaption>{escape(caption)}</figcaption></figure>"
    )


def _numbers(report: AssetReport, folder: Path) -> str:
    rows: Sequence[str] = [_row(report, step, folder) for step in report.records]
    return f'<div class="scroll"><table>{"".join(rows)}</table></div>' if rows else ""


def _row(report: AssetReport, step: str, folder: Path) -> str:
    record = report.records[step]
    cells = [
        f"{name.replace('_', ' ')} {_value(value)}" for name, value in record["numbers"].items()
    ]
    models = {f"{m['name']} ({m['licence']})": None for m in record["models"].values()}
    cells += [f"model {name}" for name in models]
    cells += [f"{report.seconds[step]:.1f} s"] if step in report.seconds else []
    link = _link(report.folders[step] / RECORD_FILE, RECORD_FILE, folder)
    told = escape(", ".join(cells))
    return f'<tr><th>{step}</th><td>{told}</td><td class="whole">{link}</td></tr>'


def _value(value: object) -> str:
    if isinstance(value, list):
        return " ".join(_value(part) for part in value)
    return f"{value:.4g}" if isinstance(value, float) else str(value)
