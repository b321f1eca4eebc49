"""A small reader of animated GLBs for tests, written apart from the writer."""

import json
import struct
from dataclasses import dataclass

import numpy as np
from scipy.spatial.transform import Rotation

_KINDS = {5121: np.uint8, 5123: np.uint16, 5125: np.uint32, 5126: np.float32}
_WIDTHS = {"SCALAR": 1, "VEC2": 2, "VEC3": 3, "VEC4": 4, "MAT4": 16}


@dataclass
class Read:
    document: dict
    data: bytes

    def values(self, accessor: int) -> np.ndarray:
        entry = self.document["accessors"][accessor]
        view = self.document["bufferViews"][entry["bufferView"]]
        width = _WIDTHS[entry["type"]]
        start = view.get("byteOffset", 0) + entry.get("byteOffset", 0)
        flat = np.frombuffer(
            self.data, _KINDS[entry["componentType"]], entry["count"] * width, start
        )
        return flat.reshape(entry["count"], width)

    def node(self, name: str) -> int:
        return [node.get("name") for node in self.document["nodes"]].index(name)

    def times(self, animation: int) -> np.ndarray:
        samplers = self.document["animations"][animation]["samplers"]
        assert len({sampler["input"] for sampler in samplers}) == 1
        return self.values(samplers[0]["input"])[:, 0]

    def worlds(self, animation: int | None, frames: int = 1) -> np.ndarray:
        """(T, nodes, 4, 4) world matrices at the animation's own keys."""
        nodes = self.document["nodes"]
        local = np.zeros((frames, len(nodes), 4, 4))
        for number, node in enumerate(nodes):
            local[:, number] = np.eye(4)
            local[:, number, :3, 3] = node.get("translation", [0, 0, 0])
            turn = node.get("rotation", [0, 0, 0, 1])
            local[:, number, :3, :3] = Rotation.from_quat(turn).as_matrix()
            if "scale" in node:
                local[:, number, :3, :3] *= np.asarray(node["scale"])
        for channel in (
            [] if animation is None else self.document["animations"][animation]["channels"]
        ):
            sampler = self.document["animations"][animation]["samplers"][channel["sampler"]]
            values, number = self.values(sampler["output"]), channel["target"]["node"]
            if channel["target"]["path"] == "translation":
                local[:, number, :3, 3] = values
            else:
                scale = np.asarray(nodes[number].get("scale", [1, 1, 1]))
                local[:, number, :3, :3] = Rotation.from_quat(values).as_matrix() * scale
        worlds = local.copy()
        children = [child for node in nodes for child in node.get("children", [])]
        pending = [number for number in range(len(nodes)) if number not in children]
        while pending:
            number = pending.pop()
            for child in nodes[number].get("children", []):
                worlds[:, child] = worlds[:, number] @ local[:, child]
                pending.append(child)
        return worlds

    def skinned(self, worlds: np.ndarray) -> np.ndarray:
        """(T, N, 3) vertices of the first skinned mesh."""
        skin = self.document["skins"][0]
        node = next(node for node in self.document["nodes"] if "skin" in node)
        primitive = self.document["meshes"][node["mesh"]]["primitives"][0]["attributes"]
        binds = self.values(skin["inverseBindMatrices"]).reshape(-1, 4, 4).swapaxes(1, 2)
        matrices = worlds[:, skin["joints"]] @ binds
        joints, weights = self.values(primitive["JOINTS_0"]), self.values(primitive["WEIGHTS_0"])
        places = np.column_stack([self.values(primitive["POSITION"]), np.ones(len(joints))])
        blend = np.einsum("nk,tnkab->tnab", weights, matrices[:, joints])
        return np.einsum("tnab,nb->tna", blend, places)[..., :3]


def read(path) -> Read:
    raw = path.read_bytes()
    (length,) = struct.unpack_from("<I", raw, 12)
    return Read(json.loads(raw[20 : 20 + length]), raw[28 + length :])
