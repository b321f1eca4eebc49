"""Write the tables in docs/*.md from the code and the registry, or check that they are current.

    python -m tools.docs_tables --write
    python -m tools.docs_tables --check

A page holds a table between the lines `<!-- table: NAME -->` and `<!-- end of table -->`; what is
between them belongs to this tool, everything else to the page's author.
"""

from __future__ import annotations

import argparse
import re
from collections.abc import Callable, Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from assets3d.images.families import FAMILIES, Family
from assets3d.images.samplers import CLASS_WORDS, SAMPLERS, SCHEDULES, Sampler, Wanted, choose
from assets3d.models.entry import Entry, read_entry
from assets3d.models.licences import gigabytes, table
from stages._harness import read_params
from stages._step import ITEM_STEPS

ROOT = Path(__file__).parents[1]
_BLOCK = re.compile(r"(<!-- table: ([\w-]+) -->\n).*?(<!-- end of table -->)", re.DOTALL)


@cache
def registry() -> dict[str, Entry]:
    """Return configs/models.yaml, checked."""
    text = (ROOT / "configs/models.yaml").read_text(encoding="utf-8")
    return {name: read_entry(name, values) for name, values in yaml.safe_load(text).items()}


def samplers() -> str:
    """Every familiar sampler: the class of diffusers and its options, or the nearest."""
    rows = [
        _sampler_row(sampler, word) for sampler in SAMPLERS for word in ("", *sampler.schedules)
    ]
    return _table(("name", "class of diffusers", "options", "remarks"), rows)


def schedules() -> str:
    """The words that may follow a sampler's name."""
    rows = []
    for word, options in CLASS_WORDS.items():
        follows = "any name" if word in SCHEDULES else "the name of a class"
        rows.append((f"`{word}`", follows, _options(options)))
    return _table(("word", "follows", "sets"), rows)


def families() -> str:
    """Every preset with what it fills in."""
    heads = ("family", "class of diffusers", "scheduler", "steps", "guidance", "size", "remarks")
    return _table(heads, map(_family_row, FAMILIES))


def family_sources() -> str:
    """Where each preset's files come from, under which licence, and their size."""
    heads = ("family", "repositories", "licence", "commercial use", "download", "GPU memory")
    return _table(heads, map(_source_row, FAMILIES))


def models() -> str:
    """Return the whole registry, as `assets3d models table` prints it."""
    return table(registry().values())


def full_profile() -> str:
    """Return what configs/profiles/full.yaml loads, step by step, with sums."""
    named = {step: _profile_models(step) for step in ITEM_STEPS}
    rows = [
        (step, f"`{e.name}`", gigabytes(e.download_gb), gigabytes(e.gpu_gb))
        for step, entries in named.items()
        for e in entries
    ]
    different = {entry.name: entry for entries in named.values() for entry in entries}.values()
    most = max(sum(e.gpu_gb or 0 for e in entries) for entries in named.values())
    total = _sum(entry.download_gb for entry in different)
    rows.append(("", "**together**", f"**{total}**", f"**{most:g} GB** in the largest step"))
    return _table(("step", "model", "download", "weights on the GPU"), rows)


def _profile_models(step: str) -> list[Entry]:
    params = read_params(ROOT / "configs/profiles/full.yaml", step)
    words = dict.fromkeys(word for word in params.values() if isinstance(word, str))
    return [registry()[word] for word in words if word in registry() and word != "embedded"]


TABLES: Mapping[str, Callable[[], str]] = {
    "samplers": samplers,
    "schedules": schedules,
    "families": families,
    "family-sources": family_sources,
    "models": models,
    "full-profile": full_profile,
}


def with_tables(text: str, page: str) -> str:
    """Return a page's text with every table in it made anew.

    Raises:
        SystemExit: the page asks for a table that there is none of.
    """

    def made(match: re.Match[str]) -> str:
        if match[2] not in TABLES:
            raise SystemExit(f"{page}: no table {match[2]!r}, wanted one of {', '.join(TABLES)}")
        return f"{match[1]}\n{TABLES[match[2]]()}\n{match[3]}"

    return _BLOCK.sub(made, text)


def stale(folder: Path) -> dict[Path, str]:
    """Return page -> text it should have, for every page whose tables are not current."""
    found = {}
    for page in sorted(folder.glob("*.md")):
        text = page.read_text(encoding="utf-8")
        wanted = with_tables(text, page.name)
        if wanted != text:
            found[page] = wanted
    return found


def _sampler_row(sampler: Sampler, word: str) -> tuple[str, ...]:
    name = " ".join(filter(None, (sampler.name, word)))
    if sampler.scheduler is None:
        nearest = " ".join(filter(None, (sampler.nearest, word)))
        return (name, "**none**", "", f"nearest: {nearest} ({sampler.note})")
    flow = f"flow matching: `{sampler.flow}`" if sampler.flow and not word else ""
    remarks = "; ".join(filter(None, (sampler.note, flow)))
    return (name, f"`{sampler.scheduler}`", _options(choose(name).options), remarks)


def _family_row(family: Family) -> tuple[str, ...]:
    guidance = f"{family.guidance:g}" if family.guidance else "off"
    return (
        f"`{family.name}`",
        f"`{family.pipeline.name}`",
        _scheduler(family.scheduler),
        str(family.steps),
        guidance,
        f"{family.size_px} px",
        family.note,
    )


def _source_row(family: Family) -> tuple[str, ...]:
    roles = [family.defaults[role] for role in ("model", "lora") if role in family.defaults]
    entries = [registry()[name] for name in roles]
    sources = [
        source for e in entries for source in (e.source, *(p.source for p in e.parts.values()))
    ]
    sold = {entry.commercial for entry in entries}
    worst = "**no**" if False in sold else "not known" if None in sold else "yes"
    conditions = dict.fromkeys(entry.conditions for entry in entries if entry.conditions)
    return (
        f"`{family.name}`",
        " + ".join(dict.fromkeys(sources)),
        "; ".join(dict.fromkeys(entry.licence for entry in entries)),
        worst + (f" ({'; '.join(conditions)})" if conditions else ""),
        _sum(entry.download_gb for entry in entries),
        _sum(entry.gpu_gb for entry in entries[:1]),  # a LoRA is merged into the weights
    )


def _sum(sizes: Iterable[float | None]) -> str:
    known = list(sizes)
    total = round(sum(size for size in known if size is not None), 1)
    return gigabytes(total or None) + (" and a little" if total and None in known else "")


def _scheduler(wanted: Wanted) -> str:
    if isinstance(wanted, str):
        return wanted
    rest = {key: value for key, value in wanted.items() if key != "class"}
    return f"{wanted['class']}, {_options(rest)}"


def _options(options: Mapping[str, Any]) -> str:
    return ", ".join(f"`{key}: {_yaml(value)}`" for key, value in options.items())


def _yaml(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _table(heads: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    heads = tuple(heads)
    lines = [heads, ("---",) * len(heads), *rows]
    return "".join(
        f"|{'|'.join(f' {cell} ' if cell else ' ' for cell in line)}|\n" for line in lines
    )


def main() -> None:
    """Write or check all pages; exit with the stale ones when checking."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    action = parser.add_mutually_exclusive_group(required=True)
    action.add_argument("--write", action="store_true", help="bring the tables up to date")
    action.add_argument("--check", action="store_true", help="fail when one is not")
    parser.add_argument("--docs", type=Path, default=ROOT / "docs", help="folder of the pages")
    options = parser.parse_args()
    pages = stale(options.docs)
    if options.check and pages:
        names = ", ".join(page.name for page in pages)
        raise SystemExit(f"not current: {names}, wanted python -m tools.docs_tables --write")
    for page, text in pages.items():
        page.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
