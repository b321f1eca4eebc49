"""Prompts and photographs to game-ready props: the library under the pipeline.

Conventions, everywhere in this package:

- World: right-handed, +Y up, +Z towards the front view (glTF's own frame). Before the mesh step
  an object is *normalised*: its long side spans about 1.1 units around the origin, as LGM expects;
  from the mesh step on, units are metres and the origin is the base centre.
- Cameras: OpenGL axes (x right, y up, z towards the viewer, looking along -z). Azimuth turns from
  +Z (the front) towards +X; positive elevation is above the object.
- Quaternions are (w, x, y, z). Faces wind counter-clockwise seen from outside.
- Colours are sRGB-encoded; float colours lie in 0..1, images are uint8 (height, width, channel),
  row 0 at the top, alpha straight (not premultiplied) unless a name says otherwise.
- Sizes carry their unit in the name: `_m`, `_px`, `_deg`, `_s`.

The package knows nothing of DVC, the manifest or the command line. Importing it imports no torch.
"""
