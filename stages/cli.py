"""`assets3d <verb>`: what a person does besides `dvc repro`."""

from __future__ import annotations

import argparse
import sys
import webbrowser
from collections.abc import Callable, Sequence
from importlib.metadata import version

from assets3d.errors import AssetError
from stages import _verbs
from stages._project import Project, find_project

#: How a person calls it: `make` puts nothing on the PATH.
_COMMAND = ".venv/bin/assets3d"
_VERBS: dict[str, tuple[str, str]] = {
    "new": ("add an asset to the manifest", "new red_mug --prompt 'a red mug'"),
    "build": ("build one asset now, every step of it", "build red_mug"),
    "explain": ("say what dvc repro would rebuild, and why", "explain"),
    "show": ("show how an asset was made", "show red_mug"),
    "doctor": ("look over this installation", "doctor"),
    "models": ("list, describe and fetch models", "models fetch sdxl-lightning-4"),
    "gc": ("remove what no asset uses any more", "gc --dry-run"),
    "open": ("open the gallery", "open"),
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; return its exit status."""
    options = _parser().parse_args(arguments)
    try:
        project = find_project()
        return _HANDLERS[options.verb](project, options)
    except (AssetError, OSError) as error:
        print(f"assets3d {options.verb}: {error}", file=sys.stderr)
        return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="assets3d",
        description="From a manifest of wanted assets to game-ready files; dvc repro builds them.",
        epilog=f"example: {_COMMAND} new red_mug --prompt 'a red mug' && make assets",
    )
    parser.add_argument("--version", action="version", version=f"assets3d {version('assets3d')}")
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="VERB")
    parsers = {
        verb: verbs.add_parser(
            verb, help=text, description=text, epilog=f"example: {_COMMAND} {example}"
        )
        for verb, (text, example) in _VERBS.items()
    }
    new = parsers["new"]
    new.add_argument("asset", metavar="ID", help="a-z first, then a-z, 0-9, _ or -")
    kind = new.add_mutually_exclusive_group(required=True)
    kind.add_argument("--prompt", help="what to make, in words")
    kind.add_argument("--image", help="a picture, in inputs/")
    kind.add_argument("--views", help="a folder of posed pictures, in inputs/")
    kind.add_argument("--splats", help="a Gaussian splatting PLY, in inputs/")
    new.add_argument("--seed", type=int, help="for every random choice of this asset")
    new.add_argument("--height-m", type=float, help="height of the mesh in metres")
    new.add_argument("--faces", type=int, help="most triangles of the mesh")
    new.add_argument("--texture-px", type=int, help="side of the texture, a power of two")
    new.add_argument("--negative-prompt", help="what to keep out of the picture")
    new.add_argument("--formats", nargs="+", help="files wanted beside the GLB: obj, stl")
    new.add_argument("--up", help="up axis of your views or splats, such as -y (--up=-y)")
    new.add_argument("--turn-deg", type=float, help="turns your views or splats to the front")
    for verb in ("build", "show"):
        parsers[verb].add_argument("asset", metavar="ID", help="an asset of the manifest")
    parsers["explain"].add_argument("asset", metavar="ID", nargs="?", help="only this asset")
    _add_models(parsers["models"])
    parsers["gc"].add_argument("--dry-run", action="store_true", help="only say what would go")
    return parser


def _add_models(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    actions.add_parser("list", help="every model: whether it is on this machine, its size")
    actions.add_parser("table", help="licences, sizes and repositories, as a Markdown table")
    fetch = actions.add_parser("fetch", help="download, verify and pin")
    fetch.add_argument("names", metavar="NAME", nargs="*", help="the profile's by default")
    fetch.add_argument("--force", action="store_true", help="download again what is here")


def _new(project: Project, options: argparse.Namespace) -> int:
    given = {name: value for name, value in vars(options).items() if value is not None}
    fields = {name: value for name, value in given.items() if name not in ("verb", "asset")}
    line = _verbs.add_asset(project.manifest_path, options.asset, fields)
    print(f"{project.manifest_path}: {line}")
    return 0


def _build(project: Project, options: argparse.Namespace) -> int:
    folder = _verbs.build_asset(project, options.asset)
    print(f"{options.asset}: {folder} (the gallery shows it after the next `make assets`)")
    return 0


def _explain(project: Project, options: argparse.Namespace) -> int:
    from stages._explain import explain

    found = explain(project, options.asset)
    print("\n".join(found.lines) if found.lines else "nothing to rebuild")
    return 1 if found.failed else 0


def _show(project: Project, options: argparse.Namespace) -> int:
    print("\n".join(_verbs.show_asset(project, options.asset)))
    return 0


def _doctor(project: Project, options: argparse.Namespace) -> int:
    from stages import _doctor as doctor

    findings = doctor.examine(project)
    for finding in findings:
        print(finding)
    return 1 if any(finding.state == "missing" for finding in findings) else 0


def _models(project: Project, options: argparse.Namespace) -> int:
    from stages import _models_verbs as verbs

    if options.action == "table":
        print(verbs.models_table(), end="")
    elif options.action == "list":
        print("\n".join(verbs.models_list()))
    else:
        for name in options.names or verbs.profile_models(project):
            print(verbs.models_fetch(name, force=options.force, say=print))
    return 0


def _gc(project: Project, options: argparse.Namespace) -> int:
    from stages import _garbage

    print("\n".join(_garbage.collect(project, dry_run=options.dry_run)))
    return 0


def _open(project: Project, options: argparse.Namespace) -> int:
    page = (project.runs / "gallery" / "index.html").resolve()
    if not page.is_file():
        raise AssetError(f"no {page.name} in runs/gallery, wanted it from dvc repro")
    if webbrowser.open(page.as_uri()):
        print(page)
    else:
        print(f"no browser found, open this file: {page}")
    return 0


_HANDLERS: dict[str, Callable[[Project, argparse.Namespace], int]] = {
    "new": _new,
    "build": _build,
    "explain": _explain,
    "show": _show,
    "doctor": _doctor,
    "models": _models,
    "gc": _gc,
    "open": _open,
}

if __name__ == "__main__":
    sys.exit(main())
