// A button that sent something shows it until the answer is there, and sends nothing twice.
function begin(button) {
  button.setAttribute("aria-busy", "true");
  if (!button.dataset.busy) return;
  // Shorter words would move the next button under a second click
  button.style.minWidth = `${button.getBoundingClientRect().width}px`;
  button.dataset.rest = button.lastChild.textContent;
  button.lastChild.textContent = button.dataset.busy;
}

function end(button) {
  button.removeAttribute("aria-busy");
  if (!button.dataset.rest) return;
  button.lastChild.textContent = button.dataset.rest;
  delete button.dataset.rest;
  button.style.minWidth = "";
}

// htmx: the button itself, or the one that submitted the form
const buttonOf = ({ elt, requestConfig }) =>
  requestConfig?.triggeringEvent?.submitter ?? (elt.matches("button, a.btn") ? elt : null);

document.addEventListener("htmx:beforeRequest", (event) => {
  const button = buttonOf(event.detail);
  if (button?.getAttribute("aria-busy") === "true" || button?.getAttribute("aria-disabled") === "true") {
    event.preventDefault();
  } else if (button) {
    begin(button);
  }
});
document.addEventListener("htmx:afterRequest", (event) => {
  const button = buttonOf(event.detail);
  if (button) end(button);
});

// Plain forms: the next page ends it. Forms that download something say data-stays.
document.addEventListener("submit", (event) => {
  const { target: form, submitter } = event;
  if (submitter?.getAttribute("aria-disabled") === "true") event.preventDefault();
  if (event.defaultPrevented || form.method !== "post" || "stays" in form.dataset) return;
  if (form.dataset.sent) event.preventDefault();
  form.dataset.sent = "yes";
  if (submitter) begin(submitter);
});
addEventListener("pageshow", () => {
  for (const form of document.querySelectorAll("form[data-sent]")) {
    delete form.dataset.sent;
    form.querySelectorAll("[aria-busy]").forEach(end);
  }
});
