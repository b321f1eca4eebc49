"""Compile the native kernel: `python -m assets3d.native.build`.

Standard library only, because setup.py calls it before anything is installed. The compiler is
$CXX, else g++ or clang++, else the one in the `ziglang` package. The sources of arithmetic are
compiled once per instruction set; the library chooses at run time.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import platform
import shlex
import shutil
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

HERE = Path(__file__).resolve().parent
SUFFIX = {"win32": ".dll", "darwin": ".dylib"}.get(sys.platform, ".so")
LIBRARY = HERE / f"_kernel{SUFFIX}"

#: Name, instruction set, flags and block height (the shape measured fastest for its vectors).
Kernel = tuple[str, str, list[str], int]

X86_KERNELS: tuple[Kernel, ...] = (
    ("baseline", "sse2", ["-msse2"], 2),
    ("avx2", "avx2", ["-mavx2", "-mfma"], 2),
    (
        "avx512",
        "avx512",
        ["-mavx512f", "-mavx512dq", "-mavx512bw", "-mavx512vl", "-mavx2", "-mfma"],
        4,
    ),
)
OTHER_KERNELS: tuple[Kernel, ...] = (("baseline", "baseline", [], 2),)

#: Compiled once.
COMMON_SOURCES = (
    *("rasteriser.cpp", "descent.cpp", "pool.cpp", "mesh_renderer.cpp", "surface.cpp"),
    "mann_driver.cpp",
)
#: Compiled for each instruction set, with the beginning of the name of the table each exports.
TABLE_SOURCES = (("kernel.cpp", "a3d_table"), ("mann.cpp", "a3d_mann"))

#: -ffp-contract=off: forward and backward must round alike, so fused multiply-adds are written out.
FLAGS = [
    *("-std=c++17", "-O3", "-ffp-contract=off", "-fno-math-errno", "-fno-trapping-math"),
    *("-fvisibility=hidden", "-pthread"),
]


def compiler() -> list[str]:
    """Return the command of a C++ compiler.

    Raises:
        RuntimeError: one line saying what to install when there is none.
    """
    if os.environ.get("CXX"):
        return shlex.split(os.environ["CXX"])
    for name in ("g++", "clang++"):
        if found := shutil.which(name):
            return [found]
    if importlib.util.find_spec("ziglang"):
        return [sys.executable, "-m", "ziglang", "c++"]
    raise RuntimeError(
        "compiler: found neither $CXX, g++, clang++ nor the ziglang package, wanted one of them "
        "(Debian: apt install g++; anywhere: pip install ziglang)"
    )


def source_mark() -> str:
    """Return a digest of all sources; the library carries it, so file times play no part."""
    digest = hashlib.sha256()
    for path in sorted([*HERE.glob("*.cpp"), *HERE.glob("*.h"), HERE / "build.py"]):
        digest.update(path.name.encode() + b"\0" + path.read_bytes().replace(b"\r\n", b"\n"))
    return f"a3d-sources-{digest.hexdigest()[:32]}"


def is_current() -> bool:
    """Say whether the library exists and was made from the sources that lie beside it."""
    return LIBRARY.is_file() and source_mark().encode() in LIBRARY.read_bytes()


def build(target: Path = LIBRARY) -> Path:
    """Compile and link the kernel into `target`; a half-written library never bears that name.

    Raises:
        RuntimeError: one line, when there is no compiler or it fails.
    """
    command = compiler()
    x86 = platform.machine().lower() in ("x86_64", "amd64")
    shared = [] if sys.platform == "win32" else ["-fPIC"]
    defines = [f'-DA3D_SOURCES="{source_mark()}"', *(["-DA3D_X86"] if x86 else [])]
    # In the target's folder, so that the last step is a rename on one file system.
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=".build-") as folder:
        jobs = []
        for source in COMMON_SOURCES:
            jobs.append(([*FLAGS, *shared, *defines], source, f"{folder}/{Path(source).stem}.o"))
        for table, name, flags, height in X86_KERNELS if x86 else OTHER_KERNELS:
            macros = [f'-DA3D_NAME="{name}"', f"-DA3D_BLOCK_HEIGHT={height}"]
            for source, prefix in TABLE_SOURCES:
                own = [*FLAGS, *shared, *flags, *macros, f"-DA3D_TABLE={prefix}_{table}"]
                jobs.append((own, source, f"{folder}/{prefix}_{table}.o"))
        with ThreadPoolExecutor(max_workers=min(4, os.cpu_count() or 1)) as pool:
            list(
                pool.map(
                    lambda job: _run([*command, *job[0], "-c", str(HERE / job[1]), "-o", job[2]]),
                    jobs,
                )
            )
        linked = f"{folder}/{target.name}"
        _run([*command, "-shared", "-pthread", *(job[2] for job in jobs), "-o", linked])
        Path(linked).replace(target)
    return target


def _run(command: list[str]) -> None:
    try:
        done = subprocess.run(command, capture_output=True, text=True, errors="replace")
    except OSError as error:
        raise RuntimeError(f"compiler: {command[0]} could not be started ({error})") from None
    if done.returncode:
        lines = [line for line in done.stderr.splitlines() if "error" in line.lower()]
        reason = (lines or done.stderr.splitlines() or ["no message"])[0]
        raise RuntimeError(f"compiler: {command[0]} failed with {done.returncode}: {reason}")


if __name__ == "__main__":
    try:
        build()
    except RuntimeError as error:
        sys.exit(str(error))
