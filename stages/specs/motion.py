"""Motion clips: from a script, a BVH, a text-to-motion system's joints, or two clips."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar, Literal

from pydantic import Field, StrictStr, field_validator, model_validator

from stages.specs.base import Spec, a_number, not_empty


class MotionSpec(Spec):
    """A motion clip; exactly one of script, bvh, joints, between says where it enters.

    Attributes:
        script: commands for the quadruped's controller, one mapping each: {walk: 3 s}.
        bvh: a BVH of any skeleton, to be written as GLB and drawn.
        joints: an npy of a text-to-motion system, (T, 22, 3) or (T, 263).
        between: two BVH of one skeleton; `seconds` of motion lead from the first to the second.
        seconds: length of the part between them; only with `between`.
        weights: the controller's network: the folder of 58 binary files, safetensors or ONNX; the
            embedded one where absent; only with `script`.
        gating: which trajectory inputs the network's gating was trained with.
        root_motion_unit: what the network's root motion is per.
        mean, std: npy of 263 numbers each; only with `joints` of (T, 263).
        skin: a GLB whose skinned mesh is to be moved, by the names of its joints; only for the
            quadruped's own clips.
        fps: frames a second of what is written.
        root: what becomes of the way over the ground.
        clips: one animation, or one for each command of the script.
        lock_feet: hold feet that stand.
        bvh_unit: unit of the lengths in the BVH that is written.
        unit: the same of a BVH that is given; auto goes by the size of its bones.
    """

    STARTS: ClassVar = ("script", "bvh", "joints", "between")
    FILES: ClassVar = ("bvh", "joints", "weights", "mean", "std", "skin")
    EITHER: ClassVar = ("weights",)

    kind: Literal["motion"]
    script: tuple[dict[str, Any], ...] | None = None
    bvh: StrictStr | None = None
    joints: StrictStr | None = None
    between: tuple[StrictStr, StrictStr] | None = None
    seconds: float = Field(1.0, gt=0, le=60, allow_inf_nan=False)
    weights: StrictStr | None = None
    gating: Literal["441", "341"] = "441"
    root_motion_unit: Literal["per_second", "per_frame"] = "per_second"
    mean: StrictStr | None = None
    std: StrictStr | None = None
    skin: StrictStr | None = None
    fps: Literal[24, 30, 60] = 60
    root: Literal["root_motion", "in_place", "hips_only"] = "root_motion"
    clips: Literal["whole", "commands"] = "whole"
    lock_feet: bool = True
    bvh_unit: Literal["cm", "m"] = "cm"
    unit: Literal["auto", "cm", "m"] = "auto"

    _texts = field_validator("bvh", "joints", "weights", "mean", "std", "skin")(not_empty)
    _numbers = field_validator("seconds", mode="before")(a_number)

    @property
    def sources(self) -> Mapping[str, Path]:
        """The person's files; those inside a script or a pair are numbered from 1."""
        named = dict(super().sources)
        for number, path in enumerate(self.between or (), 1):
            named[f"between.{number}"] = Path(path)
        for number, command in enumerate(self.script or (), 1):
            if isinstance(command.get("path"), str):
                named[f"script.{number}.path"] = Path(command["path"])
        return named

    @property
    def words(self) -> str:
        """The script as a person wrote it, or the file."""
        if self.script is None:
            return super().words
        return "script: " + ", ".join(
            " ".join(f"{name} {value}" for name, value in command.items())
            for command in self.script
        )

    @field_validator("script")
    @classmethod
    def _commands(cls, value: tuple[dict[str, Any], ...] | None) -> Any:
        if value is None:
            return None
        # Imported here: the words of a script are the controller's own.
        from motion.script import parse_script

        parse_script(list(value))
        return value

    @model_validator(mode="after")
    def _fields_go_together(self) -> MotionSpec:
        if self.weights is not None and self.script is None:
            raise ValueError("weights go with a script only")
        if (self.mean is None) != (self.std is None):
            raise ValueError("found only one of mean and std, wanted both or none")
        if self.mean is not None and self.joints is None:
            raise ValueError("mean and std go with joints only")
        return self
