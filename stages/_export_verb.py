"""`assets3d export` builds assets for one engine and delivers them; `deliver` builds nothing."""

from __future__ import annotations

import fnmatch
from pathlib import Path

from assets3d.errors import AssetError, InputError
from assets3d.export.engines import engine_named
from assets3d.export.package import PACKAGE_FILE
from stages._adopt import adopt
from stages._build_verb import build_items
from stages._failures import Failure, read_failures
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
        packs = sorted({spec.pack for spec in assets.values()})
        if pack is not None and pack not in packs:
            raise InputError(f"pack: found {pack!r}, wanted one of {', '.join(packs)}")
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


def deliver_built(
    project: Project, only: str = "*", *, pack: str | None = None, to: Path = TO
) -> list[PackReport]:
    """Deliver what runs/export holds, such as what `dvc pull` brought, and build nothing.

    Neither the profile nor its card, models or packages are asked for.

    Args:
        project: the project.
        only: pattern of ids.
        pack: only the assets of this pack.
        to: the folder of the packs.

    Raises:
        InputError: there are no packages, or no asset is meant.
    """
    packages = project.runs / "export"
    if not packages.is_dir():
        raise InputError(
            "runs/export: found none, wanted it from `dvc pull` or `dvc repro`; "
            "`assets3d export` builds it"
        )
    manifest = project.manifest()
    meant = [n for n, s in manifest.assets.items() if fnmatch.fnmatchcase(n, only)]
    meant = [n for n in meant if pack in (None, manifest.assets[n].pack)]
    if not meant:
        raise InputError(f"only: found no asset that {only!r} fits, wanted one at least")
    reports = deliver_all(
        manifest.assets,
        lambda name: packages / name,
        to,
        mistaken=manifest.problems,
        refused=refused_of(read_failures(packages).failed),
        only=only,
        pack=pack,
    )
    lacking = [name for name in meant if not (packages / name / PACKAGE_FILE).is_file()]
    if lacking:
        more = f" (and {len(lacking) - 1} more)" if len(lacking) > 1 else ""
        line = f"{lacking[0]}{more}: found no package in runs/export, wanted it from `dvc pull`"
        reports[0].lines = (*reports[0].lines, line)
        reports[0].failed_assets = len(lacking)
    return reports
