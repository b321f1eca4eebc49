"""rembg's ONNX files, found by rembg's own rules without importing it (2 seconds)."""

from __future__ import annotations

import os
from pathlib import Path

from assets3d.errors import InputError, PassingError
from assets3d.hub import one_line


def rembg_file(where: str, name: str, download: bool) -> Path:
    """Return rembg's file of a model.

    Raises:
        InputError: it is not on this machine and `download` is off.
        PassingError: the download failed.
    """
    data_home = os.environ.get("XDG_DATA_HOME")
    legacy = os.environ.get("U2NET_HOME") or f"{data_home or '~'}/.u2net"
    home = os.environ.get("U2NET_HOME") or os.environ.get("REMBG_HOME")
    home = home or (f"{data_home}/rembg" if data_home else "~/.rembg")
    places = [Path(home, "models", name, f"{name}.onnx"), Path(legacy, f"{name}.onnx")]
    for place in (p.expanduser() for p in places):
        if place.is_file():
            return place
    if not download:
        raise InputError(
            f"{where}: {name}.onnx is not on this machine, wanted `assets3d models fetch {name}` "
            "(or `download: true` in the profile)"
        )
    from rembg.sessions import sessions

    try:
        return Path(sessions[name].download_models())
    except OSError as error:
        raise PassingError(f"{where}: {name} could not be fetched ({one_line(error)})") from None
