// Large files go up in pieces (tus): with progress, pause, going on after a lost connection, a reload or a new launch.
// Small files, and pages without this script, use the plain form.
"use strict";

(() => {
  const FROM_BYTES = 5 * 1024 * 1024;
  const PIECE = 8 * 1024 * 1024;
  const AGAIN_MS = [0, 1000, 3000, 5000, 10000, 20000];
  const OFFLINE_MS = 15000;
  const LOOK_MS = 4000;
  const FRESH_MS = 2500;
  try {
    // A page without cookies asks for everything through its parent, which tus cannot: the form does it there.
    if (window.parent !== window && window.parent.microcredMemory) return;
  } catch { /* the parent is an LMS */ }
  if (!window.tus || !tus.isSupported) return;

  const part = () => document.getElementById("part");
  let launch = part()?.dataset.launch;
  if (!launch) return;
  const here = location.pathname.slice(`/app/${launch}/`.length);
  const running = new Set();

  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (!form.hasAttribute("data-upload")) return;
    const file = form.elements.file.files[0];
    if (!file || file.size < FROM_BYTES || file.size > Number(form.dataset.limit)) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    begin(form, file);
  }, true);

  function begin(form, file) {
    const section = form.closest("section.need");
    const row = section.querySelector("template[data-upload-row]").content.firstElementChild.cloneNode(true);
    const one = {
      file, row, state: "", timer: 0, began: 0, first: 0, section: section.id, token: form.elements.form_token.value,
      facts: {
        filename: file.name, part: form.dataset.part, requirement: form.elements.requirement.value,
        caption: form.elements["text-caption"].value,
        fingerprint: [file.name, file.size, file.lastModified].join("|"),
      },
    };
    row.querySelector("[data-name]").textContent = file.name;
    row.querySelector("[role=progressbar]").setAttribute("aria-label", `Upload of ${file.name}`);
    row.querySelector("[data-pause]").addEventListener("click", () => (one.state === "going" ? pause(one) : go(one)));
    row.querySelector("[data-stop]").addEventListener("click", () => stop(one));
    running.add(one);
    place(one);
    form.reset();
    form.closest("details").open = false;
    row.querySelector("[data-pause]").focus();
    go(one);
  }

  // Beside the row that stands for the same upload since an earlier visit, there must be no second one.
  function place(one) {
    const list = document.getElementById(one.section)?.querySelector("[data-uploads]");
    if (!list) return;
    if (one.url) list.querySelector(`[data-upload-id="${one.url.split("/").pop()}"]`)?.remove();
    if (!list.contains(one.row)) list.append(one.row);
    list.hidden = false;
  }

  async function go(one) {
    clearTimeout(one.timer);
    if (one.state === "refused") return;
    say(one, "going", "");
    try {
      if (!one.url) await create(one);
    } catch (error) {
      return failed(one, error);
    }
    if (one.state !== "going") return;
    one.began = 0;
    one.upload = new tus.Upload(one.file, {
      uploadUrl: one.url, chunkSize: PIECE, retryDelays: AGAIN_MS, storeFingerprintForResuming: false, removeFingerprintOnSuccess: false,
      headers: headers(one),
      onProgress: (sent, all) => progress(one, sent, all),
      onError: (error) => failed(one, error),
      onSuccess: () => done(one),
    });
    one.upload.start();
  }

  const headers = (one) => ({ "X-Form-Token": one.token, "X-Fragment": "upload" });

  async function create(one) {
    const base64 = (text) => btoa(String.fromCharCode(...new TextEncoder().encode(text)));
    const metadata = Object.entries(one.facts).map(([name, value]) => `${name} ${base64(value)}`).join(",");
    const answer = await fetch(`/app/${launch}/uploads`, {
      method: "POST",
      headers: { ...headers(one), "Tus-Resumable": "1.0.0", "Upload-Length": one.file.size, "Upload-Metadata": metadata },
    });
    if (answer.status !== 201) throw { status: answer.status, words: await answer.text() };
    one.url = new URL(answer.headers.get("Location"), location.href).pathname;
    place(one);
  }

  // What became of it: no connection, an ended launch, or words of refusal.
  function failed(one, error) {
    const answer = error.originalResponse;
    const status = answer ? answer.getStatus() : error.status ?? 0;
    if (one.state !== "going") return;
    if (status === 401) return waitForLaunch(one);
    if (status === 404 || status === 410) {
      // Also where the last answer was lost on its way: the file is among the others by now.
      refresh(one.section, true);
      return say(one, "refused", "This upload is over. If the file is not in the list, add it once more.");
    }
    if (status >= 400 && status < 500 && status !== 408 && status !== 423 && status !== 429) {
      const words = answer ? answer.getBody() : error.words;
      return say(one, "refused", words && !words.trimStart().startsWith("<") ? words : "This file was not taken. Reload the page and try again.");
    }
    say(one, "offline", "No connection. What has arrived is kept, and it goes on by itself.");
    one.timer = setTimeout(() => go(one), OFFLINE_MS);
  }

  function pause(one) {
    clearTimeout(one.timer);
    say(one, "paused", "Paused. What has arrived is kept for a week.");
    one.upload?.abort();
  }

  async function stop(one) {
    clearTimeout(one.timer);
    say(one, "stopped", "");
    try { await one.upload?.abort(); } catch { /* it was not under way */ }
    if (one.url) {
      await fetch(one.url, { method: "DELETE", headers: { ...headers(one), "Tus-Resumable": "1.0.0" } }).catch(() => null);
    }
    end(one);
    document.getElementById(one.section)?.querySelector("details.adder > summary")?.focus();
  }

  function end(one) {
    running.delete(one);
    one.row.remove();
    refresh(one.section, true);
  }

  function done(one) {
    say(one, "done", "All of it has arrived. It is being added.");
    end(one);
  }

  function progress(one, sent, all) {
    const now = performance.now();
    if (!one.began) { one.began = now; one.first = sent; }
    const percent = Math.floor(100 * sent / all);
    const bar = one.row.querySelector("[role=progressbar]");
    bar.setAttribute("aria-valuenow", percent);
    bar.querySelector("rect").setAttribute("width", percent);
    const megabytes = (bytes) => Math.max(1, Math.round(bytes / 1e6));
    const pace = (sent - one.first) / Math.max(1, now - one.began);
    const minutes = Math.ceil((all - sent) / pace / 60000);
    const left = now - one.began < 3000 || !Number.isFinite(minutes) ? "" : minutes <= 1 ? ", about a minute left" : `, about ${minutes} minutes left`;
    one.row.querySelector("[data-amount]").textContent = `${megabytes(sent)} of ${megabytes(all)} MB${left}`;
  }

  function say(one, state, words) {
    one.state = state;
    const status = one.row.querySelector("[role=status]");
    status.textContent = words;
    status.className = state === "refused" || state === "ended" ? "s ink-revise" : "s soft";
    const button = one.row.querySelector("[data-pause]");
    button.textContent = state === "going" ? "Pause" : "Go on";
    button.hidden = ["refused", "done", "ended", "stopped"].includes(state);
    one.row.querySelector("[data-stop]").textContent = state === "refused" ? "Close" : "Stop";
  }

  // The launch has ended. The file stays chosen here; after the micro-credential was opened from the course again in this
  // browser, the upload goes on under the new launch's address.
  function waitForLaunch(one) {
    say(one, "ended", "This page was open too long. What has arrived is kept. Open this from your course again in another tab; the upload then goes on from here.");
    one.timer = setTimeout(() => lookForLaunch(one), LOOK_MS);
  }

  async function lookForLaunch(one) {
    clearTimeout(one.timer);
    try {
      const answer = await fetch(`/app/${launch}/again`);
      if (answer.status === 200) {
        const { launch: next } = await answer.json();
        const asked = await fetch(`/app/${next}/form-token`);
        if (asked.ok) {
          one.token = (await asked.json()).form_token;
          if (one.url) one.url = `/app/${next}/uploads/${one.url.split("/").pop()}`;
          launch = next;
          return go(one);
        }
      }
      // Another upload of this page may have found it already.
      if (answer.status === 204 && one.url && !one.url.startsWith(`/app/${launch}/`)) {
        const asked = await fetch(`/app/${launch}/form-token`);
        if (asked.ok) {
          one.token = (await asked.json()).form_token;
          one.url = `/app/${launch}/uploads/${one.url.split("/").pop()}`;
          return go(one);
        }
      }
    } catch { /* no connection: look again */ }
    one.timer = setTimeout(() => lookForLaunch(one), LOOK_MS);
  }

  // Rows of what is under way go into whatever was swapped in.
  document.addEventListener("htmx:after:swap", () => { for (const one of running) place(one); });
  window.addEventListener("online", () => { for (const one of running) if (one.state === "offline") go(one); });
  document.addEventListener("visibilitychange", () => {
    if (document.visibilityState === "visible") for (const one of running) if (one.state === "ended") lookForLaunch(one);
  });
  window.addEventListener("beforeunload", (event) => {
    if ([...running].some((one) => one.state === "going" || one.state === "offline")) event.preventDefault();
  });

  // What the server works on (being added, being prepared) changes by itself: the lists are looked at again until it is done.
  async function refresh(id, withForm) {
    try {
      const answer = await fetch(`/app/${launch}/${here}`, { headers: { "X-Fragment": "part" } });
      if (!answer.ok) return;
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      const fresh = page.getElementById(id);
      const old = document.getElementById(id);
      if (!fresh || !old) return;
      for (const name of ["[data-files]", ".need-head", ...(withForm ? [".add"] : [])]) {
        const from = fresh.querySelector(`:scope > ${name}`);
        const to = old.querySelector(`:scope > ${name}`);
        if (!from || !to || to.querySelector("details[open]") || to.contains(document.activeElement)) continue;
        to.replaceWith(document.adoptNode(from));
        window.htmx?.process(from);
      }
      for (const one of running) if (one.section === id) place(one);
    } catch { /* the next look may find it */ }
  }

  setInterval(() => {
    if (document.visibilityState !== "visible") return;
    for (const waiting of document.querySelectorAll("section.need [data-waits]")) refresh(waiting.closest("section.need").id, true);
  }, FRESH_MS);
})();
