// Messages that an answer to htmx carries (the event "toasts"), and failures nobody else tells.
const region = document.querySelector("[data-toasts]");
const announcer = document.querySelector("[data-announcer]");
let leaving = false;

function show({ tone, text, lasting = tone === "bad" }) {
  if ([...region.children].some((toast) => toast.querySelector("[data-text]").textContent === text)) return;
  const template = document.querySelector(`[data-toast-${tone}]`);
  const toast = template.content.firstElementChild.cloneNode(true);
  toast.querySelector("[data-text]").textContent = text;
  region.append(toast);
  region.hidePopover();
  region.showPopover(); // again, to stand in front of a dialog that opened since
  if (tone !== "bad") announcer.textContent = text; // bad ones are alerts by themselves
  if (!lasting) expire(toast);
}

function expire(toast) {
  let timer;
  const wait = () => { timer = setTimeout(() => close(toast), 6000); };
  const stay = () => clearTimeout(timer);
  toast.addEventListener("pointerenter", stay);
  toast.addEventListener("focusin", stay);
  toast.addEventListener("pointerleave", wait);
  toast.addEventListener("focusout", wait);
  wait();
}

function close(toast) {
  toast.remove();
  if (!region.children.length) region.hidePopover();
}

document.addEventListener("click", (event) => {
  const toast = event.target.closest("[data-dismiss]")?.closest("[data-toast]");
  if (toast) close(toast);
});

document.addEventListener("toasts", (event) => event.detail.toasts.forEach(show));

document.addEventListener("htmx:responseError", ({ detail: { xhr } }) => {
  const told = xhr.getResponseHeader("HX-Trigger")?.includes('"toasts"');
  if (!told) show({ tone: "bad", text: region.dataset.failed });
});

addEventListener("pagehide", () => { leaving = true; });
document.addEventListener("htmx:sendError", () => {
  if (!leaving) show({ tone: "bad", text: region.dataset.offline });
});
document.addEventListener("htmx:afterOnLoad", () => {
  for (const toast of region.children) {
    if (toast.querySelector("[data-text]").textContent === region.dataset.offline) close(toast);
  }
});
