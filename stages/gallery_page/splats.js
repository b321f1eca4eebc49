// Draws Gaussian splats: each an ellipse on the screen, the farthest first (Kerbl et al. 2023; EWA
// splatting, Zwicker et al. 2001).
"use strict";

const SPLAT_VERTEX = `
  uniform highp sampler2D splats; uniform mat4 camera, screen; uniform vec2 pixels; uniform float focal;
  in vec2 corner; in uint number;
  out vec2 at; out vec4 shade;
  vec4 part(int k) { return texelFetch(splats, ivec2(4 * int(number % 512u) + k, int(number / 512u)), 0); }
  void main() {
    vec4 a = part(0), b = part(1), c = part(2);
    shade = part(3);
    vec3 seen = (camera * vec4(a.xyz, 1.0)).xyz;
    float depth = -seen.z;
    gl_Position = vec4(0.0, 0.0, 2.0, 1.0);
    if (depth <= 0.0) return;
    mat3 spread = mat3(b.x, b.y, b.z, b.y, b.w, c.x, b.z, c.x, c.y);
    float f = 0.5 * pixels.y * focal;
    mat3 turn = mat3(camera);
    vec3 dx = vec3(f / depth, 0.0, f * seen.x / (depth * depth)) * turn;
    vec3 dy = vec3(0.0, f / depth, f * seen.y / (depth * depth)) * turn;
    vec3 sx = spread * dx;
    // A third of a pixel keeps distant splats from falling between the pixels.
    float xx = dot(dx, sx) + 0.3, xy = dot(dy, sx), yy = dot(dy, spread * dy) + 0.3;
    float mean = 0.5 * (xx + yy), half_ = length(vec2(0.5 * (xx - yy), xy));
    float large = mean + half_, small = max(mean - half_, 0.1);
    vec2 along = abs(xy) < 1e-6 ? (xx >= yy ? vec2(1.0, 0.0) : vec2(0.0, 1.0)) : normalize(vec2(xy, large - xx));
    vec2 offset = 2.83 * (corner.x * sqrt(large) * along + corner.y * sqrt(small) * vec2(-along.y, along.x));
    at = 2.83 * corner;
    vec4 middle = screen * vec4(a.xyz, 1.0);
    gl_Position = middle + vec4(offset / pixels * 2.0 * middle.w, 0.0, 0.0);
  }`;

const SPLAT_PIXEL = `
  in vec2 at; in vec4 shade; out vec4 pixel;
  void main() {
    float alpha = shade.a * exp(-0.5 * dot(at, at));
    if (alpha < 0.004) discard;
    pixel = vec4(shade.rgb * alpha, alpha);
  }`;

class SplatView {
  constructor(canvas, orbit, data) {
    this.stage = new Stage(canvas, { antialias: false, depth: false });
    this.orbit = orbit;
    const gl = this.gl = this.stage.gl;
    gl.enable(gl.BLEND);
    gl.blendFunc(gl.ONE, gl.ONE_MINUS_SRC_ALPHA);
    this.program = program(gl, SPLAT_VERTEX, SPLAT_PIXEL);
    this.count = data.count;
    this.upload(data);
    this.arrays = gl.createVertexArray();
    gl.bindVertexArray(this.arrays);
    attribute(gl, this.program, "corner", 2, new Float32Array([-1, -1, 1, -1, -1, 1, 1, 1]));
    this.order = new Uint32Array(this.count);
    this.orderBuffer = gl.createBuffer();
    gl.bindBuffer(gl.ARRAY_BUFFER, this.orderBuffer);
    gl.bufferData(gl.ARRAY_BUFFER, this.order.byteLength, gl.DYNAMIC_DRAW);
    const at = gl.getAttribLocation(this.program, "number");
    gl.enableVertexAttribArray(at);
    gl.vertexAttribIPointer(at, 1, gl.UNSIGNED_INT, 0, 0);
    gl.vertexAttribDivisor(at, 1);
    orbit.followers.push(() => this.stage.ask());
    this.stage.draw = (width, height) => this.draw(width, height);
  }

  // Four texels per splat: centre; six numbers of its covariance in two; colour and opacity.
  upload(data) {
    const gl = this.gl, rows = Math.ceil(this.count / 512), texels = new Float32Array(rows * 512 * 16);
    const steps = new Uint16Array(bytes(data.positions.data)), scales = new Uint8Array(bytes(data.scales));
    const turns = new Int8Array(bytes(data.rotations)), shades = new Uint8Array(bytes(data.shades));
    const [low, high] = data.log_scale, { origin, size } = data.positions;
    this.centres = new Float32Array(3 * this.count);
    for (let i = 0; i < this.count; i++) {
      const centre = [0, 1, 2].map((k) => origin[k] + steps[3 * i + k] / 65535 * size[k]);
      this.centres.set(centre, 3 * i);
      const squares = [0, 1, 2].map((k) => Math.exp(2 * (low + scales[3 * i + k] / 255 * (high - low))));
      const q = [0, 1, 2, 3].map((k) => turns[4 * i + k]), l = Math.hypot(...q) || 1;
      const [w, x, y, z] = q.map((v) => v / l);
      const r = [[1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)],
        [2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)],
        [2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)]];
      const spread = (a, b) => squares.reduce((sum, s, k) => sum + s * r[a][k] * r[b][k], 0);
      texels.set([...centre, 0, spread(0, 0), spread(0, 1), spread(0, 2), spread(1, 1), spread(1, 2), spread(2, 2), 0, 0,
        ...[0, 1, 2, 3].map((k) => shades[4 * i + k] / 255)], 16 * i);
    }
    gl.bindTexture(gl.TEXTURE_2D, gl.createTexture());
    gl.texImage2D(gl.TEXTURE_2D, 0, gl.RGBA32F, 2048, rows, 0, gl.RGBA, gl.FLOAT, texels);
    gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_MIN_FILTER, gl.NEAREST);
    gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_MAG_FILTER, gl.NEAREST);
  }

  // Counting sort by depth, the farthest first.
  sort(back) {
    const { count, centres, order } = this, depths = this.depths || (this.depths = new Float32Array(count));
    let low = Infinity, high = -Infinity;
    for (let i = 0; i < count; i++) {
      const depth = depths[i] = centres[3 * i] * back[0] + centres[3 * i + 1] * back[1] + centres[3 * i + 2] * back[2];
      low = Math.min(low, depth);
      high = Math.max(high, depth);
    }
    const starts = new Uint32Array(65537), scale = 65535 / Math.max(high - low, 1e-9);
    for (let i = 0; i < count; i++) starts[1 + ((depths[i] - low) * scale | 0)]++;
    for (let i = 0; i < 65536; i++) starts[i + 1] += starts[i];
    for (let i = 0; i < count; i++) order[starts[(depths[i] - low) * scale | 0]++] = i;
  }

  draw(width, height) {
    const gl = this.gl, at = this.orbit.matrices(width, height);
    this.sort(at.back);
    gl.useProgram(this.program);
    gl.bindVertexArray(this.arrays);
    gl.bindBuffer(gl.ARRAY_BUFFER, this.orderBuffer);
    gl.bufferSubData(gl.ARRAY_BUFFER, 0, this.order);
    gl.uniformMatrix4fv(this.program.at("camera"), false, at.camera);
    gl.uniformMatrix4fv(this.program.at("screen"), false, at.screen);
    gl.uniform2f(this.program.at("pixels"), width, height);
    gl.uniform1f(this.program.at("focal"), at.focal);
    gl.drawArraysInstanced(gl.TRIANGLE_STRIP, 0, 4, this.count);
  }
}
