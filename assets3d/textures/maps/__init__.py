"""From one seamless picture to the maps of a material: what each back end says, made to agree.

`relief` is the record that a back end returns, `assemble` makes a Material of it whose maps all
tile. Back ends: `small` (the embedded network), `luminance` (no network), `marigold`, `depth` and
`external`. Importing this package imports no torch.
"""
