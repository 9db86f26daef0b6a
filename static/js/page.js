// Small comforts for every page; each page works without them.
(() => {
  "use strict";
  const root = document.documentElement;

  // Light and dark.
  const toggle = document.getElementById("theme");
  if (toggle) {
    toggle.hidden = false;
    toggle.addEventListener("click", () => {
      const dark = root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
      root.dataset.theme = dark ? "light" : "dark";
      try { localStorage.setItem("slipway-theme", root.dataset.theme); } catch { /* not remembered then */ }
    });
  }

  // Copy buttons.
  const showCopyButtons = (within) => {
    if (navigator.clipboard) within.querySelectorAll("[data-copy]").forEach((button) => { button.hidden = false; });
  };
  showCopyButtons(document);
  document.addEventListener("htmx:afterSettle", () => showCopyButtons(document));
  document.addEventListener("click", async (event) => {
    const button = event.target.closest("[data-copy]");
    if (!button) return;
    const source = document.querySelector(button.dataset.copy);
    await navigator.clipboard.writeText(source.textContent.trim());
    const before = button.textContent;
    button.textContent = "Copied";
    setTimeout(() => { button.textContent = before; }, 1600);
  });

  // A form is sent once; a page taken from the browser's memory can be sent again.
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (form.method !== "post") return;
    if (form.dataset.sent) { event.preventDefault(); return; }
    form.dataset.sent = "yes";
    form.querySelectorAll("button:not([type=button])").forEach((button) => button.setAttribute("aria-busy", "true"));
  });
  addEventListener("pageshow", () => document.querySelectorAll("form[data-sent]").forEach((form) => {
    delete form.dataset.sent;
    form.querySelectorAll("[aria-busy]").forEach((button) => button.removeAttribute("aria-busy"));
  }));

  // What went wrong is read first.
  document.getElementById("problems")?.focus();

  // Times that grow.
  const words = (seconds) => {
    const s = Math.max(0, Math.floor(seconds));
    if (s < 1) return "under 1 s";
    if (s < 60) return `${s} s`;
    if (s < 3600) return s % 60 ? `${Math.floor(s / 60)} min ${s % 60} s` : `${s / 60} min`;
    const minutes = Math.floor(s / 60);
    return minutes % 60 ? `${Math.floor(minutes / 60)} h ${minutes % 60} min` : `${minutes / 60} h`;
  };
  const skew = (() => {
    const told = document.querySelector("[data-now]");
    return told ? Date.parse(told.dataset.now) - Date.now() : 0;
  })();
  const tick = () => document.querySelectorAll("[data-since]").forEach((shown) => {
    shown.textContent = words((Date.now() + skew - Date.parse(shown.dataset.since)) / 1000);
  });
  if (document.querySelector("[data-now]")) setInterval(tick, 1000);
})();
