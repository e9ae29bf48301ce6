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
    window.parent.postMessage({ subject: "lti.frameResize", height }, "*");
  }

  if (inFrame) {
    new ResizeObserver(tellHeight).observe(document.documentElement);
    window.addEventListener("load", tellHeight);
  }

  // A new tab has its own cookies: the page asks for a one-use address and opens that.
  for (const form of document.querySelectorAll("form[data-new-tab]")) {
    form.addEventListener("submit", async (event) => {
      event.preventDefault();
      try {
        const answer = await fetch(form.action, {
          method: "POST",
          body: new URLSearchParams(new FormData(form)),
          headers: { "X-Fragment": "1" },
        });
        const { url } = await answer.json();
        if (answer.ok && window.open(url, "_blank", "noopener") !== undefined) return;
      } catch { /* the plain form below says what is wrong */ }
      form.submit();
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
