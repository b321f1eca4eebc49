"""`assets3d export`: builds some assets for one engine and delivers them, now."""

from __future__ import annotations

import fnmatch
from pathlib import Path

from assets3d.errors import AssetError, InputError
from assets3d.export.engines import engine_named
from stages._adopt import adopt
from stages._build_verb import build_items
from stages._failures import Failure
from stages._names import check_names, pack_folder
from stages._progress import say
from stages._project import Project
from stages.deliver import PackReport, deliver_all, refused_of

TO = Path("export")


def export_assets(
    project: Project,
    only: str = "*",
    *,
    engine: str | None = None,
    pack: str | None = None,
    to: Path = TO,
) -> list[PackReport]:
    """Build every step of some assets and deliver them; one that fails never stops the others.

    Packs for another engine than the profile's lie beside the others, as `<pack>-<engine>`.

    Args:
        project: the project.
        only: pattern of ids, such as `mush*`.
        engine: the engine, by default the profile's.
        pack: only the assets of this pack.
        to: the folder of the packs.

    Raises:
        InputError: an unknown engine, no asset is meant, or two would have one name there.
    """
    usual = project.params("export")["engine"]
    engine = engine_named(engine or usual).name
    manifest = project.manifest()
    assets = manifest.assets
    meant = {n: s for n, s in assets.items() if fnmatch.fnmatchcase(n, only)}
    meant = {n: s for n, s in meant.items() if pack in (None, s.pack)}
    problems = {n: w for n, w in manifest.problems.items() if fnmatch.fnmatchcase(n, only)}
    problems = problems if pack is None else {}  # nobody can say what pack they belong to
    for name, words in problems.items():
        say(f"{name}: manifest: {words}")
    if not meant and problems:
        raise InputError(f"only: every asset that {only!r} fits has a mistake in its entry")
    if not meant:
        where = f" of pack {pack}" if pack else ""
        raise InputError(f"only: found no asset{where} that {only!r} fits, wanted one at least")
    check_names(assets, engine_named(engine), usual, meant)
    adopt(project.runs, project.store)  # what `dvc pull` brought need not be built again
    folders: dict[str, Path] = {}
    failed = [Failure(name, "manifest", "input", words) for name, words in problems.items()]
    for name in meant:
        try:
            items = build_items(project, name, {"export": {"engine": engine}})
            folders[name] = items["export"].folder
        except AssetError as error:
            say(f"{error}")
            reason = str(error).removeprefix(f"{name}: export: ")
            failed.append(Failure(name, "export", "input", reason))
    suffix = pack_folder("", engine, usual)
    reports = deliver_all(
        assets,
        lambda name: folders.get(name, project.runs / ".nowhere"),
        to,
        mistaken=manifest.problems,
        refused=refused_of(failed),
        only=only,
        pack=pack,
        suffix=suffix,
    )
    if failed:
        count = len(meant) + len(problems)
        reports[0].lines = (*reports[0].lines, f"{len(failed)} of {count} assets failed")
        reports[0].failed_assets = len(failed)
    return reports
