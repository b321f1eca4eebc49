"""The 22-joint humanoid of text-to-motion systems: its body, its files, its rotations."""
