"""Seamless materials: colour, height, normal, roughness, occlusion and metal that all tile.

Conventions, everywhere in this package:

- A tile is square and lives on the torus: column 0 follows the last column, row 0 the last row.
- Pictures have row 0 at the top. x runs right, y runs **down** with the rows; pixel centres lie at
  (column + 0.5, row + 0.5) / size of the tile.
- Heights are metres, larger is nearer to the viewer; only differences mean something.
- Slopes are dh/dx and dh/dy (y down), metres per metre, by periodic central differences.
- Normals are unit vectors (x right, y **up**, z to the viewer): OpenGL, as glTF wants them. DirectX
  turns the sign of the green channel, in files only.
- Roughness is perceptual (alpha is its square). Colours are sRGB-encoded, all other maps linear.

Importing this package imports no torch.
"""
