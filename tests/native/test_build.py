"""The build: which compiler, atomic, one-line errors; and the library it makes."""

from __future__ import annotations

import subprocess
import sys

import pytest

from assets3d.native import build, library


def test_loaded_library_is_current():
    library.kernel()
    assert build.is_current()


def test_baseline_runs_everywhere():
    assert 0 in library.instruction_sets()


def test_one_line_without_a_compiler(monkeypatch):
    monkeypatch.delenv("CXX", raising=False)
    monkeypatch.setattr(build.shutil, "which", lambda name: None)
    monkeypatch.setattr(build.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(RuntimeError, match="wanted one of them") as error:
        build.compiler()
    assert "\n" not in str(error.value)


def test_ziglang_is_the_last_resort(monkeypatch):
    monkeypatch.delenv("CXX", raising=False)
    monkeypatch.setattr(build.shutil, "which", lambda name: None)
    monkeypatch.setattr(build.importlib.util, "find_spec", lambda name: object())
    assert build.compiler() == [sys.executable, "-m", "ziglang", "c++"]


def test_failed_compiler_leaves_the_old_library(monkeypatch, tmp_path):
    target = tmp_path / build.LIBRARY.name
    target.write_bytes(b"old")
    monkeypatch.setenv("CXX", f"{sys.executable} -c 'import sys; sys.exit(\"error: no\")'")
    with pytest.raises(RuntimeError, match="failed with 1"):
        build.build(target)
    assert target.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [target]


def test_a_missing_compiler_command_is_one_line(monkeypatch, tmp_path):
    monkeypatch.setenv("CXX", "no-such-compiler-here")
    with pytest.raises(RuntimeError, match="could not be started"):
        build.build(tmp_path / build.LIBRARY.name)


@pytest.mark.slow
def test_builds_from_nothing(tmp_path):
    target = build.build(tmp_path / build.LIBRARY.name)
    code = f"import ctypes; print(ctypes.CDLL({str(target)!r}).a3d_instruction_set)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
