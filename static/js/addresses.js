// Shows the address that a local part and a domain make while they are typed.
function preview(field) {
  const [local, domain] = field.querySelectorAll("input, select");
  const target = field.querySelector("[data-address-preview]");
  const typed = local.value.trim().toLowerCase();
  target.textContent = `${typed || "…"}@${domain.value}`;
}

document.addEventListener("input", ({ target }) => {
  const field = target.closest("[data-address]");
  if (field) preview(field);
});
document.querySelectorAll("[data-address]").forEach(preview);
document.addEventListener("htmx:load", ({ target }) => {
  (target.parentElement ?? target).querySelectorAll("[data-address]").forEach(preview);
});
