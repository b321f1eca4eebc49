// Draws a material: a plane of tiles that has the relief of its height map, under a lamp to drag.
"use strict";

const PLANE_STEPS = 180;
// Width and depth of the plane; the tiles are counted along the depth.
const PLANE_SIZE = [1.8, 1];

const PLANE_VERTEX = `
  uniform mat4 screen; uniform sampler2D heights; uniform float tiles, relief; uniform vec2 size;
  in vec2 corner; out vec2 at; out vec3 world;
  void main() {
    vec2 spot = corner * size;
    at = (spot + 0.5) * tiles;
    world = vec3(spot.x, (textureLod(heights, at, 0.0).r - 0.5) * relief, spot.y);
    gl_Position = screen * vec4(world, 1.0);
  }`;

// Cook-Torrance with GGX (Walter et al. 2007), Schlick's Fresnel, a lamp near by, a plain sky.
const PLANE_PIXEL = `
  uniform sampler2D colours, normals, packed, heights;
  uniform vec3 eye, lamp; uniform float relief, tiles;
  in vec2 at; in vec3 world; out vec4 pixel;
  float lit(vec3 way) {
    float start = textureLod(heights, at, 0.0).r, light = 1.0;
    vec2 step_ = way.xz * tiles * relief / max(way.y, 0.05);
    for (int i = 1; i <= 10; i++) {
      float up = float(i) / 10.0 * (1.0 - start);
      float above = textureLod(heights, at + step_ * up, 0.0).r - start - up;
      light = min(light, 1.0 - smoothstep(0.0, 0.06, above));
    }
    return light;
  }
  void main() {
    vec3 colour = pow(texture(colours, at).rgb, vec3(2.2));
    vec3 map = texture(normals, at).rgb * 2.0 - 1.0;
    vec3 n = normalize(vec3(map.x, map.z, -map.y));
    vec3 orm = texture(packed, at).rgb;
    float alpha = max(orm.g * orm.g, 0.02);
    vec3 toLamp = lamp - world, l = normalize(toLamp), v = normalize(eye - world), h = normalize(l + v);
    float nl = max(dot(n, l), 0.0), nv = max(dot(n, v), 0.001), nh = max(dot(n, h), 0.0), vh = max(dot(v, h), 0.0);
    vec3 f0 = mix(vec3(0.04), colour, orm.b);
    vec3 fresnel = f0 + (1.0 - f0) * pow(1.0 - vh, 5.0);
    float d = nh * nh * (alpha * alpha - 1.0) + 1.0;
    float spread = alpha * alpha / (3.1416 * d * d);
    float k = 0.5 * alpha;
    float seen = 1.0 / (4.0 * (nl * (1.0 - k) + k) * (nv * (1.0 - k) + k));
    vec3 body = colour * (1.0 - orm.b) * (1.0 - fresnel) / 3.1416 + spread * seen * fresnel;
    float power = 4.6 / (0.45 + dot(toLamp, toLamp) * 2.2);
    vec3 light = nl > 0.0 ? body * nl * power * vec3(1.0, 0.95, 0.88) * lit(l) : vec3(0.0);
    vec3 mirror = reflect(-v, n);
    vec3 sky = mix(vec3(0.10, 0.09, 0.08), vec3(0.34, 0.38, 0.44), smoothstep(-0.2, 0.8, mirror.y));
    vec3 ambient = orm.r * (colour * (1.0 - orm.b) * vec3(0.20, 0.21, 0.23) + sky * mix(f0, vec3(0.04), alpha * 0.5));
    pixel = vec4(pow(light + ambient, vec3(1.0 / 2.2)), 1.0);
  }`;

class MaterialView {
  constructor(canvas, orbit, scene, images, bulb) {
    this.stage = new Stage(canvas, { antialias: true });
    this.orbit = orbit;
    this.bulb = bulb;
    this.lamp = [-0.4, 0.26, 0.05];
    this.tiles = 2;
    this.height = scene.height_m / scene.tile_m;
    const gl = this.gl = this.stage.gl;
    gl.enable(gl.DEPTH_TEST);
    this.program = program(gl, PLANE_VERTEX, PLANE_PIXEL);
    // Heights are read many times per pixel, so they stay cheap.
    this.textures = images.map((image, i) => texture(gl, image, { repeat: true, sharp: i < 3 }));
    this.arrays = gl.createVertexArray();
    gl.bindVertexArray(this.arrays);
    const corners = [], side = PLANE_STEPS + 1;
    for (let y = 0; y < side; y++) for (let x = 0; x < side; x++) corners.push(x / PLANE_STEPS - 0.5, y / PLANE_STEPS - 0.5);
    attribute(gl, this.program, "corner", 2, new Float32Array(corners));
    const indices = [];
    for (let y = 0; y < PLANE_STEPS; y++) {
      for (let x = 0; x < PLANE_STEPS; x++) {
        const a = y * side + x, c = a + side;
        indices.push(a, c, a + 1, a + 1, c, c + 1);
      }
    }
    gl.bindBuffer(gl.ELEMENT_ARRAY_BUFFER, gl.createBuffer());
    gl.bufferData(gl.ELEMENT_ARRAY_BUFFER, new Uint32Array(indices), gl.STATIC_DRAW);
    this.count = indices.length;
    orbit.followers.push(() => this.stage.ask());
    this.stage.draw = (width, height) => this.draw(width, height);
  }

  // Puts the lamp where the ray through a point of the page meets the lamp's own height.
  point(event) {
    const box = this.stage.canvas.getBoundingClientRect();
    const x = 2 * (event.clientX - box.left) / box.width - 1, y = 1 - 2 * (event.clientY - box.top) / box.height;
    const { eye, way } = this.orbit.ray(x, y, box.width, box.height);
    const along = (this.lamp[1] - eye[1]) / way[1];
    if (along > 0) this.move(eye[0] + along * way[0], eye[2] + along * way[2]);
  }

  move(x, z) {
    this.lamp[0] = clamped(x, -PLANE_SIZE[0], PLANE_SIZE[0]);
    this.lamp[2] = clamped(z, -PLANE_SIZE[1], PLANE_SIZE[1]);
    this.stage.ask();
  }

  draw(width, height) {
    const gl = this.gl, at = this.orbit.matrices(width, height), made = this.program;
    gl.useProgram(made);
    gl.bindVertexArray(this.arrays);
    ["colours", "normals", "packed", "heights"].forEach((name, i) => {
      gl.activeTexture(gl.TEXTURE0 + i);
      gl.bindTexture(gl.TEXTURE_2D, this.textures[i]);
      gl.uniform1i(made.at(name), i);
    });
    gl.uniformMatrix4fv(made.at("screen"), false, at.screen);
    gl.uniform3fv(made.at("eye"), at.eye);
    gl.uniform3fv(made.at("lamp"), this.lamp);
    gl.uniform2fv(made.at("size"), PLANE_SIZE);
    gl.uniform1f(made.at("tiles"), this.tiles);
    gl.uniform1f(made.at("relief"), this.height / this.tiles);
    gl.drawElements(gl.TRIANGLES, this.count, gl.UNSIGNED_INT, 0);
    const place = [0, 1, 2, 3].map((row) => [0, 1, 2].reduce((sum, k) => sum + at.screen[4 * k + row] * this.lamp[k], at.screen[12 + row]));
    this.bulb.style.left = `${50 + 50 * place[0] / place[3]}%`;
    this.bulb.style.top = `${50 - 50 * place[1] / place[3]}%`;
  }
}
