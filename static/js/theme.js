// Runs before the first paint: that there are scripts, and the colours a person chose last time. Without a choice the system's setting holds.
(() => {
  document.documentElement.classList.add("js");
  try {
    const chosen = localStorage.getItem("slipway-theme");
    if (chosen === "light" || chosen === "dark") document.documentElement.dataset.theme = chosen;
  } catch { /* storage may be forbidden; the system's setting holds */ }
})();
