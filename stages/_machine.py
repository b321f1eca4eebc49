"""What this machine has to compute with; found out without importing torch."""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

_QUERY = ("--query-gpu=name,memory.total", "--format=csv,noheader,nounits")


@dataclass(frozen=True)
class Gpu:
    """A graphics card."""

    name: str
    memory_gb: float


@dataclass(frozen=True)
class Machine:
    """What a machine has.

    Attributes:
        cores: processor cores.
        memory_gb: main memory, 10**9 bytes; None where the system does not say.
        gpus: NVIDIA cards, as the driver names them.
        torch_build: what torch was built for: "CUDA 12.8", "CPU", or "" where there is no torch.
    """

    cores: int
    memory_gb: float | None
    gpus: tuple[Gpu, ...]
    torch_build: str

    @property
    def gpu(self) -> Gpu | None:
        """The card that `device: cuda` means, where torch can use it."""
        return self.gpus[0] if self.gpus and self.torch_build.startswith("CUDA") else None


def read_machine() -> Machine:
    """Ask the operating system, the NVIDIA driver and torch's files."""
    return Machine(os.cpu_count() or 1, _memory_gb(), _gpus(), _torch_build())


def _memory_gb() -> float | None:
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9
    except (AttributeError, ValueError, OSError):
        return None


def _gpus() -> tuple[Gpu, ...]:
    program = shutil.which("nvidia-smi")
    if program is None:
        return ()
    try:
        done = subprocess.run(
            [program, *_QUERY], capture_output=True, text=True, timeout=20, check=True
        )
    except (OSError, subprocess.SubprocessError):
        return ()  # a driver without a card, or one that hangs
    return read_gpus(done.stdout)


def read_gpus(text: str) -> tuple[Gpu, ...]:
    """Read the driver's lines `name, MiB`."""
    found = []
    for line in text.splitlines():
        name, _, mebibytes = line.rpartition(",")
        if mebibytes.strip().isdigit():
            found.append(Gpu(name.strip(), int(mebibytes) * 2**20 / 1e9))
    return tuple(found)


def _torch_build() -> str:
    spec = importlib.util.find_spec("torch")
    if spec is None or spec.origin is None:
        return ""
    try:
        text = (Path(spec.origin).parent / "version.py").read_text(encoding="utf-8")
    except OSError:
        return ""
    return read_torch_build(text)


def read_torch_build(text: str) -> str:
    """Return what torch's version.py says that it was built for."""
    cuda = re.search(r"^cuda\b[^=]*=\s*'([\d.]+)'", text, re.MULTILINE)
    return f"CUDA {cuda[1]}" if cuda else "CPU"
