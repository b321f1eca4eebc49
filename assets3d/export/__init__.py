"""Finished assets as game engines want them: levels of detail, hulls, names, files, provenance.

Files are glTF 2.0 for every engine: right-handed, +Y up, +Z front, metres, the base's centre at the
origin; importers turn axes and units themselves. What differs between engines are names, the
packing of textures, the direction of normal maps and where collision hulls lie.
"""
