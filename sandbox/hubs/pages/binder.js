(() => {
  "use strict";
  const at = (id) => document.getElementById(id);
  const config = window.pageConfig;
  const order = ["waiting", "fetching", "building", "pushing", "launching", "ready"];

  if (config.logoUrl) {
    at("logo").src = config.logoUrl;
    at("logo").hidden = false;
  }

  function show(phase, failed) {
    const now = order.indexOf(phase === "built" ? "launching" : phase);
    if (now < 0 && !failed) return;
    for (const item of at("steps").children) {
      const place = order.indexOf(item.dataset.phase);
      if (failed) {
        if (item.classList.contains("now")) item.className = "bad";
      } else {
        item.className = place < now || phase === "ready" ? "done" : place === now ? "now" : "";
      }
    }
  }

  function print(text) {
    const log = at("log");
    const below = log.scrollHeight - log.scrollTop - log.clientHeight < 40;
    log.append(text);
    if (below) log.scrollTop = log.scrollHeight;
  }

  let lastLine = "";
  function tell(event) {
    if (event.message && event.message !== lastLine) print(event.message);
    lastLine = event.message || lastLine;
    const failed = event.phase === "failed" || event.phase === "failure";
    show(event.phase, failed);
    if (failed) {
      at("state").textContent = "This did not work. The last lines below say why.";
      at("launch").disabled = false;
      return true;
    }
    if (event.phase === "ready") {
      const where = event.url + (config.signedIn ? "" : "?token=" + encodeURIComponent(event.token));
      at("open").href = where;
      at("open").hidden = false;
      at("state").textContent = "Your notebook is running.";
      at("launch").disabled = false;
      return true;
    }
    const words = { waiting: "Waiting for a builder…", fetching: "Fetching the repository…", building: "Building the image…",
      pushing: "Storing the image…", built: "The image is there.", launching: "Starting your server…" };
    if (words[event.phase]) at("state").textContent = words[event.phase];
    return false;
  }

  async function follow(spec) {
    const token = config.spec === spec && config.buildToken ? "?build_token=" + encodeURIComponent(config.buildToken) : "";
    const answer = await fetch(config.baseUrl + "build/" + spec + token, { headers: { Accept: "text/event-stream" } });
    const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
    let rest = "";
    for (;;) {
      const { value, done } = await reader.read();
      if (done) break;
      const blocks = (rest + value).split("\n\n");
      rest = blocks.pop();
      for (const block of blocks) {
        if (block.startsWith("data:") && tell(JSON.parse(block.slice(5)))) {
          await reader.cancel();
          return;
        }
      }
    }
    at("state").textContent = "The connection ended early. Launch again to go on.";
    at("launch").disabled = false;
  }

  function launch(spec) {
    at("launch").disabled = true;
    at("progress").hidden = false;
    at("open").hidden = true;
    at("log").textContent = "";
    for (const item of at("steps").children) item.className = "";
    at("state").textContent = "Starting…";
    at("share").href = config.baseUrl + "v2/" + spec;
    at("share").hidden = false;
    follow(spec).catch((error) => {
      at("state").textContent = "The Binder cannot be reached: " + error.message;
      at("launch").disabled = false;
    });
  }

  at("form").addEventListener("submit", (event) => {
    event.preventDefault();
    const repository = at("repository").value.trim().replace(/^https:\/\/github\.com\//, "").replace(/(\.git)?\/?$/, "");
    launch("gh/" + repository + "/" + (at("ref").value.trim() || "HEAD"));
  });

  if (config.spec) {
    const [, owner, name, ...ref] = config.spec.split("/");
    at("repository").value = owner + "/" + (name || "");
    at("ref").value = ref.join("/");
    launch(config.spec);
  }
})();
