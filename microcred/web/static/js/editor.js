// The editor of a part: counts words while typing, saves a moment after, and never loses what stands in a box.
// Without this script the Save button does the same.
"use strict";

(() => {
  const WAIT_MS = 1200;
  const AGAIN_MS = 15000;
  const LOOK_FOR_LAUNCH_MS = 4000;
  const form = document.querySelector("form[data-editor]");
  if (!form) return;
  let launch = document.getElementById("part").dataset.launch;
  const boxes = [...form.querySelectorAll(".box")].map(makeBox);

  form.querySelector("[data-hint]").textContent = "Your words are saved while you type.";

  function makeBox(element) {
    const area = element.querySelector("textarea.answer");
    const box = {
      place: element.dataset.place, element, area, timer: 0, saving: null, sent: area.value,
      revision: element.querySelector("input[type=hidden]"),
      said: element.querySelector("[data-saved]"),
    };
    area.addEventListener("input", () => { count(box); later(box, WAIT_MS); });
    area.addEventListener("blur", () => { if (isDirty(box)) save(box); });
    return box;
  }

  function isDirty(box) { return box.area.value !== box.sent; }

  function later(box, ms) {
    clearTimeout(box.timer);
    box.timer = setTimeout(() => save(box), ms);
  }

  function count(box) {
    const limit = Number(box.area.dataset.limit || 0);
    const words = countWords(box.area.value);
    show(box, words, limit);
  }

  function show(box, words, limit) {
    const over = limit > 0 && words > limit;
    box.element.querySelector("[data-words]").textContent =
      limit ? `${words} of ${limit} words` : `${words} ${words === 1 ? "word" : "words"}`;
    const meter = box.element.querySelector(".meter");
    meter.classList.toggle("over", over);
    meter.firstElementChild.setAttribute("width", limit ? Math.min(100, Math.round(100 * words / limit)) : 0);
    const place = box.element.querySelector("[data-over]");
    if (!over) place.replaceChildren();
    else {
      if (!place.firstElementChild) place.append(box.element.querySelector("[data-over-text]").content.cloneNode(true));
      place.querySelector("[data-many]").textContent = words - limit;
    }
  }

  // One save of a box at a time. Who asks meanwhile waits for it, and for one more if there is something newer by then.
  async function save(box) {
    clearTimeout(box.timer);
    while (box.saving) await box.saving;
    if (box.waiting || !isDirty(box)) return;
    box.saving = send(box);
    try { await box.saving; } finally { box.saving = null; }
  }

  async function send(box) {
    const text = box.area.value;
    say(box, "Saving", "soft");
    const body = new URLSearchParams({
      form_token: form.elements.form_token.value,
      [`text-${box.place}`]: text,
      [`revision-${box.place}`]: box.revision.value,
    });
    let answer, data;
    try {
      answer = await fetch(form.action, { method: "POST", body, headers: { "X-Fragment": "save" } });
      data = answer.headers.get("Content-Type").startsWith("application/json") ? await answer.json() : null;
    } catch {
      answer = null;
    }
    if (!answer || answer.status >= 500) {
      say(box, "Not saved yet. Keep writing: your words stay here and are saved when the connection is back.", "warn");
      return later(box, AGAIN_MS);
    }
    if (answer.status === 401) return waitForLaunch(box);
    if (!data || (!answer.ok && !data.stale)) {
      return say(box, "Not saved. Your words stay here; copy them, then open this from your course again.", "warn");
    }
    const saved = data.saved[box.place];
    const stale = data.stale[box.place];
    if (stale) return choose(box, stale);
    box.sent = text;
    box.revision.value = saved.revision;
    say(box, `Saved ${saved.at}`, "saved");
    if (isDirty(box)) later(box, WAIT_MS);
  }

  function say(box, words, kind) {
    box.said.textContent = words;
    if (kind === "saved") box.said.prepend(box.element.querySelector("[data-tick]").content.cloneNode(true));
    box.said.className = kind === "saved" ? "saved" : kind === "warn" ? "ink-revise" : "soft";
  }

  // The answer was changed in another place: both texts stay in sight until the person has chosen.
  function choose(box, stale) {
    if (stale.theirs === box.area.value) {
      box.sent = stale.theirs;
      box.revision.value = stale.revision;
      return say(box, `Saved ${stale.at}`, "saved");
    }
    box.waiting = true;
    say(box, "Not saved: choose what to keep", "warn");
    const note = document.createElement("div");
    note.className = "note note-revise my-3";
    note.setAttribute("role", "status");
    const inner = note.appendChild(document.createElement("div"));
    inner.className = "grow";
    const title = inner.appendChild(document.createElement("b"));
    title.textContent = `This answer was also changed in another place, at ${stale.at}.`;
    const words = inner.appendChild(document.createElement("p"));
    words.className = "s mt-1";
    words.textContent = "Nothing was overwritten. The other text is here, yours is in the box below it. " +
      "Choose what to keep; you can change it afterwards.";
    const other = inner.appendChild(document.createElement("textarea"));
    other.className = "form-control mt-2";
    other.rows = 5;
    other.readOnly = true;
    other.value = stale.theirs;
    other.setAttribute("aria-label", "The other text");
    const actions = inner.appendChild(document.createElement("div"));
    actions.className = "actions mt-3";
    const choices = {
      "Keep mine": () => box.area.value,
      "Keep both": () => `${stale.theirs}\n\n${box.area.value}`,
      "Keep the other": () => stale.theirs,
    };
    for (const [label, text] of Object.entries(choices)) {
      const button = actions.appendChild(document.createElement("button"));
      button.type = "button";
      button.className = "btn btn-line btn-sm";
      button.textContent = label;
      button.addEventListener("click", () => {
        box.area.value = text();
        box.sent = stale.theirs;
        box.revision.value = stale.revision;
        box.waiting = false;
        note.remove();
        count(box);
        box.area.focus();
        isDirty(box) ? save(box) : say(box, `Saved ${stale.at}`, "saved");
      });
    }
    box.area.before(note);
  }

  // The session has ended. The words stay in the box; when the person opens this from the course again in this browser,
  // the new launch has its own address and cookie, and the words are saved there.
  function waitForLaunch(box) {
    box.waiting = true;
    say(box, "Not saved yet: this page was open too long. Your words stay here. Open this from your course again in " +
      "another tab; they are then saved from here.", "warn");
    box.ended = true;
    box.timer = setTimeout(() => lookForLaunch(box), LOOK_FOR_LAUNCH_MS);
  }

  // Browsers let the timers of a hidden tab sleep: whoever comes back to it is served at once.
  function lookNow() {
    if (document.visibilityState === "visible") for (const box of boxes.filter((one) => one.ended)) lookForLaunch(box);
  }
  document.addEventListener("visibilitychange", lookNow);
  window.addEventListener("focus", lookNow);

  async function lookForLaunch(box) {
    clearTimeout(box.timer);
    try {
      const answer = await fetch(`/app/${launch}/again`);
      if (answer.status === 200) await moveTo((await answer.json()).launch);
      if (answer.status === 200) {
        box.waiting = box.ended = false;
        return save(box);
      }
    } catch { /* no connection, or the new launch is in another browser: look again */ }
    box.timer = setTimeout(() => lookForLaunch(box), LOOK_FOR_LAUNCH_MS);
  }

  async function moveTo(next) {
    if (next === launch) return;
    const answer = await fetch(`/app/${next}/form-token`);
    if (!answer.ok) throw new Error("the new launch is not in this browser");
    const { form_token: token } = await answer.json();
    const from = `/app/${launch}/`;
    const to = `/app/${next}/`;
    for (const element of document.querySelectorAll("[href], [action], [hx-post]")) {
      for (const name of ["href", "action", "hx-post"]) {
        const value = element.getAttribute(name);
        if (value && value.startsWith(from)) element.setAttribute(name, to + value.slice(from.length));
      }
    }
    for (const field of document.querySelectorAll("input[name=form_token]")) field.value = token;
    launch = next;
  }

  // Leaving by a link saves first; closing the page with unsaved words asks.
  document.addEventListener("click", async (event) => {
    const link = event.target.closest("a[href]");
    if (!link || link.target || event.defaultPrevented || event.metaKey || event.ctrlKey || event.shiftKey) return;
    const dirty = boxes.filter(isDirty);
    if (!dirty.length) return;
    event.preventDefault();
    await Promise.all(dirty.map((box) => save(box)));
    if (!boxes.some(isDirty)) link.click();
  });
  form.addEventListener("submit", () => { for (const box of boxes) { clearTimeout(box.timer); box.sent = box.area.value; } });
  window.addEventListener("beforeunload", (event) => { if (boxes.some(isDirty)) event.preventDefault(); });
  for (const box of boxes) count(box);
})();
