import time
from pathlib import Path

import numpy as np
import pytest

from assets3d.errors import InputError
from assets3d.splats.ply import LAYOUTS, read_ply, write_ply
from tests.splats.scenes import random_gaussians

PARITY = Path(__file__).parents[3] / "shared" / "parity"


@pytest.mark.parametrize("layout", ["inria", "compact"])
def test_reading_what_was_written_gives_it_back(tmp_path, layout):
    splats = random_gaussians()
    write_ply(tmp_path / "a.ply", splats, layout)
    found = read_ply(tmp_path / "a.ply")
    np.testing.assert_allclose(found.values, splats.values, atol=1e-5)


@pytest.mark.parametrize(("layout", "floats"), [("inria", 62), ("compact", 14)])
def test_one_splat_takes_the_bytes_its_layout_says(tmp_path, layout, floats):
    splats = random_gaussians(count=10)
    write_ply(tmp_path / "a.ply", splats, layout)
    write_ply(tmp_path / "b.ply", splats, layout)
    content = (tmp_path / "a.ply").read_bytes()
    assert content == (tmp_path / "b.ply").read_bytes()
    header, body = content.split(b"end_header\n")
    assert b"format binary_little_endian 1.0" in header
    assert len(body) == 10 * floats * 4
    assert [line.split()[-1].decode() for line in header.split(b"\n") if b"property" in line] == (
        list(LAYOUTS[layout])
    )


def test_seventeen_floats_with_normals_read_the_same(tmp_path):
    splats = random_gaussians(count=5)
    write_ply(tmp_path / "a.ply", splats, "inria")
    names = [n for n in LAYOUTS["inria"] if not n.startswith("f_rest")]
    assert len(names) == 17
    body = (tmp_path / "a.ply").read_bytes().split(b"end_header\n")[1]
    rows = np.frombuffer(body, dtype=[(n, "<f4") for n in LAYOUTS["inria"]])
    text = "ply\nformat binary_little_endian 1.0\nelement vertex 5\n"
    text += "".join(f"property float {n}\n" for n in names) + "end_header\n"
    small = np.zeros(5, dtype=[(n, "<f4") for n in names])
    for n in names:
        small[n] = rows[n]
    (tmp_path / "b.ply").write_bytes(text.encode() + small.tobytes())
    np.testing.assert_array_equal(
        read_ply(tmp_path / "a.ply").values, read_ply(tmp_path / "b.ply").values
    )


def test_a_large_scan_is_read_in_a_moment(tmp_path):
    write_ply(tmp_path / "a.ply", random_gaussians(count=50_000), "inria")
    begin = time.process_time()
    assert len(read_ply(tmp_path / "a.ply")) == 50_000
    assert time.process_time() - begin < 2.0  # value by value it takes ten


@pytest.mark.parametrize("cut", [10, 700, -1])
def test_a_file_cut_anywhere_is_refused(tmp_path, cut):
    write_ply(tmp_path / "a.ply", random_gaussians(), "compact")
    content = (tmp_path / "a.ply").read_bytes()
    (tmp_path / "a.ply").write_bytes(content[:cut])
    with pytest.raises(InputError, match=r"splats: a\.ply"):
        read_ply(tmp_path / "a.ply")


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_values_that_are_not_finite_are_refused(tmp_path, value):
    splats = random_gaussians()
    splats.values[3, 1] = value
    write_ply(tmp_path / "a.ply", splats)
    with pytest.raises(InputError, match="in y"):
        read_ply(tmp_path / "a.ply")


def test_other_files_are_refused(tmp_path):
    write_ply(tmp_path / "empty.ply", random_gaussians(0))
    with pytest.raises(InputError, match="no splats"):
        read_ply(tmp_path / "empty.ply")
    (tmp_path / "mesh.ply").write_text(
        "ply\nformat ascii 1.0\nelement vertex 1\nproperty float x\nend_header\n0\n"
    )
    with pytest.raises(InputError, match="no property y"):
        read_ply(tmp_path / "mesh.ply")
    (tmp_path / "no.ply").write_bytes(b"\x89PNG")
    with pytest.raises(InputError, match="is no PLY file"):
        read_ply(tmp_path / "no.ply")
    with pytest.raises(InputError, match="does not exist"):
        read_ply(tmp_path / "absent.ply")


@pytest.mark.skipif(not PARITY.is_dir(), reason="golden files are not here")
def test_lgm_reference_file(tmp_path):
    wanted = np.load(PARITY / "lgm_ply_input.npz")["gaussians"]
    wanted = wanted[wanted[:, 3] >= 0.005]
    found = read_ply(PARITY / "lgm_reference.ply")
    np.testing.assert_allclose(found.values, wanted, atol=1e-5)
    write_ply(tmp_path / "a.ply", found, "compact")
    np.testing.assert_allclose(read_ply(tmp_path / "a.ply").values, wanted, atol=1e-5)
