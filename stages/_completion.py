"""Shell completion: words from the parser, ids of assets read from the manifest by the shell."""

from __future__ import annotations

import argparse
from typing import Any

from assets3d.export.engines import ENGINES
from stages._parser import SHELLS

_IDS = "_assets3d_ids"
#: The ids of the manifest of the project that the shell stands in; no Python is started.
_FIND = """
  local here="$PWD"
  while [ -n "$here" ] && [ ! -f "$here/configs/pipeline.yaml" ]; do here="${here%/*}"; done
  local manifest
  manifest="$(sed -n 's/^manifest: *//p' "$here/configs/pipeline.yaml" 2>/dev/null | head -n 1)"
  sed -n 's/^\\([a-z][a-z0-9_-]*\\):.*/\\1/p' "$here/${manifest:-configs/assets.yaml}" 2>/dev/null
"""
_PREAMBLES = {
    "bash": f"""
{_IDS}_list() {{{_FIND}}}
{_IDS}() {{ compgen -W "$({_IDS}_list)" -- "$1"; }}
""",
    "zsh": f"""
{_IDS}_list() {{{_FIND}}}
{_IDS}() {{ compadd -- $({_IDS}_list) }}
""",
    "fish": f"""
function {_IDS}
  set -l here $PWD
  while test -n "$here"; and not test -f "$here/configs/pipeline.yaml"
    set here (string replace -r '/[^/]*$' '' -- $here)
  end
  set -l manifest (sed -n 's/^manifest: *//p' "$here/configs/pipeline.yaml" 2>/dev/null)
  test -n "$manifest[1]"; or set manifest configs/assets.yaml
  sed -n 's/^\\([a-z][a-z0-9_-]*\\):.*/\\1/p' "$here/$manifest[1]" 2>/dev/null
end
""",
}
#: Which arguments want what, by verb.
_ASSETS = {
    "build": "assets",
    "show": "asset",
    "explain": "asset",
    "export": "only",
    "deliver": "only",
}
_PATHS = ("image", "splats", "bvh", "joints", "between", "what")


def completion_script(parser: argparse.ArgumentParser, shell: str) -> str:
    """Return the script for a shell, `bash`, `zsh` or `fish`."""
    import shtab

    assert shell in SHELLS, shell
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for verb, inner in action.choices.items():
                _say_what_is_wanted(verb, inner, shtab)
    return shtab.complete(parser, shell, preamble=_PREAMBLES)  # type: ignore[arg-type]


def _say_what_is_wanted(verb: str, parser: argparse.ArgumentParser, shtab: Any) -> None:
    for action in parser._actions:
        if action.dest == _ASSETS.get(verb):
            action.complete = {"bash": _IDS, "zsh": _IDS, "fish": f"({_IDS})"}  # type: ignore[attr-defined]
        elif verb == "export" and action.dest == "engine":
            action.choices = list(ENGINES)
        elif verb in ("export", "deliver") and action.dest == "to":
            action.complete = shtab.DIRECTORY  # type: ignore[attr-defined]
        elif verb == "new" and action.dest in _PATHS:
            action.complete = shtab.FILE  # type: ignore[attr-defined]
        elif verb == "new" and action.dest == "views":
            action.complete = shtab.DIRECTORY  # type: ignore[attr-defined]
