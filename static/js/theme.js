// Switches the scheme at once. The form tells the server, which keeps the choice in a cookie.
document.addEventListener("submit", ({ target: form, submitter }) => {
  if (!submitter?.dataset.themeChoice) return;
  document.documentElement.dataset.theme = submitter.dataset.themeChoice;
  for (const button of form.querySelectorAll("[data-theme-choice]")) {
    if (button !== submitter) button.focus(); // the pressed one has just been hidden
  }
});
