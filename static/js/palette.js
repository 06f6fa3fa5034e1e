// The command palette: Ctrl K opens it, htmx fetches what is found, arrows and Enter choose.
const dialog = document.querySelector("[data-palette]");
const input = dialog?.querySelector("input");
const list = dialog?.querySelector("[role=listbox]");
const count = dialog?.querySelector("[data-palette-count]");
const RECENT = "palette-recent";
const KEPT = 5;

const options = () => [...list.querySelectorAll("[role=option]")];

function select(option) {
  for (const other of options()) other.setAttribute("aria-selected", String(other === option));
  if (option) input.setAttribute("aria-activedescendant", option.id);
  else input.removeAttribute("aria-activedescendant");
  option?.scrollIntoView({ block: "nearest" });
}

function move(step) {
  const all = options();
  const here = all.findIndex((option) => option.getAttribute("aria-selected") === "true");
  if (all.length) select(all.at((here + step) % all.length));
}

const recent = () => JSON.parse(sessionStorage.getItem(RECENT) ?? "[]");

function remember(option) {
  const entry = {
    url: option.getAttribute("href"),
    text: option.querySelector("span").textContent,
    extra: option.querySelector(".end").textContent,
  };
  if (option.closest("[data-kind=pages]")) return;
  const others = recent().filter(({ url }) => url !== entry.url);
  sessionStorage.setItem(RECENT, JSON.stringify([entry, ...others].slice(0, KEPT)));
}

function addRecent() {
  const entries = recent();
  if (!entries.length) return;
  const group = dialog.querySelector("template[data-recent]").content.firstElementChild.cloneNode(true);
  entries.forEach(({ url, text, extra }, index) => {
    const template = dialog.querySelector("template[data-recent-entry]");
    const option = template.content.firstElementChild.cloneNode(true);
    option.id = `found-recent-${index + 1}`;
    option.href = url;
    option.querySelector("[data-text]").textContent = text;
    option.querySelector("[data-extra]").textContent = extra;
    group.append(option);
  });
  list.append(group);
}

function tellCount() {
  const found = list.querySelector("[data-nothing]") ? 0 : options().length;
  const words = found === 0 ? count.dataset.none : found === 1 ? count.dataset.one : count.dataset.many;
  count.textContent = words.replace("{}", String(found));
}

if (!dialog) sessionStorage.removeItem(RECENT); // signed out: the next person starts without
else {
  document.addEventListener("keydown", (event) => {
    if (!(event.ctrlKey || event.metaKey) || event.key.toLowerCase() !== "k") return;
    event.preventDefault();
    if (dialog.open) dialog.close();
    else {
      dialog.showModal();
      dialog.dispatchEvent(new Event("opened"));
    }
  });
  dialog.addEventListener("opened", () => {
    input.select();
    input.dispatchEvent(new Event("opened")); // fetches the first list
  });
  input.addEventListener("keydown", (event) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step) move(step);
    else if (event.key === "Enter") options().find((option) => option.matches("[aria-selected=true]"))?.click();
    else return;
    event.preventDefault();
  });
  list.addEventListener("click", (event) => {
    const option = event.target.closest("[role=option]");
    if (option) remember(option);
  });
  list.addEventListener("pointermove", (event) => {
    const option = event.target.closest("[role=option]");
    if (option && option.getAttribute("aria-selected") !== "true") select(option);
  });
  list.addEventListener("htmx:afterSettle", () => {
    if (!input.value.trim()) addRecent();
    select(options()[0]);
    tellCount();
  });
}
