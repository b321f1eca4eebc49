"""What the browser's viewer draws: an asset as one JSON-able scene, small enough for a page.

A scene holds the asset's own geometry in its own frame (right-handed, +Y up, +Z front, metres),
its arrays as base64 of little-endian values, its pictures as data URLs of moderate size. It is for
looking: positions are rounded to 1/65535 of the size, pictures are compressed. The scripts that
read it lie in `stages/gallery_page`.
"""
