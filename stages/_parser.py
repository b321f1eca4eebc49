"""What `assets3d` understands: its verbs and their options, each with an example."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from importlib.metadata import version

from assets3d.errors import InputError
from stages._shard import Shard
from stages.specs import KINDS

#: How a person calls it: `make` puts nothing on the PATH.
COMMAND = ".venv/bin/assets3d"
#: Verb -> what it does, and examples.
VERBS: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "new": (
        "add assets to the manifest",
        (
            "new 'a red mushroom'",
            "new photos/",
            "new 'a blue vase' --candidates 4",
            "new red_mug --prompt 'a red mug' --height-m 0.1",
            "new 'mossy rock' --kind material",
            "new cobbles --procedural cobble --size-px 1024",
            "new patrol --script 'walk 3 s, trot 4 s turn 40 deg/s, jump 1'",
        ),
    ),
    "build": (
        "build assets now, every step of them",
        ("build red_mug", "build --shard 3/16"),
    ),
    "export": (
        "build assets for an engine and copy them to export/",
        ("export --only 'mush*' --engine unreal", "export --pack village --to ../game/assets"),
    ),
    "deliver": (
        "copy what dvc pull brought to export/, and build nothing",
        ("deliver", "deliver --pack village --to ../game/assets"),
    ),
    "explain": ("say what dvc repro would rebuild, and why", ("explain",)),
    "show": ("show how an asset was made", ("show red_mug",)),
    "doctor": ("look over this installation", ("doctor",)),
    "models": ("list, describe and fetch models", ("models fetch sdxl-lightning-4",)),
    "props": ("say what the embedded models were taught", ("props list",)),
    "gc": ("remove what no asset uses any more", ("gc --dry-run",)),
    "open": ("open the gallery", ("open",)),
    "completion": (
        "print what makes the Tab key finish words",
        ("completion bash > ~/.local/share/bash-completion/completions/assets3d",),
    ),
}
_MODEL_ACTIONS = {
    "list": ("every model: whether it is on this machine, its size", "models list"),
    "table": ("licences, sizes and repositories, as a Markdown table", "models table"),
    "fetch": ("download, verify and pin", "models fetch sdxl-lightning-4"),
}
_PROPS_ACTIONS = {
    "list": (
        "the words of a prompt that are known; with --pictures, one prop of each",
        "props list",
    )
}
SHELLS = ("bash", "zsh", "fish")


def make_parser() -> argparse.ArgumentParser:
    """Return the parser of all verbs."""
    parser = argparse.ArgumentParser(
        prog="assets3d",
        description="From a manifest of wanted assets to game-ready files; dvc repro builds them.",
        epilog=f"example: {COMMAND} new 'a red mug' && make assets",
    )
    parser.add_argument("--version", action="version", version=f"assets3d {version('assets3d')}")
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="VERB")
    parsers = {
        verb: verbs.add_parser(
            verb,
            help=text,
            description=text,
            epilog=_examples(*examples),
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        for verb, (text, examples) in VERBS.items()
    }
    _add_new(parsers["new"])
    build = parsers["build"]
    build.add_argument("assets", metavar="ID", nargs="*", help="assets of the manifest")
    build.add_argument(
        "--shard", type=_shard, metavar="I/N", help="of all assets, the I-th of N equal parts"
    )
    parsers["export"].add_argument(
        *("--engine", "--profile"), dest="engine", help="generic, blender, unity, unreal or godot"
    )
    for verb in ("export", "deliver"):
        packs = parsers[verb]
        packs.add_argument("--only", metavar="PATTERN", default="*", help="ids, such as 'mush*'")
        packs.add_argument("--pack", help="only this pack")
        packs.add_argument("--to", metavar="FOLDER", help="where the packs lie, export/ by default")
    parsers["show"].add_argument("asset", metavar="ID", help="an asset of the manifest")
    parsers["explain"].add_argument("asset", metavar="ID", nargs="?", help="only this asset")
    _add_models(parsers["models"])
    listed = _add_actions(parsers["props"], _PROPS_ACTIONS)["list"]
    listed.add_argument("--pictures", action="store_true", help="draw runs/known_props.png too")
    parsers["gc"].add_argument("--dry-run", action="store_true", help="only say what would go")
    parsers["completion"].add_argument("shell", choices=SHELLS, help="the shell that you use")
    return parser


def _examples(*examples: str) -> str:
    if len(examples) == 1:
        return f"example: {COMMAND} {examples[0]}"
    return "\n".join(["examples:", *(f"  {COMMAND} {example}" for example in examples)])


def _add_new(new: argparse.ArgumentParser) -> None:
    new.add_argument(
        "what",
        metavar="WHAT",
        nargs="?",
        help="words, a picture, PLY, BVH or npy, a folder of pictures (an asset for each); "
        "or an id, with one of the options from --prompt to --between",
    )
    new.add_argument("--id", help="the id, if not one made from the words or the file's name")
    new.add_argument("--kind", choices=list(KINDS), help="prop by default")
    start = new.add_argument_group("what it is made from").add_mutually_exclusive_group()
    start.add_argument("--prompt", help="words")
    start.add_argument("--image", help="a picture, in inputs/")
    start.add_argument("--views", help="a folder of posed pictures, in inputs/")
    start.add_argument("--splats", help="a Gaussian splatting PLY, in inputs/")
    start.add_argument("--procedural", help="a family of the material world, such as bricks")
    start.add_argument("--script", help="commands for the quadruped, with commas between")
    start.add_argument("--bvh", help="a motion of any skeleton, in inputs/")
    start.add_argument("--joints", help="an npy of a text-to-motion system, in inputs/")
    start.add_argument("--between", nargs=2, metavar="BVH", help="two motions, in inputs/")
    fields = new.add_argument_group("fields")
    fields.add_argument("--seed", type=int, help="for every random choice of this asset")
    fields.add_argument("--candidates", type=int, help="make so many props and keep the best, 1-16")
    fields.add_argument("--height-m", type=float, help="a prop's height, a material's relief")
    fields.add_argument("--faces", type=int, help="most triangles of a prop's mesh")
    fields.add_argument("--texture-px", type=int, help="side of a prop's texture")
    fields.add_argument("--negative-prompt", help="what to keep out of the picture")
    fields.add_argument("--formats", nargs="+", help="files wanted beside the GLB: obj, stl")
    fields.add_argument("--up", help="up axis of your views or splats, such as -y (--up=-y)")
    fields.add_argument("--turn-deg", type=float, help="turns your views or splats to the front")
    fields.add_argument("--size-px", type=int, help="side of a material's tile")
    fields.add_argument("--tile-m", type=float, help="the same in metres")
    fields.add_argument("--packs", nargs="+", help="engines to pack a material's maps for")
    fields.add_argument("--pack", help="the folder of export/ that it is delivered in")
    fields.add_argument("--licence", help="of your own file, such as CC-BY-4.0")
    fields.add_argument("--seconds", type=float, help="length of the motion between two")
    fields.add_argument("--fps", type=int, help="frames a second of a motion")
    fields.add_argument(
        "--set",
        metavar="FIELD=VALUE",
        action="append",
        default=[],
        help="any other field of the manifest, such as --set clips=commands",
    )


def _add_actions(
    parser: argparse.ArgumentParser, what: Mapping[str, tuple[str, str]]
) -> dict[str, argparse.ArgumentParser]:
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    return {
        action: actions.add_parser(action, help=text, description=text, epilog=_examples(example))
        for action, (text, example) in what.items()
    }


def _add_models(parser: argparse.ArgumentParser) -> None:
    fetch = _add_actions(parser, _MODEL_ACTIONS)["fetch"]
    fetch.add_argument("names", metavar="NAME", nargs="*", help="the profile's by default")
    fetch.add_argument("--force", action="store_true", help="download again what is here")


def _shard(text: str) -> Shard:
    try:
        return Shard.read(text)
    except InputError as error:
        raise argparse.ArgumentTypeError(str(error)) from None
