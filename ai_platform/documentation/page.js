"use strict";
const entries = JSON.parse(document.getElementById("index").textContent).map(
  ([kind, name, where, anchor, comment]) => ({
    kind, name, where, anchor, comment,
    low: name.toLowerCase(),
    full: (where ? where + "." + name : name).toLowerCase(),
    said: comment.toLowerCase(),
  }));
const box = document.getElementById("search");
const hits = document.getElementById("hits");
const nav = document.getElementById("contents");
const order = ["table", "view", "materialized view", "function", "procedure", "schema", "column"];
const most = 60;
let chosen = -1;

function rank(entry, words) {
  let sum = 0;
  for (const word of words) {
    if (entry.low === word || entry.full === word) sum += 0;
    else if (entry.low.startsWith(word)) sum += 1;
    else if (entry.low.includes(word)) sum += 2;
    else if (entry.full.includes(word)) sum += 3;
    else if (entry.said.includes(word)) sum += 6;
    else return -1;
  }
  const place = order.indexOf(entry.kind);
  return 100 * sum + (place < 0 ? order.length : place);
}

function find(text) {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  if (!words.length) return [];
  return entries
    .map((entry) => [rank(entry, words), entry])
    .filter(([value]) => value >= 0)
    .sort((a, b) => a[0] - b[0] || (a[1].full < b[1].full ? -1 : 1))
    .map(([, entry]) => entry);
}

function add(parent, name, text, className) {
  const made = parent.appendChild(document.createElement(name));
  made.textContent = text;
  if (className) made.className = className;
  return made;
}

function show() {
  const found = find(box.value);
  hits.replaceChildren();
  chosen = -1;
  for (const entry of found.slice(0, most)) {
    const link = add(hits.appendChild(document.createElement("li")), "a", "");
    link.href = "#" + entry.anchor;
    add(link, "span", entry.kind, "kind");
    if (entry.where) add(link, "span", entry.where + ".");
    add(link, "b", entry.name);
    if (entry.comment) {
      link.append(document.createElement("br"));
      add(link, "span", entry.comment);
    }
  }
  if (!found.length) add(hits, "p", "Nothing has this in its name or comment.");
  else if (found.length > most) add(hits, "p", (found.length - most) + " more; type another word.");
  hits.hidden = !box.value.trim();
  hits.scrollTop = 0;
}

function choose(step) {
  const links = hits.querySelectorAll("a");
  if (!links.length) return;
  if (chosen >= 0) links[chosen].classList.remove("on");
  chosen = (chosen + step + links.length) % links.length;
  links[chosen].classList.add("on");
  links[chosen].scrollIntoView({ block: "nearest" });
}

function arrive() {
  const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
  if (!target || target === nav) return;
  for (let e = target.parentElement; e; e = e.parentElement) {
    if (e.tagName === "DETAILS") e.open = true;
  }
  target.scrollIntoView();
  const owner = target.closest("article[id]") || target.closest("section[id]");
  for (const link of nav.querySelectorAll("a.on")) link.classList.remove("on");
  for (const a of owner ? nav.querySelectorAll("a") : []) {
    if (a.getAttribute("href") !== "#" + owner.id) continue;
    a.classList.add("on");
    a.closest("details").open = true;
    a.scrollIntoView({ block: "nearest" });
  }
}

box.addEventListener("input", show);
box.addEventListener("focus", () => { if (box.value.trim()) show(); });
box.addEventListener("keydown", (event) => {
  if (event.key === "ArrowDown") choose(1);
  else if (event.key === "ArrowUp") choose(-1);
  else if (event.key === "Enter") (hits.querySelector("a.on") || hits.querySelector("a"))?.click();
  else if (event.key === "Escape") { box.value = ""; show(); box.blur(); }
  else return;
  event.preventDefault();
});
hits.addEventListener("click", (event) => {
  if (!event.target.closest("a")) return;
  hits.hidden = true;
  box.blur();
});
document.addEventListener("click", (event) => {
  if (!event.target.closest(".box")) hits.hidden = true;
});
document.addEventListener("keydown", (event) => {
  if (event.key === "/" && document.activeElement !== box) {
    event.preventDefault();
    box.focus();
    box.select();
  }
});
document.getElementById("menu").addEventListener("click", (event) => {
  event.preventDefault();
  nav.classList.toggle("open");
});
nav.addEventListener("click", (event) => {
  if (event.target.closest("a")) nav.classList.remove("open");
});
addEventListener("hashchange", arrive);
arrive();
