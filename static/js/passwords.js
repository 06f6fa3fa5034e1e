// Reveals a password, and generates one: 20 characters, each equally likely.
const CHARACTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789@#%";
const LENGTH = 20;

function randomBelow(limit) {
  const fair = 256 - (256 % limit); // bytes from here on would favour the first characters
  const [byte] = crypto.getRandomValues(new Uint8Array(1));
  return byte < fair ? byte % limit : randomBelow(limit);
}

function generate() {
  return Array.from({ length: LENGTH }, () => CHARACTERS[randomBelow(CHARACTERS.length)]).join("");
}

function reveal(field, shown) {
  field.querySelector("input").type = shown ? "text" : "password";
  field.querySelector("[data-reveal]")?.setAttribute("aria-pressed", String(shown));
}

document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-reveal], [data-generate]");
  const field = button?.closest("[data-password]");
  if (!field) return;
  if ("reveal" in button.dataset) {
    reveal(field, button.getAttribute("aria-pressed") !== "true");
    return;
  }
  const input = field.querySelector("input");
  input.value = generate();
  reveal(field, true);
  input.dispatchEvent(new Event("input", { bubbles: true }));
});

// Sent as a password, so that no browser keeps it among what was typed
document.addEventListener("submit", ({ target }) => {
  for (const field of target.querySelectorAll("[data-password]")) reveal(field, false);
}, { capture: true });
