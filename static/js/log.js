// The live log: lines as they happen, resumed by the browser where a broken connection left off.
(() => {
  "use strict";
  const log = document.getElementById("log");
  const announce = document.getElementById("announce");
  if (!log) return;
  const list = document.getElementById("lines");
  const newest = document.getElementById("newest");
  const state = document.getElementById("log-link");
  const count = document.getElementById("log-count");
  let last = Number(log.dataset.last);

  // Times in the reader's own clock.
  const clock = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit", second: "2-digit", hour12: false });
  const localTime = (time) => {
    const moment = new Date(time.dateTime);
    time.textContent = clock.format(moment);
    time.title = moment.toLocaleString();
  };
  list.querySelectorAll("time").forEach(localTime);

  // Follows the newest line unless the reader has scrolled up, or said not to.
  let following = true;
  const follow = document.getElementById("follow");
  document.getElementById("follow-choice")?.removeAttribute("hidden");
  follow?.addEventListener("change", () => { following = follow.checked; if (following) toEnd(); });
  const atEnd = () => log.scrollHeight - log.scrollTop - log.clientHeight < 40;
  const toEnd = () => { log.scrollTop = log.scrollHeight; };
  log.addEventListener("scroll", () => {
    following = atEnd() && (!follow || follow.checked);
    newest.hidden = atEnd();
  }, { passive: true });
  newest.addEventListener("click", () => {
    following = true;
    if (follow) follow.checked = true;
    toEnd();
    newest.hidden = true;
  });
  toEnd();

  const element = (line) => {
    const item = document.createElement("li");
    item.className = `line ${line.level}`;
    item.dataset.number = line.number;
    const time = document.createElement("time");
    time.dateTime = line.at;
    localTime(time);
    const step = document.createElement("span");
    step.className = "line-step";
    step.textContent = line.step;
    if (!line.step && log.classList.contains("plain-lines")) step.hidden = true;
    const text = document.createElement("span");
    text.className = "line-text";
    text.textContent = line.message;
    item.append(time, step, text);
    return item;
  };

  // Lines are drawn together, once per frame.
  let waiting = [];
  const draw = () => {
    document.getElementById("no-lines")?.remove();
    const fragment = document.createDocumentFragment();
    fragment.append(...waiting.map(element));
    waiting = [];
    list.append(fragment);
    list.classList.toggle("long", list.childElementCount > 600);
    if (count) count.textContent = `${last} line${last === 1 ? "" : "s"}`;
    if (following) toEnd(); else newest.hidden = false;
  };
  const take = (line) => {
    if (line.number <= last) return;
    last = line.number;
    if (!waiting.length) requestAnimationFrame(draw);
    waiting.push(line);
  };

  // Earlier lines on demand, without moving what is being read.
  const earlier = document.getElementById("earlier");
  earlier?.addEventListener("click", async (event) => {
    event.preventDefault();
    const first = Number(list.firstElementChild.dataset.number);
    const answer = await fetch(`${log.dataset.earlier}?lines&before=${first}`);
    if (!answer.ok) return;
    const before = log.scrollHeight - log.scrollTop;
    const holder = document.createElement("ol");
    holder.innerHTML = await answer.text();
    holder.querySelectorAll("time").forEach(localTime);
    list.prepend(...holder.children);
    list.classList.toggle("long", list.childElementCount > 600);
    log.scrollTop = log.scrollHeight - before;
    if (Number(list.firstElementChild.dataset.number) <= 1) earlier.parentElement.remove();
  });

  // The rest of the page follows at most every 0.7 s.
  let refreshing = 0;
  const refresh = () => {
    if (refreshing) return;
    refreshing = setTimeout(() => { refreshing = 0; window.htmx?.trigger(document.body, "slipway:progress"); }, 700);
  };
  let said = document.getElementById("progress")?.dataset.says;
  document.body.addEventListener("htmx:afterSettle", () => {
    const progress = document.getElementById("progress");
    if (!progress) return;
    if (progress.dataset.operation !== log.dataset.operation) { location.reload(); return; }
    if (announce && progress.dataset.says !== said) announce.textContent = said = progress.dataset.says;
  });

  if (!log.dataset.stream || !window.EventSource) return;
  let source = null;
  const open = () => {
    const address = new URL(log.dataset.stream, location);
    address.searchParams.set("after", last);
    source = new EventSource(address);
    source.addEventListener("open", () => { state.textContent = "live"; state.className = "log-state live"; });
    source.addEventListener("error", () => {
      const closed = source?.readyState === EventSource.CLOSED;
      state.textContent = closed ? "not connected: reload the page" : "connection lost, reconnecting …";
      state.className = "log-state lost";
    });
    source.addEventListener("line", (event) => take(JSON.parse(event.data)));
    source.addEventListener("progress", refresh);
    source.addEventListener("look", () => window.htmx?.trigger(document.body, "slipway:inside"));
    source.addEventListener("end", (event) => {
      source.close();
      const end = JSON.parse(event.data);
      state.className = "log-state";
      state.textContent = last === end.count ? "complete" : `lines are missing: ${last} of ${end.count}, reload the page`;
      refresh();
    });
  };
  const close = () => { source?.close(); source = null; };
  open();
  addEventListener("pagehide", close);
  // A pod's log is only asked for while somebody sees it; it goes on where it was.
  if ("rests" in log.dataset) {
    document.addEventListener("visibilitychange", () => { if (document.hidden) close(); else if (!source) open(); });
  }
})();
