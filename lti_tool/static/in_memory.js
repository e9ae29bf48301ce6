// A launch without any cookie: the page is fetched with the token that lives in this page's memory only.
"use strict";

(() => {
  const box = document.getElementById("lti-memory");
  const { page, token } = box.dataset;
  box.remove();
  fetch(page, { headers: { "X-Launch-Token": token }, credentials: "omit" })
    .then((answer) => answer.text())
    .then((html) => {
      const parsed = new DOMParser().parseFromString(html, "text/html");
      document.title = parsed.title;
      document.body.replaceChildren(...parsed.body.childNodes);
    });
})();
