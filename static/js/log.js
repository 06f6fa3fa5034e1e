// A log that grows: it keeps to the newest line while "Follow" is ticked, lets go when one scrolls
// up, and forgets the oldest lines beyond data-lines.
const NEAR = 24;
const isAtEnd = (log) => log.scrollHeight - log.scrollTop - log.clientHeight < NEAR;
const followOf = (log) => document.querySelector(`[data-follows="${log.id}"]`);

function settle(log) {
  const most = Number(log.dataset.lines);
  if (followOf(log)?.checked) {
    while (log.children.length > most) log.firstElementChild.remove();
    log.scrollTop = log.scrollHeight;
  }
}

function start(log) {
  if (log.dataset.started) return;
  log.dataset.started = "yes";
  settle(log);
  new MutationObserver(() => settle(log)).observe(log, { childList: true });
  log.addEventListener("scroll", () => {
    const follow = followOf(log);
    if (follow) follow.checked = isAtEnd(log);
  });
}

function startAll() {
  document.querySelectorAll("[data-log]").forEach(start);
}

startAll();
document.addEventListener("htmx:load", startAll);
document.addEventListener("change", ({ target }) => {
  const log = target.dataset.follows && document.getElementById(target.dataset.follows);
  if (log) settle(log);
});
