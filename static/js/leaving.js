// What is shown once and has not been saved asks before the page is left.
// A download or copy inside data-ask-before-leaving counts as saved.
let unsaved = document.querySelector("[data-ask-before-leaving]");

addEventListener("beforeunload", (event) => {
  if (unsaved) event.preventDefault();
});
document.addEventListener("click", ({ target }) => {
  if (target.closest("[data-ask-before-leaving] :is([data-saves], [data-copy])")) unsaved = null;
});
document.addEventListener("htmx:load", ({ target }) => {
  unsaved = target.querySelector("[data-ask-before-leaving]") ?? unsaved;
});
