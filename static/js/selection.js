// The bar of a list with check boxes: the count, "select all", clear. The boxes belong to the
// bar's form. Rows refreshed in place keep their ticks; another filter or page clears them.
// With Shift, all boxes from the last one clicked get the same tick.
let before = null;
let last = null;

const bars = () => [...document.querySelectorAll("form[data-selection]")];
const picks = (bar) => [...bar.elements].filter((box) => box.matches("[data-pick]:not(:disabled)"));

function update(bar, { everything = false } = {}) {
  const boxes = picks(bar);
  const chosen = boxes.filter((box) => box.checked);
  const whole = boxes.length > 0 && chosen.length === boxes.length;
  const total = Number(bar.dataset.total);
  const wanted = everything && whole;
  bar.classList.toggle("some", chosen.length > 0);
  bar.querySelector("[data-everything]").value = wanted ? "1" : "";
  bar.querySelector("[data-selected]").textContent = (wanted ? total : chosen.length).toLocaleString("en");
  bar.querySelector("[data-select-everything]").hidden = wanted || total <= boxes.length;
  for (const all of bar.elements) {
    if (!all.matches("[data-pick-all]")) continue;
    all.checked = whole;
    all.indeterminate = chosen.length > 0 && !whole;
  }
}

function tick(bar, checked, options) {
  for (const box of picks(bar)) box.checked = checked;
  update(bar, options);
}

document.addEventListener("change", ({ target }) => {
  if (target.matches("[data-pick-all]")) tick(target.form, target.checked);
  if (target.matches("[data-pick]")) update(target.form);
});

document.addEventListener("click", ({ target, shiftKey }) => {
  if (target.matches("[data-pick]")) {
    const boxes = picks(target.form);
    const ends = [boxes.indexOf(target), boxes.indexOf(last)].sort((a, b) => a - b);
    const between = shiftKey && ends[0] >= 0 ? boxes.slice(ends[0], ends[1] + 1) : [];
    for (const box of between) box.checked = target.checked;
    last = target;
  }
  const button = target.closest("[data-select-everything], [data-clear-selection]");
  if (!button) return;
  const everything = "selectEverything" in button.dataset;
  tick(button.form, everything, { everything });
});

document.addEventListener("htmx:beforeSwap", () => {
  before = { address: location.href, ticked: new Set(), everything: new Set() };
  for (const bar of bars()) {
    for (const box of picks(bar)) if (box.checked) before.ticked.add(`${bar.id} ${box.value}`);
    if (bar.querySelector("[data-everything]").value) before.everything.add(bar.id);
  }
});

document.addEventListener("htmx:afterSettle", () => {
  const kept = before?.address === location.href;
  for (const bar of bars()) {
    for (const box of picks(bar)) box.checked = kept && before.ticked.has(`${bar.id} ${box.value}`);
    update(bar, { everything: kept && before.everything.has(bar.id) });
  }
});

addEventListener("pageshow", () => bars().forEach((bar) => update(bar)));
