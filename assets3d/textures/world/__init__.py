"""The procedural material world: families of materials that tile exactly and know their truth.

Every pattern is a function on the unit torus, drawn from one generator: lattices have whole counts
per tile, noise has whole cells per tile. What is drawn does not depend on the size in pixels, so
that the same seed shows the same material at 128 and at 1024 px.
"""
