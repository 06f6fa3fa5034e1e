// A log that grows (data-log) stays at its end while "Follow" is ticked; scrolling up lets go.
const followerOf = (log) => log.closest(".panel")?.querySelector("[data-follow]");
const isAtEnd = (log) => log.scrollHeight - log.scrollTop - log.clientHeight < 24;
const toEnd = (log) => { log.scrollTop = log.scrollHeight; };

function settle(log) {
  if (followerOf(log)?.checked) toEnd(log);
}

function watch() {
  for (const log of document.querySelectorAll("[data-log]:not([data-watched])")) {
    log.dataset.watched = "";
    let last = 0;
    log.addEventListener("scroll", () => {
      const follower = followerOf(log);
      if (follower && log.scrollTop < last) follower.checked = false;
      if (follower && isAtEnd(log)) follower.checked = true;
      last = log.scrollTop;
    });
  }
  document.querySelectorAll("[data-log]").forEach(settle);
}

watch();
document.addEventListener("htmx:afterSettle", watch);
document.addEventListener("change", ({ target }) => {
  if (!target.matches("[data-follow]") || !target.checked) return;
  target.closest(".panel").querySelectorAll("[data-log]").forEach(toEnd);
});
