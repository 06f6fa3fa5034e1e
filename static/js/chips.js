// Turns a textarea of addresses, one per line, into chips. The textarea stays what is sent.
// With data-suggest="<url>" the addresses that url offers for what is typed are listed below it.
const ADDRESS = /^(?=.{3,254}$)[^\s@<>()",;:\\]+@[\p{L}\p{M}\p{N}_-]+(\.[\p{L}\p{M}\p{N}_-]+)+\.?$/u;

function split(text) {
  return text
    .replace(/"[^"\n]*"\s*(?=<)/g, "")
    .split(/[,;\n\r]/)
    .flatMap((part) => part.match(/<([^<>]*)>/)?.[1] ?? part.split(/\s+/))
    .map((part) => part.trim().replace(/^mailto:/, ""))
    .filter(Boolean);
}

function suggest(entry, url) {
  const list = document.createElement("datalist");
  let wait, asked;
  list.id = `${entry.id}-suggestions`;
  entry.setAttribute("list", list.id);
  entry.after(list);
  entry.addEventListener("input", () => {
    clearTimeout(wait);
    wait = setTimeout(async () => {
      const typed = entry.value.trim();
      asked = typed;
      if (typed.length < 2) return list.replaceChildren();
      const answer = await fetch(`${url}?q=${encodeURIComponent(typed)}`).catch(() => null);
      if (answer?.ok && asked === typed) list.innerHTML = await answer.text();
    }, 200);
  });
  return (address) => [...list.options].some((option) => option.value === address);
}

function enhance(field) {
  const area = field.querySelector("textarea[data-chips]");
  const template = field.querySelector("template[data-chip]");
  const note = field.querySelector("[data-chip-error]");
  const box = document.createElement("div");
  const entry = document.createElement("input");
  let addresses = [];

  box.className = "input chips";
  entry.autocomplete = "off";
  entry.spellcheck = false;
  for (const name of ["id", "aria-describedby", "placeholder"]) {
    if (area.hasAttribute(name)) entry.setAttribute(name, area.getAttribute(name));
  }
  if (area.dataset.suggestions) entry.setAttribute("list", area.dataset.suggestions);
  if (area.getAttribute("aria-invalid")) entry.setAttribute("aria-invalid", "true");
  area.removeAttribute("id");
  area.required = false;
  area.hidden = true;
  box.append(entry);
  area.before(box);
  const isOffered = area.dataset.suggest ? suggest(entry, area.dataset.suggest) : () => false;

  function draw() {
    for (const chip of box.querySelectorAll(".chip")) chip.remove();
    for (const address of addresses) {
      const chip = template.content.firstElementChild.cloneNode(true);
      const remove = chip.querySelector("[data-remove]");
      chip.querySelector("[data-text]").textContent = address;
      chip.classList.toggle("bad", !ADDRESS.test(address));
      remove.setAttribute("aria-label", `${remove.dataset.label} ${address}`);
      remove.addEventListener("click", () => {
        set(addresses.filter((other) => other !== address));
        entry.focus();
      });
      entry.before(chip);
    }
    note.hidden = addresses.every((address) => ADDRESS.test(address));
  }

  function set(wanted) {
    const folded = wanted.map((address) => address.toLowerCase());
    addresses = wanted.filter((_, index) => folded.indexOf(folded[index]) === index);
    draw();
    if (area.value === addresses.join("\n")) return;
    area.value = addresses.join("\n");
    area.dispatchEvent(new Event("input", { bubbles: true }));
    area.dispatchEvent(new Event("change", { bubbles: true }));
  }

  function take() {
    if (!entry.value.trim()) return false;
    const typed = split(entry.value);
    entry.value = "";
    set([...addresses, ...typed]);
    return true;
  }

  entry.addEventListener("keydown", (event) => {
    if (event.isComposing) return;
    const ends = ["Enter", ",", ";"].includes(event.key) || (event.key === "Tab" && !event.shiftKey);
    if (ends && (take() || event.key !== "Tab")) event.preventDefault();
    if (event.key === "Backspace" && !entry.value) set(addresses.slice(0, -1));
  });
  entry.addEventListener("input", (event) => {
    const isChosen = !event.inputType || event.inputType === "insertReplacementText";
    if (isChosen && isOffered(entry.value)) take();
  });
  entry.addEventListener("paste", (event) => {
    const text = event.clipboardData.getData("text");
    if (split(text).length < 2) return;
    event.preventDefault();
    set([...addresses, ...split(text)]);
  });
  entry.addEventListener("blur", take);
  box.addEventListener("click", (event) => { if (event.target === box) entry.focus(); });
  area.form?.addEventListener("submit", take, { capture: true });

  set(split(area.value));
  if (area.autofocus) entry.focus();
}

function enhanceAll(root) {
  for (const field of root.querySelectorAll("[data-chip-field]:not([data-enhanced])")) {
    field.dataset.enhanced = "";
    enhance(field);
  }
}

enhanceAll(document);
document.addEventListener("htmx:load", (event) => enhanceAll(event.target.parentElement ?? document));
