"""The gallery in a real browser, from a file: it draws, turns, plays, filters, and obeys keys."""

from __future__ import annotations

import asyncio
import io
import os
import shutil
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from benchmarks.gallery import write_index
from stages._report import entry_texts, gather
from stages.gallery import write_gallery
from stages.manifest import read_manifest
from tests.browser import Page, opened
from tests.stages import gallery_files as files

pytestmark = pytest.mark.slow

#: Where a canvas is on the page's picture: left, top, right, bottom.
_BOXES = (
    "[...document.querySelectorAll('canvas')].map((c) => { const b = c.getBoundingClientRect();"
    " return [b.left, b.top, b.right, b.bottom].map(Math.round); })"
)
_SHOWN = "[...document.querySelectorAll('article:not([hidden])')].map((card) => card.id)"
_READY = "document.getElementById('viewers').dataset.ready"
_INSIDE = "document.activeElement === viewer.querySelector('iframe')"
_FOCUS = "document.activeElement.closest('article')?.id"


@pytest.fixture(scope="module")
def gallery(tmp_path_factory) -> Path:
    root = tmp_path_factory.mktemp("gallery")
    runs = files.project(root)
    path = root / "assets.yaml"
    reports = gather(read_manifest(path), [runs / s for s in files.STEPS], entry_texts(path))
    write_gallery(reports, runs / "gallery")
    return runs / "gallery"


def visit(
    address: Path, do: Callable[[Page], Awaitable[Any]], size: tuple[int, int] = (1000, 760)
) -> Any:
    """Open a file in a window of this size, do something, and want no error of the page."""

    async def run() -> Any:
        async with opened("about:blank", size) as page:
            await page.call(
                "Emulation.setDeviceMetricsOverride",
                width=size[0],
                height=size[1],
                deviceScaleFactor=1,
                mobile=size[0] < 500,
            )
            await page.call("Page.navigate", url=address.as_uri())
            await page.wait_for(
                "document.readyState === 'complete' && location.href !== 'about:blank'"
            )
            found = await do(page)
            assert page.errors == []
            return found

    return asyncio.run(run())


async def canvases(page: Page, name: str) -> list[np.ndarray]:
    """Return what each canvas shows, after its next drawing."""
    await asyncio.sleep(0.5)
    raw = await page.picture()
    if folder := os.environ.get("PICTURES"):  # to be looked at
        (Path(folder) / f"gallery_{name}.png").write_bytes(raw)
    picture = np.asarray(Image.open(io.BytesIO(raw)).convert("RGB")).astype(int)
    errors = "[...document.querySelectorAll('canvas')].map((c) => c.stage.gl.getError())"
    assert set(await page.evaluate(errors)) == {0}
    return [picture[t:b, left:r] for left, t, r, b in await page.evaluate(_BOXES)]


def share(pixels: np.ndarray, channel: int) -> float:
    """Return the share of pixels in which one channel is far above both others."""
    others = np.delete(pixels, channel, axis=-1).max(axis=-1)
    return float((pixels[..., channel] > others + 60).mean())


async def press(page: Page, key: str, times: int = 1) -> None:
    for _ in range(times):
        for kind in ("keyDown", "keyUp"):
            text = {"text": key} if len(key) == 1 else {}
            await page.call("Input.dispatchKeyEvent", type=kind, key=key, code=key, **text)


def test_a_prop_as_mesh_and_as_splats_turned_together(gallery):
    async def look(page: Page):
        await page.wait_for(_READY)
        first = await canvases(page, "prop")
        await page.evaluate("document.querySelectorAll('canvas')[1].focus()")
        await press(page, "ArrowLeft", 4)
        turned = await canvases(page, "prop_turned")
        left, top, right, bottom = (await page.evaluate(_BOXES))[0]
        x, y = (left + right) / 2, (top + bottom) / 2
        for kind, at in (("mousePressed", x), ("mouseMoved", x + 60), ("mouseReleased", x + 60)):
            await page.call(
                "Input.dispatchMouseEvent",
                type=kind,
                x=at,
                y=y,
                button="left",
                buttons=1,
                clickCount=1,
            )
        dragged = await canvases(page, "prop_dragged")
        text = await page.evaluate("document.body.textContent")
        return first, turned, dragged, text

    (mesh, splats), turned, dragged, text = visit(gallery / "assets/box.html", look)
    assert share(mesh, 0) > 0.15
    assert share(splats, 1) > 0.15
    # The same camera: both cover the same part of their canvas.
    assert share(mesh, 0) == pytest.approx(share(splats, 1), rel=0.25)
    for before, after in ((mesh, turned[0]), (splats, turned[1]), (turned[0], dragged[0])):
        assert np.abs(before - after).mean() > 1.0
    assert "LOD1" in text
    assert "box: {prompt: a red box, seed: 7}" in text
    assert "32.0 MB of 16.0 MB" in text


def test_a_copy_of_the_gallery_alone_shows_all_and_leads_nowhere_wrong(gallery, tmp_path):
    copied = tmp_path / "sent"
    shutil.copytree(gallery, copied)

    async def look(page: Page):
        await page.wait_for(_READY)
        (mesh, _) = await canvases(page, "copied")
        found = "[document.querySelectorAll('a[href^=\"../\"]').length, alone.hidden]"
        return mesh, await page.evaluate(found), await page.evaluate("document.body.textContent")

    mesh, found, text = visit(copied / "assets/box.html", look)
    assert share(mesh, 0) > 0.15
    assert found == [0, False]
    assert "box_lod1.glb" in text
    _, (links, hidden), _ = visit(gallery / "assets/box.html", look)
    assert links >= 3
    assert hidden


def test_a_material_whose_lamp_moves(gallery):
    async def look(page: Page):
        await page.wait_for(_READY)
        (first,) = await canvases(page, "material")
        left, top, right, bottom = (await page.evaluate(_BOXES))[0]
        y = (top + bottom) / 2
        for kind, part in (("mousePressed", 0.4), ("mouseMoved", 0.8), ("mouseReleased", 0.8)):
            x = left + part * (right - left)
            await page.call(
                "Input.dispatchMouseEvent",
                type=kind,
                x=x,
                y=y,
                button="left",
                buttons=1,
                clickCount=1,
            )
        (moved,) = await canvases(page, "material_lit")
        lamp = await page.evaluate(
            "(() => { const b = document.querySelector('.lamp').getBoundingClientRect();"
            " return [(b.left + b.right) / 2, (b.top + b.bottom) / 2]; })()"
        )
        return first, moved, lamp, (left + 0.8 * (right - left), y)

    first, moved, lamp, pointer = visit(gallery / "assets/tile.html", look)
    middle = (slice(150, 300), slice(200, -200))
    assert first[middle].std() > 5  # a bump, not one colour
    # Light goes with the lamp, and the lamp is where the pointer let it go.
    half = first.shape[1] // 2
    gain = (moved - first).sum(axis=2)[150:300]
    assert gain[:, half:].mean() > 20 + gain[:, :half].mean()
    assert lamp == pytest.approx(pointer, abs=3)


def test_a_clip_that_plays(gallery):
    async def look(page: Page):
        await page.wait_for(_READY)
        await page.wait_for("Number(document.querySelector('input[type=range]').value) > 0.1")
        await page.evaluate("document.querySelector('canvas').focus()")
        await press(page, " ")
        assert (
            await page.evaluate("document.querySelector('.controls button').textContent") == "Play"
        )
        seek = (
            "(() => { const s = document.querySelector('input[type=range]');"
            " s.value = %s; s.oninput(); })()"
        )
        shown = []
        for time in (0, 2):
            await page.evaluate(seek % time)
            shown += await canvases(page, f"clip_{time}")
        return shown

    start, end = visit(gallery / "assets/nod.html", look)
    for pixels in (start, end):
        assert share(pixels, 2) > 0.02
    assert np.abs(start - end).mean() > 1.0


def test_filters_search_and_keys(gallery):
    async def look(page: Page):
        assert await page.evaluate(_SHOWN) == ["odd", "tile", "box", "nod"]
        click = "document.querySelector('button[data-value=%s]').click()"
        await page.evaluate(click % "prop")
        assert await page.evaluate(_SHOWN) == ["box"]
        await page.evaluate(click % "failed")
        assert await page.evaluate(_SHOWN) == []
        assert await page.evaluate("document.getElementById('nothing').hidden") is False
        await page.evaluate("document.getElementById('all').click()")
        await page.evaluate("pack.value = 'ground'; pack.onchange()")
        assert await page.evaluate(_SHOWN) == ["tile"]
        assert await page.evaluate("location.hash") == "#pack=ground"
        await page.evaluate("pack.value = ''; pack.onchange(); document.activeElement.blur()")
        await press(page, "/")
        for letter in "red bo":
            await press(page, letter)
        assert await page.evaluate(_SHOWN) == ["box"]
        await press(page, "Escape")
        assert len(await page.evaluate(_SHOWN)) == 4
        # From card to card, into the window, on to the next asset, out again.
        await page.evaluate("document.querySelector('a.open').focus()")
        await press(page, "ArrowRight")
        assert await page.evaluate(_FOCUS) == "tile"
        await page.evaluate("document.activeElement.click()")
        await page.wait_for("viewer.open")
        await page.wait_for(_INSIDE)  # the page inside takes the keys now
        await asyncio.sleep(2)
        await press(page, "n")
        await page.wait_for("document.getElementById('title').textContent === 'box'")
        await page.wait_for(_INSIDE)
        await asyncio.sleep(2)
        await press(page, "Escape")
        await page.wait_for("!viewer.open")
        await page.wait_for(f"{_FOCUS} === 'box'")  # after the window's own event

    visit(gallery / "index.html", look)


@pytest.mark.parametrize("name", ["index", "assets/box", "assets/tile", "assets/nod", "assets/odd"])
def test_nothing_is_wider_than_a_phone(gallery, name):
    async def look(page: Page):
        if name not in ("index", "assets/odd"):
            await page.wait_for(_READY)
        return await page.evaluate("[document.documentElement.scrollWidth, innerWidth]")

    assert visit(gallery / f"{name}.html", look, (360, 740)) == [360, 360]


def test_without_scripts_there_are_cards_pages_and_files(gallery):
    async def look(page: Page):
        await page.call("Emulation.setScriptExecutionDisabled", value=True)
        await page.call("Page.reload")
        await asyncio.sleep(2)
        root = await page.call("DOM.getDocument")
        html = await page.call("DOM.getOuterHTML", nodeId=root["root"]["nodeId"])
        return html["outerHTML"]

    html = visit(gallery / "index.html", look)
    assert 'id="filters" role="search" onsubmit="return false" hidden' in html
    assert 'href="assets/box.html"' in html
    assert 'href="../export/box/box_lod1.glb"' in (gallery / "assets/box.html").read_text()


def test_of_a_thousand_assets_only_the_pictures_in_sight_are_loaded(tmp_path):
    async def look(page: Page):
        seen = "[...document.images].filter((image) => image.complete && image.naturalWidth).length"
        await page.wait_for(f"document.readyState === 'complete' && {seen} > 0")
        early = await page.evaluate(seen)
        await page.evaluate("search.value = '0999'; filter()")
        assert await page.evaluate(_SHOWN) == ["crate_0999"]
        await page.evaluate("search.value = ''; filter(); scrollTo(0, document.body.scrollHeight)")
        last = "[...document.images].at(-1)"
        await page.wait_for(f"{last}.complete && {last}.naturalWidth > 0")
        return early

    # How long it takes: python -m benchmarks.gallery
    early = visit(write_index(tmp_path, 1000), look)
    assert early < 400
