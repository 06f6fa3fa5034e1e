// data-copy="text" or data-copy-from="#id" copies; the icon is a tick for two seconds.
const announcer = document.querySelector("[data-announcer]");

function announce(words) {
  announcer.textContent = "";
  setTimeout(() => { announcer.textContent = words; }, 50);
}

function copyByHand(text) {
  const area = document.createElement("textarea");
  area.value = text;
  area.className = "visually-hidden";
  (document.querySelector("dialog:modal") ?? document.body).append(area);
  const focused = document.activeElement;
  area.select();
  const copied = document.execCommand("copy"); // the only way on pages without https
  area.remove();
  focused?.focus();
  return copied;
}

async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return copyByHand(text);
  }
}

document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-copy], [data-copy-from]");
  if (!button) return;
  const { copy: text, copyFrom } = button.dataset;
  const source = copyFrom && document.querySelector(copyFrom);
  const copied = await copy(source ? source.value ?? source.textContent.trim() : text);
  announce(copied ? announcer.dataset.copied : announcer.dataset.copyFailed);
  if (!copied) return;
  button.classList.add("copied");
  setTimeout(() => button.classList.remove("copied"), 2000);
});
