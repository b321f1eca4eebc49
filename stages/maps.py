"""The maps stage: height, normals, roughness, occlusion and metal of every seamless picture.

python -m stages.maps --manifest configs/assets.yaml --profile configs/profiles/embedded.yaml
    --in runs/texture --out runs/maps
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from typing import Any

from stages import _relief
from stages._harness import main
from stages._step import Item, Params, Step

#: A map whose seam is stronger than this many times what perfect tiles may have is worth a warning.
_WORTH_A_WARNING = 1.5
_BIASES = ("roughness_bias", "roughness_gain", "occlusion_bias", "occlusion_gain", "metallic")
#: Side of the material that pictures and the ball are made of.
_SEEN_PX = 1024
_KINDS = {
    "colour": ("base_colour", "colour"),
    "height": ("height_m", "height"),
    "normal": ("normals", "normal"),
    "roughness": ("roughness", "scalar"),
    "occlusion": ("occlusion", "scalar"),
    "metallic": ("metallic", "scalar"),
}


def load(params: Params) -> _relief.BackEnds:
    """Return the back ends, none of them loaded yet."""
    return _relief.BackEnds(params)


def build(back_ends: _relief.BackEnds, item: Item) -> Mapping[str, Any]:
    """Write the maps, a folder for each engine, a material ball, pictures and material.json."""
    from assets3d.textures.encoding import height_range, quantised
    from assets3d.textures.shrink import shrunk

    source = _source(item)
    of_world = source["by"] == "world"
    material = _computed(item, source) if of_world else _read_off(back_ends, item)
    material = quantised(material)
    detail_px = source.get("detail_px")
    seams = {
        name: _seam(getattr(material, field), kind, detail_px)
        for name, (field, kind) in _KINDS.items()
    }
    models = {} if of_world else {role: _named(model) for role, model in item.models.items()}
    facts = {"source": source, "models": models}
    _write_maps(material, item, {name: found for name, (_, found) in seams.items()}, facts)
    shares = {f"seam_{name}": share for name, (share, _) in seams.items()}
    numbers = {
        "size_px": material.size_px,
        "tile_m": material.tile_m,
        "height_range_m": round(height_range(material.height_m).range_m, 6),
        **shares,
        "worst_seam": max(shares.values()),
    }
    # At 8192 px the whole material is 2.7 GB, and pictures need as much again.
    material = shrunk(material, max(_SEEN_PX, 2 * item.params["preview_px"]))
    _write_pictures(material, item)
    return {"numbers": numbers, "warnings": _warnings(shares)}


def _read_off(back_ends: _relief.BackEnds, item: Item) -> Any:
    """Return the material that a back end sees in the texture."""
    from assets3d.textures.maps.assemble import material_of

    spec = item.spec
    # At 8192 px picture and relief take 1.1 GB, which `material_of` gives back when it has read
    # them: no name here may hold them, nor the tuple that Python makes of arguments beside `**`.
    return material_of(
        _texture(item),
        back_ends.relief(_texture(item), item),
        tile_m=spec["tile_m"] or 1.0,
        height_m=spec["height_m"],
        delight=spec["delight"],
        roughness_bias=spec["roughness_bias"],
        roughness_gain=spec["roughness_gain"],
        occlusion_bias=spec["occlusion_bias"],
        occlusion_gain=spec["occlusion_gain"],
        metallic=spec["metallic"],
    )


def _texture(item: Item) -> Any:
    from assets3d.images.picture import read_picture

    return read_picture(item.folders["texture"] / "texture.png", field="texture")


def _source(item: Item) -> dict[str, Any]:
    """Return where the surface is from; of a procedural material its family and seed."""
    if item.spec["enters"] == "procedural":
        # The person's own seed: the same number shows the same tile in `textures.world`'s sheets.
        return {"by": "world", "family": item.spec["procedural"], "seed": item.spec["seed"]}
    text = (item.folders["texture"] / "source.json").read_text(encoding="utf-8")
    source: dict[str, Any] = json.loads(text)
    return source


def _named(model: Any) -> dict[str, str]:
    """Return what `material.json` says of a network; record.json has the checksums."""
    return {"name": model.name, "source": model.source, "licence": model.licence}


def _computed(item: Item, source: Mapping[str, Any]) -> Any:
    """Return a material of the procedural world, whose maps need not be read off a picture."""
    from assets3d.textures.maps.assemble import adjusted
    from assets3d.textures.world.catalogue import sample_material

    spec = item.spec
    size_px = spec["size_px"] * spec["upscale"]
    material = sample_material(source["family"], source["seed"], size_px)
    return adjusted(
        material,
        tile_m=spec["tile_m"],
        height_m=spec["height_m"],
        **{name: spec[name] for name in _BIASES},
    )


def _seam(values: Any, kind: Any, detail_px: int | None) -> tuple[float, dict[str, float]]:
    """Return a map's seam as a share of what perfect tiles may have, and all its numbers.

    See `seam_report` for `detail_px`.
    """
    from dataclasses import asdict

    from assets3d.textures.seams import THRESHOLDS, seam_report

    report = asdict(seam_report(values, kind, detail_px=detail_px))
    share = max(report[name] / limit for name, limit in asdict(THRESHOLDS[kind]).items())
    return round(share, 3), {name: round(value, 4) for name, value in report.items()}


def _write_maps(
    material: Any, item: Item, seams: Mapping[str, Any], facts: Mapping[str, Any]
) -> None:
    from assets3d.textures.material_json import material_facts, write_material_json
    from assets3d.textures.packing import write_packs
    from assets3d.textures.presets import preset_named, with_directx

    name, spec = item.spec["id"], item.spec
    plain = preset_named("plain")
    packs = {item.out: with_directx(plain) if spec["directx"] else plain}
    packs |= {item.out / pack: preset_named(pack) for pack in spec["packs"]}
    files = write_packs(material, packs, name)
    said = material_facts(material, files, item.out, name, seams=seams, **facts)
    write_material_json(item.out / "material.json", said)


def _write_pictures(material: Any, item: Item) -> None:
    from assets3d.images.picture import write_png
    from assets3d.textures.ball import write_ball
    from assets3d.textures.looks import lit_plane, lit_sphere, maps_sheet

    px = item.params["preview_px"]
    write_png(item.out / "sheet.png", maps_sheet(material, px // 2))
    write_png(item.out / "plane.png", lit_plane(material, px))
    write_png(item.out / "sphere.png", lit_sphere(material, px))
    name = item.spec["id"]
    write_ball(item.out / f"{name}.glb", material, name)


def _warnings(shares: Mapping[str, float]) -> list[str]:
    return [
        f"{name.removeprefix('seam_')}: the seam is {share:.1f} times what perfect tiles may have, "
        "another seed or mode may do better"
        for name, share in shares.items()
        if share > _WORTH_A_WARNING
    ]


STEP = Step(
    name="maps",
    reads={
        "prompt": ("texture/texture.png", "texture/source.json"),
        "image": ("texture/texture.png", "texture/source.json"),
        "procedural": (),
    },
    fields=(
        *("id", "seed", "procedural", "size_px", "upscale"),
        *("maps", "tile_m", "height_m", "light_deg", "delight"),
        *("directx", "packs"),
        *_BIASES,
    ),
    modules=(
        "assets3d.images.picture",
        "assets3d.textures.ball",
        "assets3d.textures.encoding",
        "assets3d.textures.looks",
        "assets3d.textures.maps.assemble",
        "assets3d.textures.material_json",
        "assets3d.textures.packing",
        "assets3d.textures.seams",
        "assets3d.textures.shrink",
        "assets3d.textures.world.catalogue",
        *_relief.MODULES,
        "stages._relief",
    ),
    load=load,
    build=build,
    own=_relief.own,
    own_params=_relief.OWN_PARAMS,
    kind="material",
)

if __name__ == "__main__":
    sys.exit(main(STEP))
