// Draws the skinned body, its shadow and the ground with WebGL 2. World: +Y up, metres.
"use strict";

const BONES = 27;

const BODY_VERTEX = `#version 300 es
  uniform mat4 view;
  uniform vec4 rows[${3 * BONES}];
  uniform float flatten;
  in vec3 place; in vec3 normal; in vec3 colour; in vec4 joints; in vec4 weights;
  out vec3 tint; out vec3 facing;
  void main() {
    vec4 a = vec4(0.0), b = vec4(0.0), c = vec4(0.0);
    for (int k = 0; k < 4; k++) {
      int row = 3 * int(joints[k]);
      a += weights[k] * rows[row]; b += weights[k] * rows[row + 1]; c += weights[k] * rows[row + 2];
    }
    vec4 rest = vec4(place, 1.0);
    vec3 world = vec3(dot(a, rest), dot(b, rest), dot(c, rest));
    facing = vec3(dot(a.xyz, normal), dot(b.xyz, normal), dot(c.xyz, normal));
    vec3 fallen = vec3(world.x - 0.35 * world.y, 0.004, world.z - 0.25 * world.y);
    tint = mix(colour, vec3(0.52), flatten);
    gl_Position = view * vec4(mix(world, fallen, flatten), 1.0);
  }`;

const BODY_PIXEL = `#version 300 es
  precision highp float;
  uniform float flatten;
  in vec3 tint; in vec3 facing; out vec4 pixel;
  void main() {
    vec3 n = normalize(facing);
    float light = 0.52 + 0.18 * n.y + 0.45 * max(dot(n, normalize(vec3(0.5, 0.8, 0.35))), 0.0);
    pixel = vec4(tint * mix(min(light, 1.15), 1.0, flatten), 1.0);
  }`;

const GROUND_VERTEX = `#version 300 es
  uniform mat4 view; uniform vec2 middle; in vec2 corner; out vec2 place;
  void main() { place = middle + corner; gl_Position = view * vec4(place.x, 0.0, place.y, 1.0); }`;

const GROUND_PIXEL = `#version 300 es
  precision highp float;
  uniform vec2 middle; in vec2 place; out vec4 pixel;
  void main() {
    vec2 tile = floor(place / 0.5);
    float dark = mod(tile.x + tile.y, 2.0);
    float far = smoothstep(6.0, 18.0, length(place - middle));
    pixel = vec4(mix(mix(vec3(0.80, 0.80, 0.78), vec3(0.73, 0.73, 0.71), dark),
                     vec3(0.902, 0.914, 0.925), far), 1.0);
  }`;

const LINE_VERTEX = `#version 300 es
  uniform mat4 view; in vec2 place; in vec3 colour; out vec3 tint;
  void main() { tint = colour; gl_Position = view * vec4(place.x, 0.008, place.y, 1.0); }`;

const LINE_PIXEL = `#version 300 es
  precision highp float;
  in vec3 tint; out vec4 pixel;
  void main() { pixel = vec4(tint, 1.0); }`;

function program(gl, vertex, pixel) {
  const made = gl.createProgram();
  for (const [kind, text] of [[gl.VERTEX_SHADER, vertex], [gl.FRAGMENT_SHADER, pixel]]) {
    const shader = gl.createShader(kind);
    gl.shaderSource(shader, text);
    gl.compileShader(shader);
    if (!gl.getShaderParameter(shader, gl.COMPILE_STATUS)) throw Error(gl.getShaderInfoLog(shader));
    gl.attachShader(made, shader);
  }
  gl.linkProgram(made);
  if (!gl.getProgramParameter(made, gl.LINK_STATUS)) throw Error(gl.getProgramInfoLog(made));
  return made;
}

function attribute(gl, made, name, size, values) {
  const buffer = gl.createBuffer(), at = gl.getAttribLocation(made, name);
  gl.bindBuffer(gl.ARRAY_BUFFER, buffer);
  if (values) gl.bufferData(gl.ARRAY_BUFFER, values, gl.STATIC_DRAW);
  if (at >= 0) {
    gl.enableVertexAttribArray(at);
    gl.vertexAttribPointer(at, size, gl.FLOAT, false, 0, 0);
  }
  return buffer;
}

// Column-major, as WebGL wants it.
function viewMatrix(eye, target, aspect) {
  const unit = (v) => { const l = Math.hypot(...v); return v.map((x) => x / l); };
  const cross = (a, b) => [a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]];
  const dot = (a, b) => a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
  const back = unit(eye.map((x, i) => x - target[i]));
  const right = unit(cross([0, 1, 0], back)), up = cross(back, right);
  const f = 1 / Math.tan(0.28), near = 0.05, far = 60;
  const rows = [
    [...right, -dot(right, eye)].map((x) => x * f / aspect),
    [...up, -dot(up, eye)].map((x) => x * f),
    [...back, -dot(back, eye)].map((x, i) => x * (far + near) / (near - far)
      + (i === 3 ? 2 * far * near / (near - far) : 0)),
    [...back, -dot(back, eye)].map((x) => -x),
  ];
  return new Float32Array(Array.from({ length: 16 }, (_, i) => rows[i % 4][i >> 2]));
}

class Scene {
  constructor(canvas, body) {
    this.canvas = canvas;
    const gl = this.gl = canvas.getContext("webgl2", { antialias: true });
    if (!gl) throw Error("this browser has no WebGL 2");
    gl.enable(gl.DEPTH_TEST);
    gl.clearColor(0.902, 0.914, 0.925, 1);
    this.body = program(gl, BODY_VERTEX, BODY_PIXEL);
    this.bodyArrays = gl.createVertexArray();
    gl.bindVertexArray(this.bodyArrays);
    for (const [name, size, values] of [["place", 3, body.vertices], ["normal", 3, body.normals],
      ["colour", 3, body.colours], ["joints", 4, body.joints], ["weights", 4, body.weights]]) {
      attribute(gl, this.body, name, size, new Float32Array(values));
    }
    gl.bindBuffer(gl.ELEMENT_ARRAY_BUFFER, gl.createBuffer());
    gl.bufferData(gl.ELEMENT_ARRAY_BUFFER, new Uint32Array(body.faces), gl.STATIC_DRAW);
    this.faceCount = body.faces.length;
    this.ground = program(gl, GROUND_VERTEX, GROUND_PIXEL);
    this.groundArrays = gl.createVertexArray();
    gl.bindVertexArray(this.groundArrays);
    attribute(gl, this.ground, "corner", 2, new Float32Array([-20, -20, 20, -20, -20, 20, 20, 20]));
    this.lines = program(gl, LINE_VERTEX, LINE_PIXEL);
    this.lineArrays = gl.createVertexArray();
    gl.bindVertexArray(this.lineArrays);
    this.linePlaces = attribute(gl, this.lines, "place", 2, null);
    this.lineColours = attribute(gl, this.lines, "colour", 3, null);
  }

  draw(rows, middle, trajectory) {
    const gl = this.gl, width = this.canvas.clientWidth * devicePixelRatio | 0;
    const height = this.canvas.clientHeight * devicePixelRatio | 0;
    if (this.canvas.width !== width || this.canvas.height !== height) {
      this.canvas.width = width;
      this.canvas.height = height;
    }
    gl.viewport(0, 0, width, height);
    gl.clear(gl.COLOR_BUFFER_BIT | gl.DEPTH_BUFFER_BIT);
    const target = [middle[0], 0.35, middle[2]];
    const view = viewMatrix([middle[0] + 2.6, 1.35, middle[2] + 2.1], target, width / height);
    this.drawGround(view, middle);
    this.drawSamples(view, trajectory);
    gl.useProgram(this.body);
    gl.bindVertexArray(this.bodyArrays);
    gl.uniformMatrix4fv(gl.getUniformLocation(this.body, "view"), false, view);
    gl.uniform4fv(gl.getUniformLocation(this.body, "rows"), rows);
    for (const flatten of [1, 0]) {
      gl.uniform1f(gl.getUniformLocation(this.body, "flatten"), flatten);
      gl.drawElements(gl.TRIANGLES, this.faceCount, gl.UNSIGNED_INT, 0);
    }
  }

  drawGround(view, middle) {
    const gl = this.gl;
    gl.useProgram(this.ground);
    gl.bindVertexArray(this.groundArrays);
    gl.uniformMatrix4fv(gl.getUniformLocation(this.ground, "view"), false, view);
    gl.uniform2f(gl.getUniformLocation(this.ground, "middle"), middle[0], middle[2]);
    gl.drawArrays(gl.TRIANGLE_STRIP, 0, 4);
  }

  // A dart for each sample of the trajectory: past ones blue, future ones orange.
  drawSamples(view, samples) {
    const gl = this.gl, places = [], colours = [];
    for (let i = 0; i < samples.length; i += 4) {
      const [x, z, dx, dz] = samples.subarray(i, i + 4);
      const colour = i < samples.length / 2 ? [0.20, 0.42, 0.72] : [0.87, 0.47, 0.13];
      places.push(x + 0.11 * dx, z + 0.11 * dz, x + 0.035 * dz, z - 0.035 * dx,
        x - 0.035 * dz, z + 0.035 * dx);
      colours.push(...colour, ...colour, ...colour);
    }
    gl.useProgram(this.lines);
    gl.bindVertexArray(this.lineArrays);
    gl.uniformMatrix4fv(gl.getUniformLocation(this.lines, "view"), false, view);
    gl.bindBuffer(gl.ARRAY_BUFFER, this.linePlaces);
    gl.bufferData(gl.ARRAY_BUFFER, new Float32Array(places), gl.DYNAMIC_DRAW);
    gl.bindBuffer(gl.ARRAY_BUFFER, this.lineColours);
    gl.bufferData(gl.ARRAY_BUFFER, new Float32Array(colours), gl.DYNAMIC_DRAW);
    gl.drawArrays(gl.TRIANGLES, 0, places.length / 2);
  }
}
