// The gallery's own page: filters, the window in which an asset opens, turntables under the pointer.
"use strict";

const cards = [...document.querySelectorAll("article.card")];
const search = document.getElementById("search"), pack = document.getElementById("pack");
const shown = document.getElementById("shown"), nothing = document.getElementById("nothing");
const viewer = document.getElementById("viewer"), inside = viewer.querySelector("iframe");
const chosen = { kind: "", status: "" };
let opened = null;

// Read when they are first searched, or a thousand cards would open later.
function wordsOf(card) {
  return card.words ||= card.textContent.toLowerCase();
}

function filter() {
  const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
  let count = 0;
  for (const card of cards) {
    const fits = (!chosen.kind || card.dataset.kind === chosen.kind)
      && (!chosen.status || card.dataset.status === chosen.status)
      && (!pack.value || card.dataset.pack === pack.value)
      && words.every((word) => wordsOf(card).includes(word));
    if (card.hidden === fits) card.hidden = !fits;
    count += fits;
  }
  shown.textContent = count === cards.length ? `${count} shown` : `${count} of ${cards.length} shown`;
  nothing.hidden = count > 0;
  for (const button of document.querySelectorAll("button[data-group]")) {
    button.setAttribute("aria-pressed", String(chosen[button.dataset.group] === button.dataset.value));
  }
  const state = new URLSearchParams();
  for (const [name, value] of Object.entries({ ...chosen, pack: pack.value, q: search.value })) if (value) state.set(name, value);
  // Kept in the address, so that a filtered gallery can be passed on; a page from a file may change no more of it.
  try { history.replaceState(null, "", `#${state}`); } catch { /* a browser that allows not even that */ }
}

function restore() {
  const state = new URLSearchParams(location.hash.slice(1));
  for (const name of ["kind", "status"]) chosen[name] = state.get(name) || "";
  pack.value = state.get("pack") || "";
  if (pack.selectedIndex < 0) pack.value = "";
  search.value = state.get("q") || "";
  filter();
}

for (const button of document.querySelectorAll("button[data-group]")) {
  button.onclick = () => { chosen[button.dataset.group] = button.dataset.value; filter(); };
}
search.oninput = filter;
pack.onchange = filter;
document.getElementById("all").onclick = () => {
  Object.assign(chosen, { kind: "", status: "" });
  pack.value = search.value = "";
  filter();
  search.focus();
};
document.getElementById("filters").hidden = false;
restore();

// The asset's own page in a window over this one.
function open(card) {
  opened = card;
  const link = card.querySelector("a.open");
  document.getElementById("title").textContent = card.querySelector("h2").textContent;
  document.getElementById("page").href = link.href;
  // Replaced rather than set, or every asset seen would be a step back in the browser's history.
  const fresh = inside.cloneNode();
  fresh.src = link.href;
  fresh.title = card.id;
  viewer.querySelector("iframe").replaceWith(fresh);
  fresh.onload = () => fresh.focus();
  if (!viewer.open) viewer.showModal();
}

function step(by) {
  const seen = cards.filter((card) => !card.hidden);
  if (opened && seen.length) open(seen[(seen.indexOf(opened) + by + seen.length) % seen.length]);
}

function keyed(key) {
  if (key === "Escape") viewer.close();
  if (key === "n") step(1);
  if (key === "p") step(-1);
}

viewer.addEventListener("close", () => {
  viewer.querySelector("iframe").removeAttribute("src");
  if (opened) opened.querySelector("a.open").focus();
  opened = null;
});
viewer.addEventListener("click", (event) => { if (event.target === viewer) viewer.close(); });
document.getElementById("previous").onclick = () => step(-1);
document.getElementById("next").onclick = () => step(1);
document.getElementById("close").onclick = () => viewer.close();
addEventListener("message", (event) => {
  if (viewer.open && event.source === viewer.querySelector("iframe").contentWindow) keyed(event.data.assets3d);
});

document.getElementById("cards").addEventListener("click", (event) => {
  const link = event.target.closest("a.open");
  if (!link || event.button || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
  event.preventDefault();
  open(link.closest("article"));
});

addEventListener("keydown", (event) => {
  if (viewer.open) { if (event.key === "n" || event.key === "p") keyed(event.key); return; }
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const typing = /^(INPUT|SELECT)$/.test(event.target.tagName);
  if (event.key === "/" && !typing) { event.preventDefault(); search.focus(); search.select(); }
  if (event.key === "Escape" && event.target === search && search.value) { search.value = ""; filter(); }
  const card = event.target.closest && event.target.closest("a.open") && event.target.closest("article");
  if (!card || !event.key.startsWith("Arrow")) return;
  event.preventDefault();
  neighbour(card, event.key)?.querySelector("a.open").focus();
});

// The card to the left or right, or the nearest one in the row above or below.
function neighbour(card, key) {
  const seen = cards.filter((other) => !other.hidden), at = seen.indexOf(card);
  if (key === "ArrowLeft") return seen[at - 1];
  if (key === "ArrowRight") return seen[at + 1];
  const columns = seen.findIndex((other) => other.offsetTop > seen[0].offsetTop);
  return seen[at + (key === "ArrowUp" ? -1 : 1) * (columns < 1 ? 1 : columns)];
}

if (!matchMedia("(prefers-reduced-motion: reduce)").matches) {
  for (const [on, name] of [["pointerover", "turn"], ["pointerout", "rest"], ["focusin", "turn"], ["focusout", "rest"]]) {
    document.getElementById("cards").addEventListener(on, (event) => {
      const image = event.target.closest("article")?.querySelector("img[data-turn]");
      if (!image || (event.relatedTarget && event.target.closest("article").contains(event.relatedTarget))) return;
      if (!image.dataset.rest) image.dataset.rest = image.getAttribute("src");
      image.src = image.dataset[name];
    });
  }
}
