// Draws meshes: props with their levels and hulls, and skinned bodies. World: +Y up, metres.
"use strict";

const MESH_VERTEX = `
  uniform mat4 screen; uniform vec3 origin, size; uniform float flatten; uniform bool skinned;
  uniform highp sampler2D rows;
  in vec3 place; in vec3 normal; in vec2 uv; in vec3 colour; in vec4 weights; in uvec4 joints;
  out vec3 world; out vec3 facing; out vec2 at; out vec3 tint;
  void main() {
    vec4 rest = vec4(origin + size * place, 1.0);
    world = rest.xyz;
    facing = normal;
    if (skinned) {
      vec4 a = vec4(0.0), b = vec4(0.0), c = vec4(0.0);
      for (int k = 0; k < 4; k++) {
        int joint = int(joints[k]);
        a += weights[k] * texelFetch(rows, ivec2(0, joint), 0);
        b += weights[k] * texelFetch(rows, ivec2(1, joint), 0);
        c += weights[k] * texelFetch(rows, ivec2(2, joint), 0);
      }
      world = vec3(dot(a, rest), dot(b, rest), dot(c, rest));
      facing = vec3(dot(a.xyz, normal), dot(b.xyz, normal), dot(c.xyz, normal));
    }
    vec3 fallen = vec3(world.x - 0.3 * world.y, 0.003, world.z - 0.2 * world.y);
    world = mix(world, fallen, flatten);
    at = uv;
    tint = colour;
    gl_Position = screen * vec4(world, 1.0);
  }`;

const MESH_PIXEL = `
  uniform sampler2D base; uniform bool textured, flat_; uniform vec3 eye, lamp; uniform vec4 plain;
  in vec3 world; in vec3 facing; in vec2 at; in vec3 tint; out vec4 pixel;
  void main() {
    if (plain.a > 0.0) { pixel = vec4(plain.rgb * plain.a, plain.a); return; }
    vec3 n = flat_ ? cross(dFdx(world), dFdy(world)) : facing;
    n = normalize(n);
    vec3 toEye = normalize(eye - world);
    if (!flat_ && !gl_FrontFacing) n = -n;
    vec3 colour = pow(textured ? texture(base, at).rgb * tint : tint, vec3(2.2));
    float key = max(dot(n, lamp), 0.0);
    float sky = 0.5 + 0.5 * n.y;
    float shine = pow(max(dot(n, normalize(lamp + toEye)), 0.0), 24.0) * 0.06 * key;
    vec3 light = mix(vec3(0.30, 0.28, 0.26), vec3(0.52, 0.55, 0.60), sky) + vec3(0.78, 0.75, 0.70) * key;
    pixel = vec4(pow(colour * light + shine, vec3(1.0 / 2.2)), 1.0);
  }`;

// A soft blot under props, or tiles under whatever walks.
const GROUND_VERTEX = `
  uniform mat4 screen; uniform vec2 middle; uniform float reach;
  in vec2 corner; out vec2 place;
  void main() { place = corner * reach; gl_Position = screen * vec4(place.x + middle.x, 0.0, place.y + middle.y, 1.0); }`;

const GROUND_PIXEL = `
  uniform vec2 middle; uniform float reach; uniform bool tiles;
  in vec2 place; out vec4 pixel;
  void main() {
    float away = length(place) / reach;
    if (!tiles) { pixel = vec4(vec3(0.0), 0.38 * pow(max(1.0 - away, 0.0), 1.4)); return; }
    vec2 tile = floor((place + middle) / 0.5);
    float shade = mod(tile.x + tile.y, 2.0) > 0.5 ? 0.47 : 0.54;
    float seen = 0.75 * (1.0 - smoothstep(0.5, 1.0, away));
    pixel = vec4(vec3(shade) * seen, seen);
  }`;

class MeshView {
  constructor(canvas, orbit) {
    this.stage = new Stage(canvas, { antialias: true });
    this.orbit = orbit;
    const gl = this.gl = this.stage.gl;
    gl.enable(gl.DEPTH_TEST);
    gl.blendFunc(gl.ONE, gl.ONE_MINUS_SRC_ALPHA);
    this.mesh = program(gl, MESH_VERTEX, MESH_PIXEL);
    this.ground = program(gl, GROUND_VERTEX, GROUND_PIXEL);
    this.groundArrays = gl.createVertexArray();
    gl.bindVertexArray(this.groundArrays);
    attribute(gl, this.ground, "corner", 2, new Float32Array([-1, -1, 1, -1, -1, 1, 1, 1]));
    // Without a skin the shader still wants whole numbers here.
    gl.vertexAttribI4ui(gl.getAttribLocation(this.mesh, "joints"), 0, 0, 0, 0);
    this.white = texture(gl, new ImageData(new Uint8ClampedArray([255, 255, 255, 255]), 1, 1));
    this.rows = gl.createTexture();
    Object.assign(this, { parts: [], hull: [], textures: [], tiles: false, middle: [0, 0], reach: 1, skinned: false });
    orbit.followers.push(() => this.stage.ask());
    this.stage.draw = (width, height) => this.draw(width, height);
  }

  // An array of the scene, ready to be drawn.
  part(data) {
    const gl = this.gl, arrays = gl.createVertexArray();
    gl.bindVertexArray(arrays);
    attribute(gl, this.mesh, "place", 3, new Uint16Array(bytes(data.positions.data)), { share: true });
    if (data.normals) attribute(gl, this.mesh, "normal", 3, new Int8Array(bytes(data.normals)), { share: true });
    if (data.uvs) attribute(gl, this.mesh, "uv", 2, new Float32Array(bytes(data.uvs)));
    if (data.colours) attribute(gl, this.mesh, "colour", 3, new Uint8Array(bytes(data.colours)), { share: true });
    if (data.joints) {
      attribute(gl, this.mesh, "joints", 4, new Uint16Array(bytes(data.joints)), { whole: true });
      attribute(gl, this.mesh, "weights", 4, new Uint16Array(bytes(data.weights)), { share: true });
    }
    const raw = bytes(data.indices.data), indices = data.indices.wide ? new Uint32Array(raw) : new Uint16Array(raw);
    gl.bindBuffer(gl.ELEMENT_ARRAY_BUFFER, gl.createBuffer());
    gl.bufferData(gl.ELEMENT_ARRAY_BUFFER, indices, gl.STATIC_DRAW);
    return { arrays, count: indices.length, kind: data.indices.wide ? gl.UNSIGNED_INT : gl.UNSIGNED_SHORT,
      origin: data.positions.origin, size: data.positions.size, flat: !data.normals,
      coloured: !!data.colours, texture: data.uvs ? data.texture ?? 0 : -1 };
  }

  // The joints' matrices, three rows of four numbers each.
  pose(rows, joints) {
    const gl = this.gl;
    gl.bindTexture(gl.TEXTURE_2D, this.rows);
    gl.texImage2D(gl.TEXTURE_2D, 0, gl.RGBA32F, 3, joints, 0, gl.RGBA, gl.FLOAT, rows);
    gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_MIN_FILTER, gl.NEAREST);
    gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_MAG_FILTER, gl.NEAREST);
  }

  draw(width, height) {
    const gl = this.gl, at = this.orbit.matrices(width, height);
    gl.depthMask(true);
    if (at.eye[1] > 0) this.drawGround(at);
    gl.useProgram(this.mesh);
    gl.uniformMatrix4fv(this.mesh.at("screen"), false, at.screen);
    gl.uniform3fv(this.mesh.at("eye"), at.eye);
    // The lamp comes along, so that no side is ever dark.
    const side = [0.55, 0.75, 0.62];
    gl.uniform3fv(this.mesh.at("lamp"), unit([0, 1, 2].map((i) => at.right[i] * -side[0] + at.up[i] * side[1] + at.back[i] * side[2])));
    gl.uniform1i(this.mesh.at("base"), 0);
    gl.uniform1i(this.mesh.at("rows"), 1);
    gl.uniform1i(this.mesh.at("skinned"), this.skinned);
    gl.activeTexture(gl.TEXTURE1);
    gl.bindTexture(gl.TEXTURE_2D, this.skinned ? this.rows : this.white);
    gl.activeTexture(gl.TEXTURE0);
    if (this.skinned && at.eye[1] > 0) this.drawParts(this.parts, 1, [0.28, 0.28, 0.29, 1]);
    this.drawParts(this.parts, 0, [0, 0, 0, 0]);
    if (this.hull.length) {
      gl.enable(gl.BLEND);
      gl.depthMask(false);
      this.drawParts(this.hull, 0, [0.15, 0.62, 0.95, 0.28]);
      gl.disable(gl.BLEND);
    }
  }

  drawParts(parts, flatten, plain) {
    const gl = this.gl;
    gl.uniform1f(this.mesh.at("flatten"), flatten);
    gl.uniform4fv(this.mesh.at("plain"), plain);
    for (const part of parts) {
      gl.bindVertexArray(part.arrays);
      const image = this.textures[part.texture];
      gl.bindTexture(gl.TEXTURE_2D, image || this.white);
      gl.uniform1i(this.mesh.at("textured"), image ? 1 : 0);
      gl.uniform1i(this.mesh.at("flat_"), part.flat ? 1 : 0);
      gl.uniform3fv(this.mesh.at("origin"), part.origin);
      gl.uniform3fv(this.mesh.at("size"), part.size);
      if (!part.coloured) gl.vertexAttrib3f(gl.getAttribLocation(this.mesh, "colour"), ...(image ? [1, 1, 1] : [0.75, 0.75, 0.75]));
      gl.drawElements(gl.TRIANGLES, part.count, part.kind, 0);
    }
  }

  drawGround(at) {
    const gl = this.gl;
    gl.enable(gl.BLEND);
    gl.depthMask(false);
    gl.useProgram(this.ground);
    gl.bindVertexArray(this.groundArrays);
    gl.uniformMatrix4fv(this.ground.at("screen"), false, at.screen);
    gl.uniform2fv(this.ground.at("middle"), this.middle);
    gl.uniform1f(this.ground.at("reach"), this.reach);
    gl.uniform1i(this.ground.at("tiles"), this.tiles ? 1 : 0);
    gl.drawArrays(gl.TRIANGLE_STRIP, 0, 4);
    gl.depthMask(true);
    gl.disable(gl.BLEND);
  }
}

// Plays the matrices of a clip: straight lines between frames, round and round.
class Player {
  constructor(view, clips) {
    this.view = view;
    this.clips = clips.map((clip) => ({ ...clip, seconds: clip.frames > 1 ? clip.seconds : 0,
      turns: new Int16Array(bytes(clip.turns)), places: new Float32Array(bytes(clip.places)),
      middles: new Float32Array(bytes(clip.middles)) }));
    Object.assign(this, { time: 0, playing: false, told: () => {} });
    this.choose(0);
  }

  choose(number) {
    this.clip = this.clips[number];
    this.rows = new Float32Array(12 * this.clip.joints);
    this.seek(0);
  }

  seek(time) {
    const { clip, rows, view } = this;
    this.time = clamped(time, 0, clip.seconds);
    const at = this.time * clip.fps, first = Math.min(Math.floor(at), clip.frames - 1);
    const second = Math.min(first + 1, clip.frames - 1), share = at - first;
    const mixed = (values, width, k) =>
      values[first * width + k] * (1 - share) + values[second * width + k] * share;
    const scale = clip.turn_reach / 32767;
    for (let joint = 0; joint < clip.joints; joint++) {
      for (let row = 0; row < 3; row++) {
        for (let k = 0; k < 3; k++) {
          rows[12 * joint + 4 * row + k] = scale * mixed(clip.turns, 9 * clip.joints, 9 * joint + 3 * row + k);
        }
        rows[12 * joint + 4 * row + 3] = mixed(clip.places, 3 * clip.joints, 3 * joint + row);
      }
    }
    view.pose(rows, clip.joints);
    const [x, , z] = [0, 1, 2].map((k) => mixed(clip.middles, 3, k));
    view.orbit.target[0] = view.middle[0] = x;
    view.orbit.target[2] = view.middle[1] = z;
    view.stage.ask();
    this.told(this);
  }

  play(wanted) {
    this.playing = wanted && this.clip.seconds > 0;
    this.told(this);
    let last = null;
    const step = (now) => {
      if (!this.playing) return;
      if (last !== null) {
        const next = this.time + Math.min(now - last, 100) / 1000;
        this.seek(next > this.clip.seconds ? 0 : next);
      }
      last = now;
      requestAnimationFrame(step);
    };
    if (this.playing) requestAnimationFrame(step);
  }
}
