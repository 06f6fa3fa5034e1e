// A list that polls may swap the cells under an open menu or question, but not move its rows:
// the request says so with "held".
document.addEventListener("htmx:configRequest", (event) => {
  const isPoll = event.target.matches("[data-live]");
  if (isPoll && document.querySelector(".menu:popover-open, dialog[open]")) {
    event.detail.parameters.held = "1";
  }
});
