// The picker: shows the columns of what is chosen as soon as it is chosen.
"use strict";

(() => {
  const preview = document.getElementById("preview");
  const form = preview?.closest("form");
  if (!form) return;
  const shown = ["with", "credential", "scheme", "open_from", "submit_by", "stack_column", "reviewers"];
  let newest = 0;

  form.addEventListener("change", (event) => shown.includes(event.target.name) && show());
  // What was chosen before this script was there: in a hurry, or kept by the browser on the way back.
  if ([...form.querySelectorAll("input")].some((input) => input.checked !== input.defaultChecked)) show();

  async function show() {
    const asked = ++newest;
    const data = new FormData(form);
    const query = new URLSearchParams();
    for (const name of shown) {
      for (const value of data.getAll(name)) query.append(name, value);
    }
    try {
      const answer = await fetch(`${preview.dataset.preview}?${query}`, { headers: { "X-Fragment": "1" } });
      if (answer.ok && asked === newest) preview.innerHTML = await answer.text();
    } catch { /* the columns shown stay; adding still works and says what it did */ }
  }
})();
