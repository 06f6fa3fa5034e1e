// Menus (popovers) by keyboard: arrows, Home and End move; a choice closes the menu.
const items = (menu) => [...menu.querySelectorAll("a[href], button:not(:disabled)")];

document.addEventListener("toggle", ({ target: menu, newState }) => {
  if (!menu.matches(".menu[popover]") || newState !== "open") return;
  const byKeyboard = document.activeElement?.matches(":focus-visible");
  if (byKeyboard) items(menu)[0]?.focus();
}, { capture: true });

document.addEventListener("keydown", (event) => {
  const menu = event.target.closest(".menu[popover]");
  if (!menu) return;
  const all = items(menu);
  const here = all.indexOf(document.activeElement);
  const next = { ArrowDown: here + 1, ArrowUp: here - 1, Home: 0, End: all.length - 1 }[event.key];
  if (next === undefined) return;
  event.preventDefault();
  all.at(next % all.length).focus();
});

document.addEventListener("click", (event) => {
  const item = event.target.closest(".menu[popover] :is(a, button):not([data-copy])");
  item?.closest(".menu").hidePopover();
});
