"""Every command says how it is called, with examples that it takes; shells complete them."""

from __future__ import annotations

import argparse
import importlib
import pkgutil
import shlex
import shutil
import subprocess
from collections.abc import Iterator

import pytest

import stages
from stages import cli
from stages._completion import completion_script
from stages._parser import SHELLS, make_parser


def parsers(parser: argparse.ArgumentParser) -> Iterator[argparse.ArgumentParser]:
    yield parser
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for inner in action.choices.values():
                yield from parsers(inner)


def examples(text: str) -> list[list[str]]:
    """Return the words of every example in an epilog."""
    _, mark, rest = text.partition("example")
    assert mark, text
    lines = rest.partition(":")[2].strip().splitlines()
    commands = [command for line in lines for command in line.split("&&")]
    return [shlex.split(c.partition(">")[0]) for c in commands if c.strip() != "make assets"]


def test_every_verb_has_examples_that_it_understands(capsys):
    names = set()
    for parser in parsers(make_parser()):
        names.add(parser.prog)
        given = examples(parser.epilog or "")
        for program, *words in given:
            assert program == ".venv/bin/assets3d"
            make_parser().parse_args(words)
            assert f"assets3d {words[0]}".startswith(parser.prog.partition(" models ")[0][:12])
    assert {"assets3d new", "assets3d completion", "assets3d models fetch"} <= names
    for verb in ("new", "gc"):
        with pytest.raises(SystemExit) as end:
            cli.main([verb, "--help"])
        assert end.value.code == 0
        assert f".venv/bin/assets3d {verb} " in capsys.readouterr().out


def stage_modules() -> list[str]:
    names = [module.name for module in pkgutil.iter_modules(stages.__path__)]
    return [name for name in names if not name.startswith("_") and name not in ("cli", "specs")]


@pytest.mark.parametrize("name", [name for name in stage_modules() if name != "manifest"])
def test_every_stage_has_an_example_that_it_understands(name, capsys, monkeypatch):
    module = importlib.import_module(f"stages.{name}")

    def call(words: list[str]) -> None:
        if hasattr(module, "STEP"):
            from stages._harness import main

            main(module.STEP, words)
        else:
            module.main(words)

    with pytest.raises(SystemExit) as end:
        call(["--help"])
    assert end.value.code == 0
    text = " ".join(capsys.readouterr().out.split())
    (example,) = examples(text[text.rindex("example") :])
    assert example[:3] == [".venv/bin/python", "-m", f"stages.{name}"]
    # It is understood: parsing goes through, and nothing is done.
    seen = []

    def parse_only(parser, words):
        seen.append(real(parser, words))
        raise SystemExit(0)

    real = argparse.ArgumentParser.parse_args
    monkeypatch.setattr(argparse.ArgumentParser, "parse_args", parse_only)
    with pytest.raises(SystemExit):
        call(example[3:])
    assert len(seen) == 1


def test_every_option_says_what_it_is():
    for parser in parsers(make_parser()):
        for action in parser._actions:
            assert action.help or isinstance(action, argparse._SubParsersAction), parser.prog


@pytest.fixture
def project(tmp_path):
    (tmp_path / "configs").mkdir()
    (tmp_path / "inputs").mkdir()
    (tmp_path / "configs/pipeline.yaml").write_text("profile: x\nmanifest: configs/mine.yaml\n")
    (tmp_path / "configs/mine.yaml").write_text(
        "# red_herring: no\nred_mug: {prompt: a}\nred_car:\n  prompt: b\nblue_hat: {prompt: c}\n"
    )
    return tmp_path


def complete(shell: str, script: str, line: str, folder) -> set[str]:
    """Ask a real shell what it would offer at the end of a line."""
    program = shutil.which(shell)
    if program is None:
        pytest.skip(f"{shell} is not installed")
    words = line.split(" ")
    if shell == "bash":
        text = f"""{script}
COMP_WORDS=({" ".join(word or "''" for word in words)}); COMP_CWORD={len(words) - 1}
_shtab_assets3d; printf '%s\\n' "${{COMPREPLY[@]}}" """
    elif shell == "fish":
        text = f"{script}\ncomplete -C '{line}' | string split -f 1 \\t"
    else:
        # zsh offers through its line editor alone: its functions are taken down to the ids.
        text = f"""compdef() {{ : }}; compadd() {{ shift; print -l -- $@ }}
eval {shlex.quote(script)} 2>/dev/null; _assets3d_ids"""
    done = subprocess.run(
        [program, *(["-f"] if shell == "zsh" else []), "-c", text],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return {word.strip() for word in done.stdout.splitlines() if word.strip()}


@pytest.mark.parametrize("shell", SHELLS)
def test_shells_complete_ids_of_the_manifest(shell, project):
    script = completion_script(make_parser(), shell)
    assert "Traceback" not in script
    found = complete(shell, script, "assets3d build red_", project / "inputs")
    ids = {"red_mug", "red_car", *({"blue_hat"} if shell == "zsh" else ())}
    assert found == ids


@pytest.mark.parametrize("shell", ["bash", "fish"])
def test_shells_complete_verbs_and_options(shell, project):
    script = completion_script(make_parser(), shell)
    assert {"explain", "show"} <= complete(shell, script, "assets3d ", project)
    assert "--procedural" in complete(shell, script, "assets3d new --pro", project)
    assert {"unity", "unreal"} <= complete(shell, script, "assets3d export --engine u", project)
    assert {"red_mug", "red_car"} <= complete(shell, script, "assets3d export --only r", project)
    assert {"bash", "zsh", "fish"} <= complete(shell, script, "assets3d completion ", project)


def test_completion_needs_no_project(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert cli.main(["completion", "bash"]) == 0
    assert "complete -" in capsys.readouterr().out
