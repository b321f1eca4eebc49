"""Feet on the ground: when they stand, and how they are held, stepped and reached."""
