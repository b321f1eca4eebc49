"""Which causes pass: those that neither the person nor a programmer can mend."""

from __future__ import annotations

import errno
import sys

import numpy as np
import pytest

from assets3d.errors import InputError, PassingError
from stages import inputs
from stages._failures import cause_of, from_exception


def _error_of(module: str, text: str) -> Exception:
    """Return an error as a package with errors of its own raises it."""
    return type("error", (Exception,), {"__module__": module})(text)


@pytest.mark.parametrize(
    "error",
    [
        MemoryError(),
        PassingError("model: no network"),
        OSError(errno.ENOSPC, "No space left on device"),
        RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 1 bytes"),
        _error_of("cv2", "(-4:Insufficient memory) Failed to allocate 4000000000 bytes"),
        _error_of("onnxruntime.capi.x", "Failed to allocate memory for requested buffer of size 9"),
    ],
)
def test_want_of_memory_disk_and_network_passes(error):
    assert cause_of(error) == "passing"
    assert cause_of(_raised_from(error)) == "passing"


def _raised_from(cause: Exception) -> Exception:
    try:
        raise ValueError("a library's own words") from cause
    except ValueError as error:
        return error


@pytest.mark.skipif(sys.platform != "linux", reason="/dev/full is Linux's")
def test_a_disk_that_numpy_finds_full_passes():
    with pytest.raises(OSError, match="written") as caught:
        np.zeros(100_000).tofile("/dev/full")
    assert caught.value.errno is None
    assert cause_of(caught.value) == "passing"


@pytest.mark.parametrize(
    "error",
    [
        ValueError("out of memory"),
        OSError("a decoder's own words"),
        _error_of("cv2", "(-215:Assertion failed) !ssize.empty() in function 'resize'"),
    ],
)
def test_everything_else_is_a_bug_with_its_place(error):
    assert cause_of(error) == "bug"
    assert type(error).__name__ in from_exception("crate", "mesh", error).message


def test_bad_input_stays_bad_input_whatever_caused_it():
    error = InputError("image: found nothing")
    error.__cause__ = MemoryError()
    assert cause_of(error) == "input"


def test_the_inputs_stage_says_a_full_disk_in_one_line(tmp_path, monkeypatch, capsys):
    def full(_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(inputs, "write_inputs", full)
    assert inputs.main(["--out", str(tmp_path / "inputs")]) == 1
    assert capsys.readouterr().err.startswith("inputs: [Errno 28] No space left on device")
