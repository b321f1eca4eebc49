"""`python -m motion.play`: open a page and drive the animal with the keyboard.

example: python -m motion.play --weights path/to/expert/folder
"""

from __future__ import annotations

import argparse
import sys
import webbrowser
from collections.abc import Sequence
from pathlib import Path

from assets3d.errors import AssetError


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve until interrupted; return the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m motion.play",
        description="Drive the quadruped with the keyboard, in a page that only this machine sees.",
        epilog="example: python -m motion.play --weights path/to/expert/folder",
    )
    parser.add_argument("--weights", type=Path, help="folder of 58 files, safetensors or ONNX")
    parser.add_argument("--gating", choices=("441", "341"), default="441")
    parser.add_argument("--demo", action="store_true", help="the published demo's laws of control")
    parser.add_argument("--port", type=int, default=8360)
    parser.add_argument("--no-browser", action="store_true", help="only print the address")
    options = parser.parse_args(arguments)
    try:
        return _serve(options)
    except (AssetError, OSError, OverflowError) as error:  # the last is a port above 65535
        sys.stderr.write(f"motion.play: {error}\n")
        return 1


def _serve(options: argparse.Namespace) -> int:
    from aiohttp import web

    from motion.control.controller import Controller, ControlSettings
    from motion.network.forward import GATING_341, GATING_441, Network
    from motion.play.server import HOST, make_app
    from motion.weights import EMBEDDED, expanded, read_weights

    # A small file of few experts still gives the eight that the page shows.
    weights = expanded(read_weights(options.weights or EMBEDDED))
    gating = GATING_341 if options.gating == "341" else GATING_441
    network = Network(weights, gating=gating)
    settings = ControlSettings.demo() if options.demo else ControlSettings()
    address = f"http://{HOST}:{options.port}/"

    def say(*_: object) -> None:
        sys.stderr.write(f"motion.play: {address} (Ctrl-C ends)\n")
        if not options.no_browser:
            webbrowser.open(address)

    app = make_app(lambda: Controller(network, settings))
    web.run_app(app, host=HOST, port=options.port, print=say)
    return 0


if __name__ == "__main__":
    sys.exit(main())
