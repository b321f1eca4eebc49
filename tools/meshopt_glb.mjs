// Compress the meshes of one GLB with meshopt, quantised: positions to 16 bits on the object's box, texture
// coordinates to 16, normals to 8. Usage: node tools/meshopt_glb.mjs IN OUT
import { NodeIO } from "@gltf-transform/core";
import {
  EXTMeshoptCompression, EXTTextureWebP, KHRMeshQuantization, KHRTextureBasisu, KHRXMP,
} from "@gltf-transform/extensions";
import { MeshoptDecoder, MeshoptEncoder } from "meshoptimizer";

const [source, target] = process.argv.slice(2);
await Promise.all([MeshoptDecoder.ready, MeshoptEncoder.ready]);
const io = new NodeIO()
  .registerExtensions([EXTMeshoptCompression, EXTTextureWebP, KHRMeshQuantization, KHRTextureBasisu, KHRXMP])
  .registerDependencies({ "meshopt.decoder": MeshoptDecoder, "meshopt.encoder": MeshoptEncoder });
const document = await io.read(source);
const root = document.getRoot();

const rounded = (value, most) => Math.max(-most, Math.min(most, Math.round(value * most)));

// Write an attribute as whole numbers of `most`, after `change` brought each component into -1..1 or 0..1.
function quantise(primitive, name, Type, most, change) {
  const accessor = primitive.getAttribute(name);
  if (!accessor || !(accessor.getArray() instanceof Float32Array)) return;
  const old = accessor.getArray(), size = accessor.getElementSize();
  const values = new Type(old.length);
  for (let i = 0; i < old.length; i++) values[i] = rounded(change(old[i], i % size), most);
  accessor.setArray(values).setNormalized(true);
}

const done = new Set();
for (const node of root.listNodes()) {
  const mesh = node.getMesh();
  // A skin's matrices place its mesh, not its node: its positions stay as they are.
  if (!mesh || done.has(mesh)) continue;
  done.add(mesh);
  const skinned = node.getSkin() !== null;
  const box = mesh.listPrimitives().map((p) => p.getAttribute("POSITION"));
  const low = [0, 1, 2].map((k) => Math.min(...box.map((a) => a.getMinNormalized([])[k])));
  const high = [0, 1, 2].map((k) => Math.max(...box.map((a) => a.getMaxNormalized([])[k])));
  const middle = low.map((v, k) => (v + high[k]) / 2);
  const half = Math.max(...low.map((v, k) => (high[k] - v) / 2), 1e-12);
  const plain = ["0,0,0", "0,0,0,1", "1,1,1"];
  const placed = [node.getTranslation(), node.getRotation(), node.getScale()].map(String);
  const movable = !skinned && plain.every((text, k) => text === placed[k]);
  for (const primitive of mesh.listPrimitives()) {
    if (movable) quantise(primitive, "POSITION", Int16Array, 32767, (v, k) => (v - middle[k]) / half);
    quantise(primitive, "NORMAL", Int8Array, 127, (v) => v);
    quantise(primitive, "TANGENT", Int8Array, 127, (v) => v);
    const uvs = primitive.getAttribute("TEXCOORD_0");
    const tile = uvs && [...uvs.getMinNormalized([]), ...uvs.getMaxNormalized([])].some((v) => v < 0 || v > 1);
    if (!tile) quantise(primitive, "TEXCOORD_0", Uint16Array, 65535, (v) => v);
  }
  if (movable) node.setTranslation(middle).setScale([half, half, half]);
}
document.createExtension(KHRMeshQuantization).setRequired(true);
document.createExtension(EXTMeshoptCompression).setRequired(true)
  .setEncoderOptions({ method: EXTMeshoptCompression.EncoderMethod.QUANTIZE });
await io.write(target, document);
