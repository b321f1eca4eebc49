"""Scripts of commands: what the manifest says, checked, steered and rolled out."""

from motion.script.parser import COMMANDS, Entry, Script, opened, parse_script
from motion.script.run import perturbed, roll_out

__all__ = ["COMMANDS", "Entry", "Script", "opened", "parse_script", "perturbed", "roll_out"]
