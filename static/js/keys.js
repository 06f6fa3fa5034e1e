// Single keys outside of fields: data-key="n" on a button, link or search field makes it answer
// to that key; j and k walk over the rows of data-rows, x ticks one; ? shows them all.
const FIELDS = "input:not([type=checkbox], [type=radio]), textarea, select, [contenteditable]";
const help = document.getElementById("keys");
let on = document.querySelector("[data-keys-switch]")?.checked;

function isVisible(element) {
  return element.checkVisibility() && element.getAttribute("aria-disabled") !== "true";
}

function canAct(element) {
  return isVisible(element) || element.closest(".menu")?.parentElement.checkVisibility();
}

function rows() {
  return [...document.querySelectorAll("[data-rows] > :has(.title)")].filter(isVisible);
}

function walk(step) {
  const all = rows();
  const here = all.findIndex((row) => row.contains(document.activeElement));
  const next = all[here < 0 ? (step > 0 ? 0 : all.length - 1) : here + step];
  if (!next) return;
  const link = next.querySelector(".title a[href]") ?? next.querySelector("a[href]");
  if (!link) next.tabIndex = -1;
  (link ?? next).focus();
}

function press(key) {
  const target = [...document.querySelectorAll(`[data-key="${CSS.escape(key)}"]`)].find(canAct);
  if (!target) return false;
  if (target.matches(FIELDS)) target.focus();
  else target.click();
  return true;
}

const ACTIONS = {
  j: () => walk(1),
  k: () => walk(-1),
  x: () => document.activeElement.closest("[data-rows] > *")?.querySelector("[data-pick]")?.click(),
  "?": () => help.showModal(),
};

document.addEventListener("keydown", (event) => {
  const free = !event.ctrlKey && !event.metaKey && !event.altKey && !event.defaultPrevented;
  if (!free || !on) return;
  if (event.target.closest(FIELDS) || document.querySelector("dialog:modal, [popover]:popover-open:not(.toasts)")) return;
  const action = ACTIONS[event.key];
  if (action) action();
  else if (!press(event.key)) return;
  event.preventDefault();
});

document.addEventListener("change", ({ target }) => {
  if (!target.matches("[data-keys-switch]")) return;
  on = target.checked;
  for (const other of document.querySelectorAll("[data-keys-switch]")) other.checked = on;
});
