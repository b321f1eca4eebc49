"""Four ways to a picture that tiles: `roll`, `canvas` and `circular` draw, `patch` only cuts.

`texture.seamless_texture` is the one door; `settings` says what can be chosen. A diffusion mode
repaints the tile's own seams and leaves every other pixel as it was. Importing this package imports
no torch.
"""
