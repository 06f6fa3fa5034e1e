// <form data-passkey="create" or "get">: before it is sent, the browser asks for a passkey and the
// hidden field "credential" takes the answer. data-options="#id" names the JSON of what the server
// asks for, data-options-url where to fetch it. [data-passkey-failed] in the form says if it fails.
async function optionsFor(form) {
  const { options, optionsUrl } = form.dataset;
  if (options) return JSON.parse(document.querySelector(options).textContent);
  const answer = await fetch(optionsUrl, { headers: { Accept: "application/json" } });
  if (!answer.ok) throw new Error(`${optionsUrl} answers ${answer.status}`);
  return answer.json();
}

async function ask(form) {
  const options = await optionsFor(form);
  return form.dataset.passkey === "create"
    ? window.webauthnJSON.create(options.creation_options)
    : window.webauthnJSON.get(options.request_options);
}

async function fill(form, submitter) {
  const failed = form.querySelector("[data-passkey-failed]");
  failed.hidden = true;
  submitter?.setAttribute("aria-busy", "true");
  try {
    form.elements.credential.value = JSON.stringify(await ask(form));
    form.requestSubmit(submitter);
  } catch {
    failed.hidden = false;
  } finally {
    submitter?.removeAttribute("aria-busy");
  }
}

// Before busy.js, which would take the first click for the one that sends
document.addEventListener("submit", (event) => {
  const { target: form, submitter } = event;
  if (!("passkey" in form.dataset) || form.elements.credential.value) return;
  event.preventDefault();
  if (submitter?.getAttribute("aria-busy") !== "true") fill(form, submitter);
}, true);

// An answer is good once: coming back to the page asks again
addEventListener("pageshow", () => {
  for (const form of document.querySelectorAll("form[data-passkey]")) form.elements.credential.value = "";
});
