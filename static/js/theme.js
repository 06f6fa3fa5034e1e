// Switches the scheme at once. The form tells the server, which keeps the choice in a cookie.
document.addEventListener("submit", ({ submitter }) => {
  const choice = submitter?.dataset.themeChoice;
  if (!choice) return;
  if (choice === "system") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = choice;
  for (const button of document.querySelectorAll("[data-theme-choice][aria-pressed]")) {
    button.setAttribute("aria-pressed", String(button.dataset.themeChoice === choice));
  }
  if (submitter.checkVisibility()) return;
  // The switch of the sidebar hides what was pressed; its counterpart takes the focus
  [...submitter.form.elements].find((button) => button.type === "submit" && button.checkVisibility())?.focus();
});
