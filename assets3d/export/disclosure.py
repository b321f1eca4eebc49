"""What a store asks about generated content, ready to be pasted: one table per pack."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from assets3d.export.delivery import REFUSED

_MADE_BY = {
    "network": "made by AI",
    "network on a person's file": "AI worked on a file of ours",
    "formula": "computed, no AI",
    "a person's file": "a file of ours, no AI",
}
_SOLD = {True: "yes", False: "**no**", None: "nobody checked"}


def disclosure(pack: str, entries: Sequence[Mapping[str, Any]]) -> str:
    """Return a Markdown page: a sentence for Steam's content survey and a row per asset.

    Args:
        pack: its name.
        entries: of the pack's manifest.
    """
    rows = [
        f"| {entry['id']} | {entry['kind']} | {_MADE_BY[entry['made_by']]} | "
        f"{', '.join(entry['licences']) or '-'} | {_sold(entry)} |"
        for entry in entries
    ]
    lines = [
        f"# How the assets of the pack {pack} were made",
        "",
        "For Steam's content survey (pre-generated AI content):",
        "",
        f"> {steam_sentence(entries)}",
        "",
        "| asset | kind | made by | models and licences | may be sold |",
        "|---|---|---|---|---|",
        *rows,
    ]
    return "\n".join(lines) + "\n"


def _sold(entry: Mapping[str, Any]) -> str:
    if entry.get("status") != REFUSED:
        return _SOLD[entry["commercial"]]
    stayed = ", ".join(f"`{path}`" for path in entry["files"].values())
    left = f"; {stayed} stayed, edited by hand" if stayed else ""
    return f"**no**: refused and taken away{left}"


def steam_sentence(entries: Sequence[Mapping[str, Any]]) -> str:
    """Return what a player should know, in one sentence."""
    kinds = {"prop": "3D props", "material": "surface textures", "motion": "animations"}
    there = [entry for entry in entries if entry.get("status") != REFUSED]
    by_network = [entry for entry in there if entry["made_by"].startswith("network")]
    if not by_network:
        return "These assets were made without generative AI."
    named = [word for kind, word in kinds.items() if any(e["kind"] == kind for e in by_network)]
    listed = " and ".join([", ".join(named[:-1]), named[-1]] if len(named) > 1 else named)
    return (
        f"Some of the game's {listed} were pre-generated with AI models before release; "
        "nothing is generated while the game runs."
    )
