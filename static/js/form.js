// The request form: GitHub's questions only for who wants a GitHub sign-in. Without this all are shown.
(() => {
  "use strict";
  const form = document.getElementById("request");
  if (!form) return;
  const github = document.getElementById("github");
  const show = () => { github.hidden = form.elements.access.value !== "github"; };
  form.elements.access.forEach((radio) => radio.addEventListener("change", show));
  show();

  // The cost is said aloud when it changes; the panel itself is replaced too often to be read out.
  const said = document.getElementById("cost-said");
  const cost = () => document.querySelector("#derived .price strong")?.textContent ?? "";
  let before = cost();
  document.body.addEventListener("htmx:afterSettle", () => {
    if (said && cost() !== before) said.textContent = `About ${before = cost()} a month`;
  });
})();
