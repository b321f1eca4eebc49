#!/bin/sh
# Make .venv with everything the project needs. Called by the Makefile; safe to run again.
# Settings: PYTHON (interpreter, 3.11 or 3.12), TORCH_INDEX (an extra package index for torch, e.g. the
# address that PyTorch's install page shows for "CPU": a small build without CUDA).
set -eu
PYTHON="${PYTHON:-python3.11}"
command -v "$PYTHON" >/dev/null 2>&1 || PYTHON=python3
"$PYTHON" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, 13))' 2>/dev/null || {
  echo "setup: $PYTHON is not Python 3.11 or 3.12; name one with: make PYTHON=/path/to/python3.11" >&2
  exit 1
}

# System packages, each with what it is for; the project works without them, less well.
missing=""
want() { missing="$missing $1"; }
"$PYTHON" -c 'import ensurepip' 2>/dev/null || want "$("$PYTHON" -c 'import sys; print("python%d.%d-venv" % sys.version_info[:2])')"
command -v g++ >/dev/null 2>&1 || command -v clang++ >/dev/null 2>&1 || want g++
has_library() { ldconfig -p 2>/dev/null | grep -q "$1" || [ -e "/usr/lib/$(uname -m)-linux-gnu/$1" ]; }
has_library libEGL.so.1 || want libegl1
has_library libEGL_mesa.so.0 || want libegl-mesa0
has_library libGL.so.1 || want libgl1
[ -d "/usr/lib/$(uname -m)-linux-gnu/dri" ] || want libgl1-mesa-dri
# Where nobody watches, no test may be skipped: pages are opened in a browser, GLB files validated by node,
# words completed by three shells.
if [ "${CI:-}" = true ]; then
  command -v chromium >/dev/null 2>&1 || want "chromium fonts-dejavu-core"
  command -v npm >/dev/null 2>&1 || want "nodejs npm"
  command -v zsh >/dev/null 2>&1 || want zsh
  command -v fish >/dev/null 2>&1 || want fish
fi

if [ -n "$missing" ]; then
  as_root=""
  [ "$(id -u)" = 0 ] || as_root="sudo -n"
  if command -v apt-get >/dev/null 2>&1 && { [ -z "$as_root" ] || sudo -n true 2>/dev/null; }; then
    echo "setup: installing$missing"
    $as_root apt-get update -qq || true
    # shellcheck disable=SC2086  # a list of package names
    DEBIAN_FRONTEND=noninteractive $as_root apt-get install -y -qq --no-install-recommends $missing >/dev/null \
      || echo "setup: apt could not install$missing; going on without" >&2
  else
    echo "setup: missing$missing; ask an administrator to install them, the slower fallbacks are used until then" >&2
  fi
fi

# A set-up that was stopped may have left an environment without pip; this completes it.
.venv/bin/python -m pip --version >/dev/null 2>&1 || "$PYTHON" -m venv .venv
pip() { .venv/bin/python -m pip --disable-pip-version-check "$@"; }
echo "setup: installing Python packages into .venv (some minutes the first time)"
pip install -q -c constraints.txt "setuptools>=75" wheel
# torch by itself first: an index given for it must not serve anything else, and what torch needs may
# be older there than in constraints.txt. The rest follows with the project.
if [ -n "${TORCH_INDEX:-}" ]; then
  pip install -q -c constraints.txt --no-deps --index-url "$TORCH_INDEX" torch
else
  pip install -q -c constraints.txt torch
fi
if ! command -v g++ >/dev/null 2>&1 && ! command -v clang++ >/dev/null 2>&1; then
  echo "setup: no C++ compiler: using the one in the ziglang package"
  pip install -q -c constraints.txt ziglang
fi
pip install -q -c constraints.txt --no-build-isolation -e ".[dev]"
.venv/bin/python -m assets3d.native.build
# The first import of rembg compiles for half a minute; do it now rather than in somebody's first build.
.venv/bin/python -c "import rembg" 2>/dev/null || echo "setup: rembg does not import" >&2

# The Khronos validator is a node package; without node the GLB files are not validated by it.
if command -v npm >/dev/null 2>&1; then
  npm install --silent --no-audit --no-fund >/dev/null 2>&1 \
    || echo "setup: npm could not install gltf-validator; GLB files will not be validated" >&2
else
  echo "setup: node is not installed; GLB files will not be validated by the Khronos validator" >&2
fi
echo "setup: ready"
