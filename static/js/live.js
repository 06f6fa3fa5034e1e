// A list that polls may swap the cells under an open menu or question, but not move its rows:
// the request says so with "held". A page nobody can see says "hidden": it is not being watched.
document.addEventListener("htmx:configRequest", (event) => {
  const isPoll = event.target.matches("[data-live]");
  if (isPoll && document.hidden) event.detail.parameters.hidden = "1";
  if (isPoll && document.querySelector(".menu:popover-open, dialog[open]")) {
    event.detail.parameters.held = "1";
  }
});
