// One asset's page: its scene arrives as a script that calls assets3d(); views are made of it.
"use strict";

const assetPage = document.querySelector("main.asset");
const viewers = document.getElementById("viewers");
const still = matchMedia("(prefers-reduced-motion: reduce)").matches;

function made(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name in element && typeof value !== "string") element[name] = value;
    else element.setAttribute(name, value);
  }
  element.append(...children);
  return element;
}

function frame(label, help, caption) {
  const canvas = made("canvas", { tabindex: "0", role: "img", "aria-label": `${label}. ${help}` });
  const figure = made("figure", { class: "view" }, canvas, made("figcaption", {}, made("b", {}, label), ` ${caption}`));
  viewers.append(figure);
  return { canvas, figure, caption: figure.lastChild };
}

// A row of buttons of which one is pressed.
function choice(label, names, chosen) {
  const row = made("div", { class: "buttons", role: "group", "aria-label": label });
  const buttons = names.map((name, number) => made("button", { type: "button", onclick: () => pick(number) }, name));
  const pick = (number) => {
    buttons.forEach((button, i) => button.setAttribute("aria-pressed", String(i === number)));
    chosen(number);
  };
  row.append(...buttons);
  pick(0);
  return row;
}

const TURN = "Drag or use the arrow keys to turn, scroll, pinch or press + and - to come nearer, Home to start again";

async function showProp(scene) {
  const [low, high] = scene.bounds, size = Math.hypot(...high.map((x, i) => x - low[i]));
  const middle = low.map((x, i) => (x + high[i]) / 2);
  const orbit = new Orbit(middle, 0.5 * size / Math.tan(HALF_ANGLE));
  const mesh = frame("Mesh", TURN, "");
  const view = new MeshView(mesh.canvas, orbit);
  if (scene.texture) view.textures = [texture(view.gl, await picture(scene.texture))];
  view.reach = 0.62 * Math.hypot(high[0] - low[0], high[2] - low[2]);
  view.middle = [middle[0], middle[2]];
  steer(mesh.canvas, orbit);
  const levels = scene.levels.map((level) => [view.part(level)]);
  const controls = made("div", { class: "controls" });
  const show = (number) => {
    view.parts = levels[number];
    const { name, triangles } = scene.levels[number];
    mesh.caption.lastChild.textContent = ` ${name}, ${triangles.toLocaleString("en")} triangles`;
    view.stage.ask();
  };
  if (levels.length > 1) controls.append(choice("level of detail", scene.levels.map((level) => level.name), show));
  else show(0);
  if (scene.hull.length) {
    const parts = scene.hull.map((shape) => view.part(shape));
    const button = made("button", { type: "button", "aria-pressed": "false" }, "Collision hull");
    button.onclick = () => {
      view.hull = view.hull.length ? [] : parts;
      button.setAttribute("aria-pressed", String(view.hull.length > 0));
      view.stage.ask();
    };
    controls.append(button);
  }
  if (scene.splats) {
    const { count, of } = scene.splats;
    const shown = count < of ? `the ${count.toLocaleString("en")} largest of ${of.toLocaleString("en")}` : count.toLocaleString("en");
    const splats = frame("Splats", TURN, shown);
    new SplatView(splats.canvas, orbit, scene.splats);
    steer(splats.canvas, orbit);
  }
  viewers.after(controls);
  controls.append(made("span", { class: "hint" }, scene.splats ? "Drag, scroll, arrow keys: both turn together." : "Drag, scroll, arrow keys."));
}

async function showMaterial(scene) {
  const orbit = new Orbit([0, -0.02, 0.03], 1.5, { yaw: 0, pitch: 0.8 });
  const help = "Drag or use the arrow keys to move the lamp; hold Shift, or drag with two fingers or the other button, to turn the plane";
  const plane = frame("Surface under a lamp", help, "");
  plane.figure.classList.add("wide");
  const bulb = made("span", { class: "lamp", "aria-hidden": "true" });
  plane.canvas.after(bulb);
  const images = await Promise.all(["colour", "normals", "packed", "heights"].map((name) => picture(scene[name])));
  const view = new MaterialView(plane.canvas, orbit, scene, images, bulb);
  const ways = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
  steer(plane.canvas, orbit, {
    grab: (event) => event.shiftKey || event.button > 0 ? null : (moved) => view.point(moved),
    keys: (event) => {
      if (event.shiftKey || !(event.key in ways)) return false;
      view.move(view.lamp[0] + 0.06 * ways[event.key][0], view.lamp[2] + 0.06 * ways[event.key][1]);
      return true;
    },
  });
  const metres = (x) => x >= 1 ? `${+x.toFixed(2)} m` : `${+(100 * x).toFixed(1)} cm`;
  const controls = made("div", { class: "controls" });
  const counts = [2, 1, 3];
  controls.append(choice("tiles", counts.map((n) => `${n} × ${n}`), (number) => {
    view.tiles = counts[number];
    plane.caption.lastChild.textContent = ` ${metres(scene.tile_m)} a tile, relief ${metres(scene.height_m)}`;
    view.stage.ask();
  }), made("span", { class: "hint" }, "Drag the lamp. Shift and drag, or two fingers, turn the plane."));
  viewers.after(controls);
}

async function showMotion(scene) {
  const reach = Math.max(...scene.parts.map((part) => Math.max(...part.positions.size)));
  const tall = Math.max(...scene.parts.map((part) => part.positions.origin[1] + part.positions.size[1]));
  const orbit = new Orbit([0, 0.45 * tall, 0], 0.78 * reach / Math.tan(HALF_ANGLE), { yaw: 0.95, pitch: 0.2 });
  const body = frame("Clip", `${TURN}, space to play or stop`, "");
  body.figure.classList.add("wide");
  const view = new MeshView(body.canvas, orbit);
  Object.assign(view, { skinned: true, tiles: true, reach: 4 * reach });
  view.textures = (await Promise.all(scene.textures.map(picture))).map((image) => texture(view.gl, image));
  view.parts = scene.parts.map((part) => view.part(part));
  const player = new Player(view, scene.clips);
  const play = made("button", { type: "button" }, "Play");
  const slider = made("input", { type: "range", min: "0", step: "any", "aria-label": "time" });
  const sections = made("span", { class: "buttons" });
  const clock = made("output", { class: "hint" });
  const controls = made("div", { class: "controls" }, play, slider, clock);
  const choose = (number) => {
    player.choose(number);
    slider.max = String(player.clip.seconds);
    sections.replaceChildren(...player.clip.sections.map((section) =>
      made("button", { type: "button", onclick: () => player.seek(section.start_s) }, section.name)));
    const { name, fps, seconds } = player.clip;
    body.caption.lastChild.textContent = ` ${name}, ${seconds.toFixed(1)} s, shown at ${+fps.toFixed(1)} frames per second`;
  };
  player.told = () => {
    play.textContent = player.playing ? "Pause" : "Play";
    slider.value = String(player.time);
    const now = player.clip.sections.filter((s) => s.start_s <= player.time).at(-1);
    clock.textContent = `${player.time.toFixed(1)} s${now ? `, ${now.name}` : ""}`;
  };
  slider.oninput = () => { const time = Number(slider.value); player.play(false); player.seek(time); };
  play.onclick = () => player.play(!player.playing);
  steer(body.canvas, orbit, { keys: (event) => {
    if (event.key !== " ") return false;
    player.play(!player.playing);
    return true;
  } });
  viewers.after(controls);
  controls.append(scene.clips.length > 1 ? choice("clip", scene.clips.map((clip) => clip.name), choose) : sections);
  if (scene.clips.length === 1) choose(0);
  player.play(!still);
}

// What every script in data/ calls.
function assets3d(id, scene) {
  const show = { prop: showProp, material: showMaterial, motion: showMotion }[scene.kind];
  viewers.replaceChildren();
  show(scene).then(() => { viewers.dataset.ready = id; }).catch((error) => {
    viewers.replaceChildren(made("p", { class: "warning" }, `Nothing can be turned here: ${error.message}.`));
    viewers.dataset.ready = "failed";
  });
}

if (viewers && viewers.dataset.scene) {
  viewers.hidden = false;
  viewers.replaceChildren(made("p", { class: "hint" }, "Loading …"));
  const script = made("script", { src: viewers.dataset.scene });
  script.onerror = () => viewers.replaceChildren(made("p", { class: "warning" }, `${viewers.dataset.scene} is missing: run make assets.`));
  document.head.append(script);
}

// A copy of the gallery alone has no runs/ beside it: what lies there is named and leads nowhere. Looked
// for by the address, because a page from a file may not ask whether a file is there.
const folders = location.pathname.split("/").slice(-4, -2).map(decodeURIComponent);
if (folders.join("/") !== assetPage.dataset.home) {
  for (const link of document.querySelectorAll("a.beside")) link.replaceWith(...link.childNodes);
  const alone = document.getElementById("alone");
  if (alone) alone.hidden = false;
}

for (const code of document.querySelectorAll("pre")) {
  const button = made("button", { type: "button", class: "copy" }, "Copy");
  button.onclick = async () => {
    try {
      await navigator.clipboard.writeText(code.textContent);
      button.textContent = "Copied";
    } catch {
      getSelection().selectAllChildren(code);
      button.textContent = "Selected";
    }
    setTimeout(() => { button.textContent = "Copy"; }, 1500);
  };
  code.before(button);
}

// Inside the gallery's own window the keys that are not ours go to it.
if (parent !== window) {
  document.documentElement.classList.add("inside");
  addEventListener("keydown", (event) => {
    if (/^(INPUT|TEXTAREA|SELECT)$/.test(event.target.tagName) && event.key !== "Escape") return;
    if (["Escape", "n", "p"].includes(event.key)) parent.postMessage({ assets3d: event.key }, "*");
  });
} else {
  addEventListener("keydown", (event) => { if (event.key === "Escape") location.href = document.getElementById("back").href; });
}
