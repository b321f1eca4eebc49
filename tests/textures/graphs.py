"""Small ComfyUI graphs of the two published kinds, built node by node."""


class Builder:
    """Collects nodes and links as the editor saves them."""

    def __init__(self):
        self.nodes, self.links = [], []

    def add(self, kind, widgets=None, mode=0, **inputs):
        """Add a node whose inputs come from the nodes given; return its id."""
        number = 10 * (len(self.nodes) + 1)
        slots = []
        for name, origin in inputs.items():
            link = len(self.links) + 1
            self.links.append([link, origin, 0, number, len(slots), "*"])
            slots.append({"name": name.replace("reroute", ""), "link": link})
        slots.append({"name": "unused", "link": None})
        node = {"id": number, "type": kind, "mode": mode, "inputs": slots}
        self.nodes.append(node | ({} if widgets is None else {"widgets_values": widgets}))
        return number

    @property
    def graph(self):
        return {"nodes": self.nodes[::-1], "links": self.links[::-1], "version": 0.4}


def texture_graph(
    picture=None,
    size=512,
    period=512,
    canvas=640,
    prompt="moss",
    sampler=("euler", "karras"),
    adapter=(0.7, 0, 1),
):
    """Return the published procedure with other numbers, nodes in another order."""
    b = Builder()
    checkpoint = b.add("CheckpointLoaderSimple", ["model.safetensors"])
    words = b.add("DeepTranslatorTextNode", ["auto", "english", "disable", "", "", "Some", prompt])
    nothing = b.add("DeepTranslatorTextNode", ["auto", "english", "disable", "", "", "Some", ""])
    style = ["old words", "old negative", "sai-texture", True, True, True]
    positive = b.add("SDXLPromptStyler", style, text_positive=words, text_negative=nothing)
    positive = b.add("CLIPTextEncode", ["stale"], clip=checkpoint, text=positive)
    negative = b.add("SDXLPromptStyler", style, text_positive=words, text_negative=nothing)
    negative = b.add("CLIPTextEncode", ["stale"], clip=checkpoint, text=negative)
    seed = b.add("PrimitiveNode", [77, "randomize"])
    sampling = [1, "randomize", 6, 1.5, *sampler, 0.9]
    model = checkpoint
    if picture is None:
        latent = b.add("EmptyLatentImage", [size, size, 1])
        drawn = b.add(
            "KSampler", sampling, model=model, positive=positive, negative=negative,
            latent_image=latent, seed=seed,
        )  # fmt: skip
        tile = b.add("VAEDecode", samples=drawn, vae=checkpoint)
    else:
        loaded = b.add("LoadImage", [picture, "image"])
        tile = b.add("ImageScale", ["bilinear", size, size, "center"], image=loaded)
        unified = b.add("IPAdapterUnifiedLoader", ["PLUS"], model=model)
        model = b.add("IPAdapter", list(adapter), model=unified, ipadapter=unified, image=tile)
    tile = b.add("Reroute", reroute=tile)
    on_canvas = b.add("EmptyImage", [canvas, canvas, 1, 0])
    for left, top in ((0, period), (period, 0), (period, period), (0, 0)):
        overlay = ["None", "nearest-exact", 1, 0, 0, left, top, 0, 0]
        on_canvas = b.add("Image Overlay", overlay, base_image=on_canvas, overlay_image=tile)
    mask = b.add("LoadImageMask", ["cross.png", "alpha"])
    encoded = b.add("VAEEncode", pixels=on_canvas, vae=checkpoint)
    masked = b.add("SetLatentNoiseMask", samples=encoded, mask=mask)
    repainted = b.add(
        "KSampler", sampling, model=model, positive=positive, negative=negative,
        latent_image=masked, seed=seed,
    )  # fmt: skip
    decoded = b.add("VAEDecode", samples=repainted, vae=checkpoint)
    result = decoded
    offset = b.add("PrimitiveNode", [-period, "fixed"])
    for name in ("x_offset", "y_offset"):
        overlay = ["None", "nearest-exact", 1, 0, 0, 0, 0, 0, 0]
        result = b.add(
            "Image Overlay", overlay, base_image=result, overlay_image=decoded,
            optional_mask=mask, **{name: offset},
        )  # fmt: skip
    result = b.add("ImageCrop", [period, period, 0, 0], image=result)
    result = b.add("ImageScale", ["bilinear", size, size, "disabled"], image=result)
    b.add("SaveImage", ["color-map"], images=result)
    normals = b.add("AIO_Preprocessor", ["BAE-NormalMapPreprocessor", size], mode=2, image=result)
    b.add("SaveImage", ["normal-map"], mode=2, images=normals)
    return b.graph


def without(graph, kind):
    """Return the graph without its nodes of a kind; links to them hang."""
    return graph | {"nodes": [node for node in graph["nodes"] if node["type"] != kind]}
