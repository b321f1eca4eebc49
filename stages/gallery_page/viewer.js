// What all views share: arrays out of text, matrices, programs, a camera that several canvases follow.
"use strict";

function bytes(text) {
  const raw = atob(text), made = new Uint8Array(raw.length);
  for (let i = 0; i < raw.length; i++) made[i] = raw.charCodeAt(i);
  return made.buffer;
}

function picture(url) {
  return new Promise((done, failed) => {
    const image = new Image();
    image.onload = () => done(image);
    image.onerror = () => failed(Error("a picture of the data cannot be read"));
    image.src = url;
  });
}

function program(gl, vertex, pixel) {
  const made = gl.createProgram();
  for (const [kind, text] of [[gl.VERTEX_SHADER, vertex], [gl.FRAGMENT_SHADER, pixel]]) {
    const shader = gl.createShader(kind);
    gl.shaderSource(shader, "#version 300 es\nprecision highp float;\n" + text);
    gl.compileShader(shader);
    if (!gl.getShaderParameter(shader, gl.COMPILE_STATUS)) throw Error(gl.getShaderInfoLog(shader));
    gl.attachShader(made, shader);
  }
  gl.linkProgram(made);
  if (!gl.getProgramParameter(made, gl.LINK_STATUS)) throw Error(gl.getProgramInfoLog(made));
  const places = {};
  made.at = (name) => name in places ? places[name] : (places[name] = gl.getUniformLocation(made, name));
  return made;
}

// One attribute of the bound vertex array; whole numbers come as they are or as shares of their range.
function attribute(gl, made, name, size, values, { share = false, whole = false } = {}) {
  const at = gl.getAttribLocation(made, name);
  if (at < 0) return;
  const kinds = new Map([[Float32Array, gl.FLOAT], [Uint8Array, gl.UNSIGNED_BYTE], [Int8Array, gl.BYTE],
    [Uint16Array, gl.UNSIGNED_SHORT], [Uint32Array, gl.UNSIGNED_INT]]);
  gl.bindBuffer(gl.ARRAY_BUFFER, gl.createBuffer());
  gl.bufferData(gl.ARRAY_BUFFER, values, gl.STATIC_DRAW);
  gl.enableVertexAttribArray(at);
  if (whole) gl.vertexAttribIPointer(at, size, kinds.get(values.constructor), 0, 0);
  else gl.vertexAttribPointer(at, size, kinds.get(values.constructor), share, 0, 0);
}

function texture(gl, image, { repeat = false, sharp = false } = {}) {
  const made = gl.createTexture();
  gl.bindTexture(gl.TEXTURE_2D, made);
  gl.texImage2D(gl.TEXTURE_2D, 0, gl.RGBA, gl.RGBA, gl.UNSIGNED_BYTE, image);
  gl.generateMipmap(gl.TEXTURE_2D);
  gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_MIN_FILTER, gl.LINEAR_MIPMAP_LINEAR);
  const wrap = repeat ? gl.REPEAT : gl.CLAMP_TO_EDGE;
  gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_WRAP_S, wrap);
  gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_WRAP_T, wrap);
  const sharper = sharp && gl.getExtension("EXT_texture_filter_anisotropic");
  if (sharper) gl.texParameterf(gl.TEXTURE_2D, sharper.TEXTURE_MAX_ANISOTROPY_EXT, 4);
  return made;
}

const dot = (a, b) => a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
const cross = (a, b) =>
  [a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]];
const unit = (v) => { const l = Math.hypot(...v); return v.map((x) => x / l); };
const clamped = (x, low, high) => Math.min(Math.max(x, low), high);
const HALF_ANGLE = 0.28;

// A camera on a sphere around what is looked at.
class Orbit {
  constructor(target, distance, { yaw = 0.6, pitch = 0.32 } = {}) {
    this.start = { target: [...target], distance, yaw, pitch };
    this.followers = [];
    this.reset();
  }

  reset() {
    Object.assign(this, this.start, { target: [...this.start.target] });
    this.changed();
  }

  changed() { for (const follow of this.followers) follow(); }

  turn(yaw, pitch) {
    this.yaw -= yaw;
    this.pitch = clamped(this.pitch + pitch, -1.5, 1.5);
    this.changed();
  }

  zoom(factor) {
    const { distance } = this.start;
    this.distance = clamped(this.distance * factor, 0.25 * distance, 4 * distance);
    this.changed();
  }

  // Eye, axes, and the matrices of camera and screen, column after column.
  matrices(width, height) {
    const cos = Math.cos(this.pitch);
    const back = [Math.sin(this.yaw) * cos, Math.sin(this.pitch), Math.cos(this.yaw) * cos];
    const right = unit(cross([0, 1, 0], back)), up = cross(back, right);
    // A narrow canvas must still hold the whole object.
    const distance = this.distance * Math.max(1, height / width);
    const eye = this.target.map((x, i) => x + distance * back[i]);
    const near = distance / 50, far = distance * 20;
    const f = 1 / Math.tan(HALF_ANGLE);
    const rows = [[...right, -dot(right, eye)], [...up, -dot(up, eye)], [...back, -dot(back, eye)], [0, 0, 0, 1]];
    const seen = [
      rows[0].map((x) => x * f * height / width),
      rows[1].map((x) => x * f),
      rows[2].map((x, i) => x * (far + near) / (near - far) + (i === 3 ? 2 * far * near / (near - far) : 0)),
      rows[2].map((x) => -x),
    ];
    const columns = (m) => new Float32Array(Array.from({ length: 16 }, (_, i) => m[i % 4][i >> 2]));
    return { eye, back, right, up, camera: columns(rows), screen: columns(seen), focal: f };
  }

  // The way from the eye through a point of the canvas, both -1..1.
  ray(x, y, width, height) {
    const { eye, back, right, up, focal } = this.matrices(width, height);
    return { eye, way: unit(back.map((b, i) => -b + (x * width / height * right[i] + y * up[i]) / focal)) };
  }
}

// Mouse, touch and keys turn the orbit. `grab(event)` may take a pointer for itself: it returns a function
// that is called as the pointer moves; `keys(event)` may take a key by returning true.
function steer(canvas, orbit, { grab = () => null, keys = () => false } = {}) {
  const down = new Map();
  let spread = 0, taken = null;
  const width = () => canvas.clientWidth || 1;
  canvas.addEventListener("pointerdown", (event) => {
    canvas.setPointerCapture(event.pointerId);
    canvas.focus({ preventScroll: true });
    down.set(event.pointerId, event);
    spread = 0;
    taken = down.size === 1 ? grab(event) : null;
    if (taken) taken(event);
  });
  canvas.addEventListener("pointermove", (event) => {
    const before = down.get(event.pointerId);
    if (!before) return;
    down.set(event.pointerId, event);
    const share = 1 / down.size;
    if (taken) taken(event);
    else orbit.turn(share * (event.clientX - before.clientX) * 5 / width(), share * (event.clientY - before.clientY) * 5 / width());
    if (down.size === 2) {
      const [a, b] = [...down.values()];
      const now = Math.hypot(a.clientX - b.clientX, a.clientY - b.clientY);
      if (spread) orbit.zoom(spread / Math.max(now, 1));
      spread = now;
    }
  });
  for (const kind of ["pointerup", "pointercancel"]) {
    canvas.addEventListener(kind, (event) => { down.delete(event.pointerId); spread = 0; taken = null; });
  }
  canvas.addEventListener("contextmenu", (event) => event.preventDefault());
  canvas.addEventListener("wheel", (event) => {
    event.preventDefault();
    orbit.zoom(Math.exp(clamped(event.deltaY, -100, 100) / 400));
  }, { passive: false });
  const turns = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
  canvas.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (!keys(event)) {
      if (event.key in turns) orbit.turn(...turns[event.key].map((x) => 0.12 * x));
      else if (event.key === "+" || event.key === "=") orbit.zoom(0.85);
      else if (event.key === "-") orbit.zoom(1 / 0.85);
      else if (event.key === "Home" || event.key === "0") orbit.reset();
      else return;
    }
    event.preventDefault();
  });
}

// A canvas that draws when something changed, at the screen's own resolution.
class Stage {
  constructor(canvas, options) {
    this.canvas = canvas;
    canvas.stage = this;
    this.gl = canvas.getContext("webgl2", options);
    if (!this.gl) throw Error("this browser has no WebGL 2");
    this.waiting = false;
    this.draw = null;
    new ResizeObserver(() => this.ask()).observe(canvas);
  }

  ask() {
    if (this.waiting) return;
    this.waiting = true;
    requestAnimationFrame(() => { this.waiting = false; this.now(); });
  }

  now() {
    if (!this.draw) return;
    const { canvas, gl } = this, scale = Math.min(devicePixelRatio, 2);
    const width = Math.max(1, Math.round(canvas.clientWidth * scale));
    const height = Math.max(1, Math.round(canvas.clientHeight * scale));
    if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height });
    gl.viewport(0, 0, width, height);
    gl.clearColor(0, 0, 0, 0);
    gl.clear(gl.COLOR_BUFFER_BIT | gl.DEPTH_BUFFER_BIT);
    this.draw(width, height);
    canvas.dataset.drawn = String(1 + Number(canvas.dataset.drawn || 0));
  }
}
