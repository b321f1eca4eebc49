"""Packs and assets whose names would meet: in one folder of export/, or in one of an engine."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from assets3d.errors import InputError
from assets3d.export.engines import ENGINES, Engine
from stages.specs import Spec


def pack_folder(pack: str, engine: str, usual: str) -> str:
    """Return the folder of a pack in export/: packs for another engine than the profile's differ.

    Args:
        pack: its name.
        engine: whom it is delivered for.
        usual: the profile's engine.
    """
    return pack if engine == usual else f"{pack}-{engine}"


def shared_folders(assets: Mapping[str, Spec], usual: str) -> Iterator[str]:
    """Yield a line per pack that is called what another engine's copy of a pack is called."""
    packs = dict.fromkeys(spec.pack for spec in assets.values())
    for pack in packs:
        for engine in ENGINES:
            folder = pack_folder(pack, engine, usual)
            if folder != pack and folder in packs:
                yield (
                    f"pack: found {folder} beside {pack}, wanted another name for it: "
                    f"`assets3d export --engine {engine}` delivers the pack {pack} into "
                    f"export/{folder}"
                )


def shared_names(assets: Mapping[str, Spec], engine: Engine) -> Iterator[str]:
    """Yield a line per asset that would have a name which another one of its pack has."""
    owners: dict[tuple[str, str], str] = {}
    for asset, spec in assets.items():
        names = {(spec.pack, name) for name in engine.names(asset)}
        taken = sorted(names & owners.keys())
        if taken:
            yield (
                f"id: found {owners[taken[0]]} and {asset} in pack {spec.pack}, wanted other ids "
                f"or packs: for {engine.name} both become {taken[0][1]}"
            )
        owners |= dict.fromkeys(names - owners.keys(), asset)


def check_names(
    assets: Mapping[str, Spec],
    engine: Engine,
    usual: str,
    meant: Mapping[str, Spec] | None = None,
) -> None:
    """Refuse assets whose names would meet where an engine finds them.

    Args:
        assets: the manifest's.
        engine: whom they are delivered for.
        usual: the profile's engine.
        meant: those that are delivered, by default all.

    Raises:
        InputError: one line, with the first two.
    """
    meant = assets if meant is None else meant
    found = [*shared_folders(assets, usual), *shared_names(meant, engine)]
    if found:
        raise InputError(found[0] + (f" (and {len(found) - 1} more)" if len(found) > 1 else ""))


def other_engines(assets: Mapping[str, Spec], usual: str) -> list[str]:
    """Return a line per engine but the profile's for which names would meet."""
    found = []
    for name, engine in ENGINES.items():
        lines = [] if name == usual else list(shared_names(assets, engine))
        more = f" (and {len(lines) - 1} more)" if len(lines) > 1 else ""
        found += [lines[0] + more] if lines else []
    return found
