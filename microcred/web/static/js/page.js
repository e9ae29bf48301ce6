// On every page: tell the LMS how high the page is, and hand the page over to a new tab.
"use strict";

(() => {
  const inFrame = window.parent !== window;

  // LTI platforms that know lti.frameResize make the frame as high as the page, so nothing scrolls twice.
  function tellHeight() {
    const height = Math.ceil(document.documentElement.getBoundingClientRect().height);
    if (height === tellHeight.last) return;
    tellHeight.last = height;
    // The height is no secret and the platform's origin may differ from the frame's parent chain.
    window.parent.postMessage({ subject: "lti.frameResize", message_id: `height-${height}`, height }, "*");
  }

  if (inFrame) {
    new ResizeObserver(tellHeight).observe(document.documentElement);
    window.addEventListener("load", tellHeight);
  }

  // A new tab has its own cookies: the page asks for a one-use address and opens that.
  for (const form of document.querySelectorAll("form[data-new-tab]")) {
    form.hidden = !inFrame; // already a page of its own, as in the LMSs' apps
    form.addEventListener("submit", async (event) => {
      event.preventDefault();
      try {
        const answer = await fetch(form.action, {
          method: "POST",
          body: new URLSearchParams(new FormData(form)),
          headers: { "X-Fragment": "1" },
        });
        const { url } = await answer.json();
        const tab = answer.ok ? window.open(url, "_blank") : null;
        if (tab) {
          tab.opener = null;
          return;
        }
        // Web views and strict blockers open nothing: the page of the plain form has a link to press.
      } catch { /* the plain form below says what is wrong */ }
      form.submit();
    });
  }

  // A link that opens a window of its own: whoever comes back from there goes on to the page that says how it went.
  for (const link of document.querySelectorAll("a[data-then]")) {
    link.addEventListener("click", () => {
      window.addEventListener("focus", () => window.location.assign(link.dataset.then), { once: true });
    });
  }

  // A button that was pressed stays pressed: a double click sends a form once.
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (form.dataset.sent) return event.preventDefault();
    if (form.hasAttribute("data-once")) form.dataset.sent = "1";
  });
  window.addEventListener("pageshow", () => {
    for (const form of document.querySelectorAll("form[data-sent]")) delete form.dataset.sent;
  });

  // Buttons that copy a text standing on the page.
  for (const button of document.querySelectorAll("button[data-copy]")) {
    button.addEventListener("click", async () => {
      const said = button.querySelector("[data-said]");
      try {
        await navigator.clipboard.writeText(button.dataset.copy);
        if (said) said.textContent = "Copied";
      } catch {
        if (said) said.textContent = button.dataset.copy;
      }
    });
  }
})();

// Around htmx: errors that belong to no place go to the top of the page, and the focus follows what was swapped in.
(() => {
  document.addEventListener("htmx:after:swap", (event) => {
    const target = event.detail?.ctx?.target;
    const fresh = target?.id ? document.getElementById(target.id) : null;
    if (fresh && !fresh.contains(document.activeElement)) {
      (fresh.querySelector("[role=status], [role=alert]")?.closest("section")?.querySelector("h2")
        ?? fresh.querySelector("[data-focus]"))?.focus({ preventScroll: true });
    }
  });

  // A file that is too large or empty is told before it is sent; a large one takes a while, so the button says so.
  document.addEventListener("change", (event) => {
    const form = event.target.closest("form[data-upload]");
    if (!form || event.target.type !== "file") return;
    const file = event.target.files[0];
    const limit = Number(form.dataset.limit);
    // "It is 500 MB and the limit is 500 MB" helps nobody.
    const digits = file && Math.round(file.size / 1e6) === Math.round(limit / 1e6) ? 1 : 0;
    const megabytes = (size) => `${Math.max(1, size / 1e6).toFixed(digits)} MB`;
    const problem = !file ? "" : file.size === 0 ? "This file is empty. Save it again and choose it once more."
      : file.size > limit ? `It is ${megabytes(file.size)} and the limit is ${megabytes(limit)}. Choose a smaller one.` : "";
    const place = form.querySelector("[data-problem]");
    place.replaceChildren();
    if (!problem) return;
    event.target.value = "";
    const note = place.appendChild(document.createElement("p"));
    note.className = "note note-stop s";
    note.setAttribute("role", "alert");
    note.textContent = `“${file.name}” was not added. ${problem}`;
  });
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (!form.hasAttribute("data-upload")) return;
    const button = form.querySelector("button[type=submit]");
    button.textContent = "Adding";
    button.setAttribute("aria-busy", "true");
  });
})();
