// Platform storage (lti-cs-oidc, lti-pm-s): keep a login's secret with the LMS's own frame where no cookie is kept.
// Data only ever goes to the origin of the registered authorization URL, and only that origin's answers count.
"use strict";

(() => {
  const box = document.getElementById("lti-storage");
  if (!box) return;
  const { mode, origin, target, key, value } = box.dataset;
  const platform = window.opener || window.parent;
  const PATIENCE = 2000;
  let settled = false;
  let asked = null;

  const newId = () => Array.from(crypto.getRandomValues(new Uint32Array(4)), (n) => n.toString(16)).join("-");

  const frameNamed = (name) => {
    if (!name || name === "_parent") return platform;
    try {
      return platform.frames[name] || platform;
    } catch {
      return platform;
    }
  };

  const read = (data) => {
    if (typeof data !== "string") return data && typeof data === "object" ? data : null;
    try {
      return JSON.parse(data);
    } catch {
      return null;
    }
  };

  const giveUp = () => {
    if (settled) return;
    document.getElementById("lti-waiting").hidden = true;
    document.getElementById("lti-fallback").hidden = false;
  };

  const done = (answer) => {
    if (settled) return;
    if (answer.error || (mode === "get" && !answer.value)) {
      giveUp();
      return;
    }
    settled = true;
    if (mode === "put") {
      window.location.replace(box.dataset.continue);
    } else {
      const form = document.getElementById("lti-again");
      form.elements.lti_binding.value = answer.value;
      form.submit();
    }
  };

  const ask = (frameName) => {
    if (asked) return;
    asked = { subject: mode === "put" ? "lti.put_data" : "lti.get_data", message_id: newId(), key };
    if (mode === "put") asked.value = value;
    frameNamed(frameName).postMessage(asked, origin);
    setTimeout(giveUp, PATIENCE);
  };

  const capabilities = { subject: "lti.capabilities", message_id: newId() };

  window.addEventListener("message", (event) => {
    const answer = read(event.data);
    if (!answer) return;
    if (answer.message_id === capabilities.message_id && event.source === platform) {
      const supported = Array.isArray(answer.supported_messages) ? answer.supported_messages : [];
      const wanted = mode === "put" ? "lti.put_data" : "lti.get_data";
      const entry = supported.find((item) => item && item.subject === wanted);
      ask(entry && typeof entry.frame === "string" ? entry.frame : target);
    } else if (
      asked &&
      event.origin === origin &&
      answer.message_id === asked.message_id &&
      answer.subject === `${asked.subject}.response`
    ) {
      done(answer);
    }
  });

  const link = document.getElementById("lti-new-tab");
  if (link) {
    link.addEventListener("click", () => {
      settled = true;
    });
  }
  // Says nothing but "who is there?", so it may go to whatever origin the parent has.
  platform.postMessage(capabilities, "*");
  setTimeout(() => ask(target), 400);
})();
