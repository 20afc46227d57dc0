"use strict";
const $ = id => document.getElementById(id);
const cards = [...document.querySelectorAll("article")];
const words = new Map(cards.map(card => [card, card.textContent.toLowerCase()]));

// Larger first where larger needs a look; a number that is not known comes last, whichever way.
const FIRST = { name: 1, contacts: 1, penetration: -1, error: -1 };
const collator = new Intl.Collator(undefined, { numeric: true });

function compare(a, b, key, way) {
  if (key == "name") return way * collator.compare(a.dataset.name, b.dataset.name);
  const [x, y] = [a.dataset[key], b.dataset[key]];
  if (x === "" || y === "") return (x === "") - (y === "");
  return way * (Number(x) - Number(y));
}

function sort() {
  const key = $("sort").value, way = FIRST[key] * ($("turn").getAttribute("aria-pressed") == "true" ? -1 : 1);
  $("cards").append(...[...cards].sort((a, b) => compare(a, b, key, way)));
}

function filter() {
  const wanted = $("find").value.toLowerCase().split(/\s+/).filter(Boolean), kind = $("kind").value;
  let shown = 0;
  for (const card of cards) {
    card.hidden = Boolean(kind) && card.dataset.kind != kind || !wanted.every(word => words.get(card).includes(word));
    shown += !card.hidden;
  }
  $("shown").textContent = `${shown} of ${cards.length}`;
  $("nothing").hidden = shown > 0 || cards.length == 0;
}

$("find").addEventListener("input", filter);
$("kind").addEventListener("change", filter);
$("sort").addEventListener("change", () => { $("turn").setAttribute("aria-pressed", "false"); sort(); });
$("turn").addEventListener("click", () => {
  $("turn").setAttribute("aria-pressed", $("turn").getAttribute("aria-pressed") != "true");
  sort();
});
$("controls").addEventListener("submit", event => event.preventDefault());
$("controls").hidden = cards.length == 0;
sort();
filter();
