"""`assets3d <verb>`: what a person does besides `dvc repro`."""

from __future__ import annotations

import argparse
import os
import select
import sys
import webbrowser
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from assets3d.errors import AssetError, InputError
from stages import _verbs
from stages._parser import make_parser
from stages._project import Project, find_project
from stages.manifest import Manifest

if TYPE_CHECKING:
    from stages.deliver import PackReport

#: What shells say of a command that a closed pipe ended.
_NOBODY_READS = 141
_STDOUT = 1


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; return its exit status."""
    parser = make_parser()
    options = parser.parse_args(arguments)
    if options.verb == "completion":
        from stages._completion import completion_script

        print(completion_script(parser, options.shell))
        return 0
    options.here = Path.cwd()  # before we go to the project's root
    try:
        project = find_project()
        status = _HANDLERS[options.verb](project, options)
        sys.stdout.flush()
        return status
    except (AssetError, OSError) as error:
        if isinstance(error, BrokenPipeError) and hasattr(select, "poll") and _nobody_reads():
            return _NOBODY_READS
        print(f"assets3d {options.verb}: {error}", file=sys.stderr)
        return 1


def _nobody_reads() -> bool:
    """Say whether whoever read the output (`| head`) stopped; the rest of it goes nowhere."""
    poll = select.poll()
    poll.register(_STDOUT, select.POLLOUT)
    gone = any(event & (select.POLLERR | select.POLLHUP) for _, event in poll.poll(0))
    if gone:
        os.dup2(os.open(os.devnull, os.O_WRONLY), _STDOUT)
    return gone


def _new(project: Project, options: argparse.Namespace) -> int:
    from stages import _new as new

    given = {
        name: value
        for name, value in vars(options).items()
        if value is not None and name not in ("verb", "what", "id", "set", "here")
    }
    if "script" in given:
        given["script"] = new.read_script(given["script"])
    path = project.manifest_path
    manifest = project.manifest() if path.is_file() else Manifest({}, {})
    taken = {name: getattr(manifest.assets.get(name), "image", None) for name in manifest.order}
    wanted = new.wanted_entries(
        *(options.what, given | new.read_fields(options.set)),
        here=options.here,
        taken=taken,
        name=options.id,
    )
    for line in _verbs.add_assets(path, wanted.entries):
        print(f"{path}: {line}")
    for line in wanted.notes:
        print(line)
    for line in wanted.refused:
        print(f"assets3d new: left out: {line}", file=sys.stderr)
    return 1 if wanted.refused else 0


def _build(project: Project, options: argparse.Namespace) -> int:
    if options.shard is not None:
        if options.assets:
            raise InputError(f"--shard: found {options.assets[0]} too, wanted one or the other")
        from stages._shard import build_shard

        return 1 if build_shard(project, options.shard) else 0
    if not options.assets:
        raise InputError("found no id, wanted assets of the manifest or --shard")
    from stages._build_verb import build_asset

    for asset in options.assets:
        folder = build_asset(project, asset)
        print(f"{asset}: {folder} (the gallery shows it after the next `make assets`)")
    return 0


def _export(project: Project, options: argparse.Namespace) -> int:
    from stages import _export_verb as verb

    to = _packs_folder(options)
    return _told(
        verb.export_assets(project, options.only, engine=options.engine, pack=options.pack, to=to)
    )


def _deliver(project: Project, options: argparse.Namespace) -> int:
    from stages import _export_verb as verb

    to = _packs_folder(options)
    return _told(verb.deliver_built(project, options.only, pack=options.pack, to=to))


def _packs_folder(options: argparse.Namespace) -> Path:
    from stages import _export_verb as verb

    return verb.TO if options.to is None else (options.here / options.to).resolve()


def _told(reports: Sequence[PackReport]) -> int:
    for report in reports:
        print("\n".join([*report.lines, str(report)]))
    return 1 if any(report.failure or report.failed_assets for report in reports) else 0


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


def _props(project: Project, options: argparse.Namespace) -> int:
    from stages import _known as known

    words = known.image_words()
    print("\n".join(known.known_lines(words)))
    if options.pictures:
        count = known.draw_sheet(known.SHEET, words)
        print(f"{count} props: {known.SHEET}")
    else:
        print("pictures of them: assets3d props list --pictures")
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
    "export": _export,
    "deliver": _deliver,
    "explain": _explain,
    "show": _show,
    "doctor": _doctor,
    "models": _models,
    "props": _props,
    "gc": _gc,
    "open": _open,
}

if __name__ == "__main__":
    sys.exit(main())
