"""The part of an asset's page that shows all of its candidates, with their scores."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape
from pathlib import Path

from stages._candidate_report import CandidateReport
from stages._candidates import CHOICE
from stages._gallery_pictures import shown
from stages._report import AssetReport

#: (step, file), the best first: what a candidate looks like.
_LOOKS = (("splats", "spin.webp"), ("views", "sheet.png"), ("image", "image.png"))
_CUTOUT = ("cutout", "cutout.png")
#: Number of the record -> what a person calls it.
_MEASURES = {
    "score": "score",
    "prompt": "follows the words",
    "front_iou": "front outline",
    "consistency": "views agree",
    "doubts": "doubts",
}


def candidates_title(report: AssetReport) -> str:
    """Return how many there are, and which is kept."""
    numbers = report.records.get(CHOICE, {}).get("numbers", {})
    kept = f", {report.chosen} is kept" if report.chosen else ""
    pinned = " because the entry pins it" if numbers.get("pinned") else ""
    return f"{len(report.candidates)} candidates{kept}{pinned}"


def candidates_section(report: AssetReport, folder: Path) -> str:
    """Return the pictures and scores of the candidates; nothing where the asset has none.

    Args:
        report: the asset.
        folder: the gallery's.
    """
    if not report.candidates:
        return ""
    figures = "".join(
        _figure(number, one, number == report.chosen, folder)
        for number, one in report.candidates.items()
    )
    hint = (
        '<p class="soft">To keep another one for good, write its number into the entry, such as '
        f"<code>pin: {_other(report)}</code>; nothing that is there is made again but what follows "
        "the choice. More candidates cost only themselves.</p>"
    )
    return f'<div class="pictures candidates">{figures}</div>{_table(report)}{hint}'


def _other(report: AssetReport) -> int:
    """Return a number to show how to pin: the best of those that are not kept."""
    scored = {n: one.score for n, one in report.candidates.items() if one.score is not None}
    others = {n: score for n, score in scored.items() if n != report.chosen}
    return max(others, key=lambda n: others[n], default=report.chosen or 1)


def _figure(number: int, one: CandidateReport, kept: bool, folder: Path) -> str:
    pictures = "".join(_pictures(number, one, folder))
    told = f"{number}" if one.score is None else f"{number}: {one.score:.3f}"
    told += ", kept" if kept else ""
    words = f"{told}, seed {one.seed}"
    failed = f'<p class="failure">{escape(_why(one))}</p>' if one.failure else ""
    kind = ' class="kept"' if kept else ""
    return f"<figure{kind}>{pictures}<figcaption>{words}</figcaption>{failed}</figure>"


def _why(one: CandidateReport) -> str:
    return "" if one.failure is None else f"{one.failure.step}: {one.failure.message}"


def _pictures(number: int, one: CandidateReport, folder: Path) -> Iterator[str]:
    looks = [one.folders[step] / file for step, file in _LOOKS if step in one.folders]
    cutouts = [one.folders[step] / file for step, file in [_CUTOUT] if step in one.folders]
    for path in [*cutouts, *[look for look in looks if look.is_file()][:1]]:
        link = shown(path, folder)
        yield (f'<a href="{link}"><img loading="lazy" src="{link}" alt="candidate {number}"></a>')


def _table(report: AssetReport) -> str:
    numbers = report.records.get(CHOICE, {}).get("numbers", {})
    measures = {name: words for name, words in _MEASURES.items() if name in numbers}
    if not measures:
        return ""
    heads = "".join(f"<th>{words}</th>" for words in measures.values())
    rows = []
    for row, number in enumerate(numbers["tried"]):
        cells = "".join(f'<td class="number">{numbers[name][row]:.4g}</td>' for name in measures)
        rows.append(f"<tr><th>{number}</th>{cells}</tr>")
    return (
        '<div class="scroll"><table class="scores"><tr><th>candidate</th>'
        f"{heads}</tr>{''.join(rows)}</table></div>"
    )
