// Keys to the simulation, poses back to the scene.
"use strict";

const GAITS = ["walk", "pace", "trot", "canter"];
const STYLES = ["idle", "move", "jump", "sit", "rear", "lie"];
const COLOURS = ["#d6514b", "#e99642", "#e4cb54", "#7cb25f", "#4fa1a0", "#4c78b4", "#7e64a8", "#be729e"];

const held = new Set();
let gait = "walk", number = 0, scene = null, last = null, middle = null;

const socket = new WebSocket(`ws://${location.host}/live`);
socket.binaryType = "arraybuffer";
socket.onmessage = (message) => {
  if (typeof message.data === "string") {
    const body = JSON.parse(message.data);
    if (body.vertices) scene = new Scene(document.getElementById("view"), body);
    else console.error(body.error);
    return;
  }
  last = new Float32Array(message.data);
};
socket.onclose = () => { document.getElementById("lost").style.display = "block"; };

function keys() {
  const down = (...names) => names.some((name) => held.has(name)) ? 1 : 0;
  const styles = { Space: "jump", KeyF: "sit", KeyR: "rear", KeyL: "lie" };
  return {
    ahead: down("KeyW", "ArrowUp") - down("KeyS", "ArrowDown"),
    left: down("KeyA", "ArrowLeft") - down("KeyD", "ArrowRight"),
    turn: down("KeyQ") - down("KeyE"),
    gait: down("ShiftLeft", "ShiftRight") ? "canter" : gait,
    style: Object.entries(styles).filter(([key]) => held.has(key)).map(([, style]) => style)[0] || "",
  };
}

function tell() {
  if (socket.readyState === WebSocket.OPEN) {
    socket.send(JSON.stringify({ number: ++number, keys: keys() }));
  }
}

addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (/^(Arrow|Space)/.test(event.code)) event.preventDefault();
  if (event.repeat) return;
  held.add(event.code);
  const digit = /^Digit([1-4])$/.exec(event.code);
  if (digit) gait = GAITS[digit[1] - 1];
  tell();
});
addEventListener("keyup", (event) => { held.delete(event.code); tell(); });
addEventListener("blur", () => { held.clear(); tell(); });

const bars = COLOURS.map((colour) => {
  const bar = document.createElement("div");
  bar.style.background = colour;
  document.getElementById("experts").append(bar);
  return bar;
});

function show() {
  requestAnimationFrame(show);
  if (!scene || !last) return;
  let at = 0;
  const take = (count) => last.subarray(at, at += count);
  const [obeyed, stepMs, worstMs] = take(3), ground = take(3), experts = take(8), styles = take(6);
  const wanted = take(3), trajectory = take(48), rows = take(12 * BONES);
  const place = [ground[0], 0, ground[1]];
  // The eye follows as if on a spring, so that steps do not shake it.
  middle = middle ? middle.map((x, i) => x + 0.08 * (place[i] - x)) : place;
  scene.draw(rows, middle, trajectory);
  bars.forEach((bar, i) => { bar.style.width = `${100 * experts[i]}%`; });
  const strongest = STYLES[styles.indexOf(Math.max(...styles))];
  document.getElementById("numbers").textContent =
    `${strongest}, gait ${keys().gait}, wanted ${wanted[0].toFixed(1)} m/s · `
    + `step ${stepMs.toFixed(1)} ms, longest ${worstMs.toFixed(1)} ms · command ${obeyed} of ${number}`;
}
show();
