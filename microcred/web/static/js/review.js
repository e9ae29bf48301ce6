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
  let sending = null;
  let problem = "";

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
  document.addEventListener("visibilitychange", () => document.hidden && send());
  addEventListener("online", send);
  addEventListener("beforeunload", (event) => problem && event.preventDefault());

  // The next page says what is still to be rated, so what is on its way arrives first; a save that failed keeps the
  // page in sight.
  document.addEventListener("click", async (event) => {
    const link = event.target.closest("a[href]");
    if (!link || link.target || event.metaKey || event.ctrlKey || event.shiftKey || !isUnsaved()) return;
    event.preventDefault();
    await send();
    if (!problem) location.assign(link.href);
  });
  document.addEventListener("submit", async (event) => {
    if (!isUnsaved()) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    const { target, submitter } = event;
    await send();
    // What was saved may have changed the outcome; then the reviewer looks at the new one first.
    if (!problem && submitter.isConnected) target.requestSubmit(submitter);
  }, { capture: true });

  function isUnsaved() {
    return (waiting.size || sending) && problem !== "refused";
  }

  // One save at a time, in the order of the changes. Settles when nothing waits, or one failed.
  function send() {
    clearTimeout(timer);
    sending ??= sendAll().finally(() => (sending = null));
    return sending;
  }

  async function sendAll() {
    while (waiting.size) {
      const units = [...waiting];
      waiting.clear();
      problem = await post(units);
      if (problem) {
        units.forEach((unit) => waiting.add(unit));
        say(problem);
        if (problem === "offline") timer = setTimeout(send, 10000);
        return;
      }
      if (waiting.size) say("saving");
    }
  }

  // What went wrong (`offline`, `refused`), or nothing.
  async function post(units) {
    const body = new URLSearchParams();
    form.querySelectorAll(":scope > input[type=hidden]").forEach((input) => body.append(input.name, input.value));
    for (const unit of units) {
      unit.querySelectorAll("input:checked, textarea").forEach((field) => body.append(field.name, field.value));
    }
    try {
      // A closing page still sends what it has: keepalive lets the request outlive it. Browsers take 64 KiB for that.
      const keepalive = body.toString().length < 60_000;
      const init = { method: "POST", body, keepalive, headers: { "HX-Request": "true" } };
      const answer = await fetch(form.action, init);
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
// What is the same stays as it is: it may hold the button that is just being pressed.
function replaceById(html) {
  const page = new DOMParser().parseFromString(html, "text/html");
  for (const fresh of page.body.querySelectorAll("[data-fresh]")) {
    const place = document.getElementById(fresh.id);
    if (place && place.innerHTML !== fresh.innerHTML) place.replaceChildren(...fresh.childNodes);
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
