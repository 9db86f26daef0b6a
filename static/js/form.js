// The request form: GitHub's questions only for who wants a GitHub sign-in. Without this all are shown.
(() => {
  "use strict";
  const form = document.getElementById("request");
  if (!form) return;
  const github = document.getElementById("github");
  const show = () => { github.hidden = form.elements.access.value !== "github"; };
  form.elements.access.forEach((radio) => radio.addEventListener("change", show));
  show();
})();
