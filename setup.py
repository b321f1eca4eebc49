"""Build step of the package: compile the native kernel. All else: pyproject.toml."""

import runpy
import shutil
from pathlib import Path

from setuptools import Distribution, setup
from setuptools.command.build_py import build_py

NATIVE = Path(__file__).parent / "assets3d" / "native"


class BuildWithKernel(build_py):
    """Compile the kernel, then copy it with the rest."""

    def run(self) -> None:
        """Compile unless current; without a compiler, leave it to the first use to complain."""
        tools = runpy.run_path(str(NATIVE / "build.py"))
        if not tools["is_current"]():
            try:
                tools["build"]()
            except RuntimeError as error:
                self.warn(f"native kernel not built: {error}")
        super().run()
        if not self.editable_mode and tools["LIBRARY"].is_file():
            target = Path(self.build_lib) / "assets3d" / "native"
            target.mkdir(parents=True, exist_ok=True)
            shutil.copy2(tools["LIBRARY"], target)


class BinaryDistribution(Distribution):
    """Says that the wheel holds machine code, so that it is named for its platform."""

    def has_ext_modules(self) -> bool:
        """Return True: the kernel is loaded with ctypes, so setuptools cannot see it."""
        return True


setup(cmdclass={"build_py": BuildWithKernel}, distclass=BinaryDistribution)
