"""The node tree of somebody else's skinned GLB."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from assets3d.errors import InputError


@dataclass(frozen=True)
class Rig:
    """Nodes of a glTF document.

    Attributes:
        document: the document; a copy that may be written, with animated nodes free of `matrix`.
        names: node names, "" where there is none.
        parents: parent numbers, -1 for top nodes.
        locals: (N, 4, 4) rest transforms relative to the parents.
        joints: numbers of the nodes that are joints of any skin, in the skins' order.
    """

    document: dict[str, Any]
    names: tuple[str, ...]
    parents: tuple[int, ...]
    locals: NDArray[np.float64]
    joints: tuple[int, ...]

    def top_down(self) -> Iterator[int]:
        """Yield every node after its parent."""
        waiting = [node for node, parent in enumerate(self.parents) if parent < 0]
        while waiting:
            node = waiting.pop()
            yield node
            waiting += [child for child, parent in enumerate(self.parents) if parent == node]

    def rest_worlds(self) -> NDArray[np.float64]:
        """Return (N, 4, 4) rest transforms in the world."""
        worlds = self.locals.copy()
        for node in self.top_down():
            if self.parents[node] >= 0:
                worlds[node] = worlds[self.parents[node]] @ self.locals[node]
        return worlds

    def under_new_root(self, top: int, name: str) -> Rig:
        """Return the rig with a new identity node, the last one, above one of its top nodes."""
        document, number = copy.deepcopy(self.document), len(self.names)
        document["nodes"].append({"name": name, "children": [top]})
        for scene in document.get("scenes", []):
            nodes = scene.get("nodes", [])
            scene["nodes"] = [number if node == top else node for node in nodes]
        parents = [number if node == top else parent for node, parent in enumerate(self.parents)]
        return replace(
            self,
            document=document,
            names=(*self.names, name),
            parents=(*parents, -1),
            locals=np.concatenate([self.locals, np.eye(4)[None]]),
        )


def read_rig(document: dict[str, Any], source: str) -> Rig:
    """Return the nodes of a GLB's document; `source` is the file's name for messages.

    Raises:
        InputError: when it has no skin, or keeps its data in other files.
    """
    if not document.get("skins"):
        raise InputError(f"skin: {source}: found no skin, wanted a mesh bound to joints")
    buffers = document.get("buffers", [])
    if len(buffers) != 1 or "uri" in buffers[0]:
        raise InputError(f"skin: {source}: found data in other files, wanted it all in the GLB")
    document = copy.deepcopy(document)
    nodes = document["nodes"]
    parents = [-1] * len(nodes)
    for number, node in enumerate(nodes):
        for child in node.get("children", []):
            parents[child] = number
    joints = dict.fromkeys(joint for skin in document["skins"] for joint in skin["joints"])
    locals_ = np.stack([_local(node) for node in nodes])
    for joint in joints:  # an animated node must not have a matrix
        if "matrix" in nodes[joint]:
            nodes[joint] = _without_matrix(nodes[joint], locals_[joint])
    names = tuple(node.get("name", "") for node in nodes)
    return Rig(document, names, tuple(parents), locals_, tuple(joints))


def _local(node: dict[str, Any]) -> NDArray[np.float64]:
    if "matrix" in node:
        return np.array(node["matrix"], np.float64).reshape(4, 4).T
    matrix = np.eye(4)
    turn = Rotation.from_quat(node.get("rotation", [0.0, 0.0, 0.0, 1.0])).as_matrix()
    matrix[:3, :3] = turn * np.asarray(node.get("scale", [1.0, 1.0, 1.0]))
    matrix[:3, 3] = node.get("translation", [0.0, 0.0, 0.0])
    return matrix


def _without_matrix(node: dict[str, Any], local: NDArray[np.float64]) -> dict[str, Any]:
    scales = np.linalg.norm(local[:3, :3], axis=0)
    parts: dict[str, Any] = {"translation": local[:3, 3].tolist()}
    parts["rotation"] = Rotation.from_matrix(local[:3, :3] / scales).as_quat().tolist()
    if np.abs(scales - 1.0).max() > 1e-6:
        parts["scale"] = scales.tolist()
    return {key: value for key, value in node.items() if key != "matrix"} | parts
