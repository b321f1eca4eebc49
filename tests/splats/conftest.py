from __future__ import annotations

import pytest

from assets3d.native import library
from tests.splats.rasters import ISAS


@pytest.fixture(params=ISAS, ids=[library.instruction_sets()[i] for i in ISAS])
def isa(request, monkeypatch):
    monkeypatch.setenv(library.ISA_VARIABLE, str(request.param))
    return request.param
