"""The procedural prop world: game props as signed-distance programs with captions and materials."""
