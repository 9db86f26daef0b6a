// The inside of a hub, drawn anew whenever the worker has seen something new. Nobody looks while the page is hidden.
(() => {
  "use strict";
  const address = document.getElementById("inside")?.dataset.stream;
  const state = document.getElementById("live");
  if (!address || !window.EventSource) return;
  const say = (words, look) => { state.textContent = words; state.className = `log-state ${look}`; };

  let source = null;
  const open = () => {
    source = new EventSource(address);
    source.addEventListener("open", () => say("live", "live"));
    source.addEventListener("error", () => say(source.readyState === EventSource.CLOSED ? "not connected: reload the page" : "connection lost, reconnecting …", "lost"));
    source.addEventListener("look", () => window.htmx?.trigger(document.body, "slipway:inside"));
  };
  // What was scrolled stays so when the page is drawn anew.
  let scrolled = 0;
  document.body.addEventListener("htmx:beforeSwap", () => { scrolled = document.getElementById("events")?.scrollTop ?? 0; });
  document.body.addEventListener("htmx:afterSwap", () => document.getElementById("events")?.scrollTo(0, scrolled));
  const close = () => { source?.close(); source = null; };
  document.addEventListener("visibilitychange", () => { if (document.hidden) close(); else if (!source) open(); });
  addEventListener("pagehide", close);
  addEventListener("pageshow", () => { if (!source && !document.hidden) open(); });
  if (!document.hidden) open();
})();
