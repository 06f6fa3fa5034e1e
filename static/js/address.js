// The whole address under its two halves, while they are typed.
//   <p data-address-preview="local_part domain" hidden>The address will be <strong></strong></p>

// A domain as people read it: its option's words, not the value that is sent
const written = (control) => control.selectedOptions?.[0]?.text ?? control.value;

function show(form) {
  for (const preview of form.querySelectorAll("[data-address-preview]")) {
    const [localPart, domain] = preview.dataset.addressPreview
      .split(" ")
      .map((name) => written(form.elements[name]).trim().toLowerCase());
    preview.hidden = !/^[^\s@]+$/.test(localPart) || !domain;
    preview.querySelector("strong").textContent = `${localPart}@${domain}`;
  }
}

document.addEventListener("input", (event) => {
  if (event.target.form) show(event.target.form);
});

const showAll = () => {
  document.querySelectorAll("[data-address-preview]").forEach((preview) => show(preview.closest("form")));
};
showAll();
document.addEventListener("htmx:load", showAll);
