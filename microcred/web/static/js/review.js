// The review desk: ratings save themselves, and single keys rate and move. Everything also works as a plain form.

const desk = document.querySelector("[data-review-desk]");
const form = document.querySelector("form[data-ratings]");

if (desk && form) {
  startSaving(form);
  startKeys(desk, form);
}

function startSaving(form) {
  const waiting = new Set();
  let timer = 0;
  let sending = false;

  form.querySelector("[data-plain-save]")?.setAttribute("hidden", "");
  form.addEventListener("input", (event) => {
    const unit = event.target.closest("[data-unit]");
    if (!unit) return;
    if (event.target.type === "radio") markLevel(unit);
    waiting.add(unit);
    say("saving");
    clearTimeout(timer);
    timer = setTimeout(send, event.target.type === "radio" ? 0 : 1200);
  });
  form.addEventListener("focusout", (event) => {
    if (waiting.has(event.target.closest("[data-unit]"))) send();
  });
  // A closing page still sends what it has: keepalive lets the request outlive it.
  document.addEventListener("visibilitychange", () => document.hidden && send({ keepalive: true }));
  addEventListener("online", () => send());

  async function send({ keepalive = false } = {}) {
    clearTimeout(timer);
    if (!waiting.size || (sending && !keepalive)) return;
    sending = true;
    const units = [...waiting];
    waiting.clear();
    const failed = await post(units, keepalive);
    sending = false;
    if (failed) {
      units.forEach((unit) => waiting.add(unit));
      say(failed);
      if (failed === "offline") timer = setTimeout(send, 10000);
    } else if (waiting.size) {
      send();
    }
  }

  // What went wrong (`offline`, `refused`), or nothing.
  async function post(units, keepalive) {
    const body = new URLSearchParams();
    form.querySelectorAll(":scope > input[type=hidden]").forEach((input) => body.append(input.name, input.value));
    for (const unit of units) {
      unit.querySelectorAll("input:checked, textarea").forEach((field) => body.append(field.name, field.value));
    }
    try {
      const answer = await fetch(form.action, { method: "POST", body, keepalive, headers: { "HX-Request": "true" } });
      if (answer.status >= 500) return "offline";
      const text = await answer.text();
      if (!answer.ok) return "refused";
      replaceById(text);
      return "";
    } catch {
      return "offline";
    }
  }

  function say(state) {
    const place = document.getElementById("review-saved");
    const words = document.querySelector(`template[data-say="${state}"]`);
    if (place && words) place.replaceChildren(words.content.cloneNode(true));
  }
}

// The answer holds whole elements: what is in each goes into the one with its id, so that a live region stays one.
function replaceById(html) {
  const page = new DOMParser().parseFromString(html, "text/html");
  for (const fresh of page.body.querySelectorAll("[data-fresh]")) {
    document.getElementById(fresh.id)?.replaceChildren(...fresh.childNodes);
  }
}

function markLevel(unit) {
  unit.querySelectorAll(".level").forEach((level) => {
    level.classList.toggle("on", level.querySelector("input").checked);
  });
}

function startKeys(desk, form) {
  const criteria = [...form.querySelectorAll("fieldset[data-unit]")];
  const help = document.getElementById("review-keys");
  const off = document.getElementById("review-keys-off");
  let current = criteria.find((unit) => "#" + unit.id === location.hash) ?? criteria[0];
  let on = !document.cookie.split("; ").includes("review-keys=off");

  if (off) {
    off.checked = !on;
    off.addEventListener("change", () => {
      on = !off.checked;
      // A cookie, not web storage: a framed page may not touch that. It holds for this launch's pages.
      document.cookie = `review-keys=${on ? "on" : "off"}; Path=${desk.dataset.path}; Secure; SameSite=None; Partitioned`;
    });
  }
  form.addEventListener("focusin", (event) => {
    current = event.target.closest("fieldset[data-unit]") ?? current;
  });
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
    if (event.key === "Escape" && event.target.matches("textarea")) return focusLevel(current);
    if (!on || event.target.matches("textarea, select, input:not([type=radio])")) return;
    const act = { j: () => move(1), k: () => move(-1), c: comment, "?": openHelp }[event.key.toLowerCase()];
    if (act) {
      event.preventDefault();
      act();
    } else if (/^[1-9]$/.test(event.key)) {
      rate(event.key);
    }
  });

  function rate(key) {
    const choice = current?.querySelector(`input[data-key="${key}"]`);
    if (!choice) return;
    choice.focus();
    choice.click();
  }

  function move(step) {
    const next = criteria[criteria.indexOf(current) + step];
    if (next) {
      current = next;
      return focusLevel(next);
    }
    const link = desk.querySelector(step > 0 ? "a[data-next-part]" : "a[data-previous-part]");
    if (link) link.click();
  }

  function comment() {
    current?.querySelector("textarea")?.focus();
  }

  function openHelp() {
    if (!help) return;
    help.open = true;
    help.querySelector("summary").focus();
  }

  function focusLevel(unit) {
    (unit?.querySelector("input:checked") ?? unit?.querySelector("input"))?.focus();
  }
}
