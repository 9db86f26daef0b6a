// The form of a hub. Without this every field is shown, and a button does what happens here by itself.
(() => {
  "use strict";
  const form = document.getElementById("request");
  if (!form) return;

  // Fields of a choice are shown once it is made: data-when="registry=acr|other".
  const chosen = (name) => {
    const control = form.elements[name];
    if (!control) return "";
    return control.type === "checkbox" ? (control.checked ? "on" : "") : control.value;
  };
  const show = () => form.querySelectorAll("[data-when]").forEach((part) => {
    const [name, answers] = part.dataset.when.split("=");
    part.hidden = !answers.split("|").includes(chosen(name));
  });
  show();

  // What hangs on what is typed is asked for anew; the secrets only with their own section, once a field of it is left.
  const SECRETS = ["docker_token", "registry_token", "github_secret", "private_token"];
  const tell = (element, name) => element.dispatchEvent(new CustomEvent(name));
  form.addEventListener("input", (event) => {
    show();
    if (SECRETS.includes(event.target.name)) return;
    tell(form, "slipway:typed");
    tell(document.body, "slipway:check");
  });
  form.addEventListener("change", (event) => {
    const about = event.target.closest("[data-checks]")?.dataset.checks;
    if (about) tell(document.body, `slipway:${about}`);
  });
  document.body.addEventListener("htmx:configRequest", (event) => {
    SECRETS.forEach((name) => {
      if (form.elements[name]?.closest("[hidden]")) event.detail.formData?.delete(name);
    });
  });

  // What must change is also said at its own field, where it is typed, with the text to send.
  const tellFields = () => {
    form.querySelectorAll(".live-said").forEach((told) => { told.dataset.old = "yes"; });
    form.querySelectorAll("#advice .finding.error").forEach((finding) => {
      const hash = finding.querySelector("p > a[href^='#']")?.hash;
      const field = hash && form.querySelector(hash)?.closest(".field");
      const said = finding.querySelector("strong")?.textContent;
      if (!field || !said || field.querySelector(".errors, .error:not(.live)")) return;
      const same = [...field.querySelectorAll(".live-said")].find((told) => told.dataset.said === said);
      if (same) { delete same.dataset.old; return; }
      const told = field.appendChild(document.createElement("div"));
      told.className = "live-said";
      told.dataset.said = said;
      told.appendChild(document.createElement("p")).textContent = said;
      told.firstChild.className = "error live";
      const remedy = told.appendChild(document.createElement("p"));
      remedy.className = "help";
      remedy.textContent = finding.querySelector(".remedy")?.textContent ?? "";
      const letter = finding.querySelector("details")?.cloneNode(true);
      if (!letter) return;
      letter.open = false;
      letter.querySelector(".letter").id += "-here";
      letter.querySelector("[data-copy]").dataset.copy += "-here";
      told.appendChild(letter);
    });
    form.querySelectorAll(".live-said[data-old]").forEach((told) => told.remove());
  };
  tellFields();
  document.body.addEventListener("htmx:afterSettle", tellFields);

  // A link to a field opens the section that it is in.
  document.addEventListener("click", (event) => {
    const target = event.target.closest('a[href^="#id_"], a[href^="#field_"]')?.hash;
    const field = target && document.querySelector(target);
    if (!field) return;
    const section = field.closest("details");
    if (section) section.open = true;
    event.preventDefault();
    field.scrollIntoView({ block: "center" });
    (field.matches("input, select, textarea") ? field : field.querySelector("input, select, textarea"))?.focus({ preventScroll: true });
  });

  // The cost is said aloud when it changes; the panel itself is replaced too often to be read out.
  const said = document.getElementById("cost-said");
  const cost = () => document.querySelector("#derived .price strong")?.textContent ?? "";
  let before = cost();
  document.body.addEventListener("htmx:afterSettle", () => {
    if (said && cost() !== before) said.textContent = `About ${before = cost()} a month`;
  });
})();
