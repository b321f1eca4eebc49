"""What a manifest entry may say, one module per kind of asset."""

from stages.specs.base import Spec
from stages.specs.material import MaterialSpec
from stages.specs.motion import MotionSpec
from stages.specs.prop import PropSpec

#: `kind:` of an entry -> its model; an entry without the field is a prop.
KINDS: dict[str, type[Spec]] = {
    "prop": PropSpec,
    "material": MaterialSpec,
    "motion": MotionSpec,
}

__all__ = ["KINDS", "MaterialSpec", "MotionSpec", "PropSpec", "Spec"]
