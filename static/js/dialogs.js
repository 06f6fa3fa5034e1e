// data-opens="id" opens a dialog, data-closes closes the one it stands in.
// A dialog that arrives with data-open-now opens by itself. Each tells by the event "opened".
document.addEventListener("click", (event) => {
  const opener = event.target.closest("[data-opens]");
  const wantsNewTab = event.ctrlKey || event.metaKey || event.shiftKey;
  if (opener && !wantsNewTab && opener.getAttribute("aria-disabled") !== "true") {
    event.preventDefault();
    const dialog = document.getElementById(opener.dataset.opens);
    dialog.showModal();
    dialog.dispatchEvent(new Event("opened"));
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
