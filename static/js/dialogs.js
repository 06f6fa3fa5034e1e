// data-opens="id" opens a dialog, data-closes closes the one it stands in.
// A dialog that arrives with data-open-now opens by itself. Each tells by the event "opened".
function open(dialog, opener) {
  const menu = opener.closest(".menu[popover]"); // gone when the dialog closes; its button is not
  const wayBack = menu ? document.querySelector(`[popovertarget="${CSS.escape(menu.id)}"]`) : opener;
  dialog.addEventListener("close", () => wayBack?.focus({ preventScroll: true }), { once: true });
  dialog.showModal();
  dialog.dispatchEvent(new Event("opened"));
}

document.addEventListener("click", (event) => {
  const opener = event.target.closest("[data-opens]");
  const wantsNewTab = event.ctrlKey || event.metaKey || event.shiftKey;
  if (opener && !wantsNewTab && opener.getAttribute("aria-disabled") !== "true") {
    event.preventDefault();
    open(document.getElementById(opener.dataset.opens), opener);
  }
  event.target.closest("[data-closes]")?.closest("dialog").close();
});

function openArrivals(root) {
  for (const dialog of root.querySelectorAll("dialog[data-open-now]")) {
    dialog.removeAttribute("data-open-now");
    dialog.close();
    dialog.showModal();
  }
}

openArrivals(document);
document.addEventListener("htmx:load", (event) => openArrivals(event.target.parentElement ?? event.target));
