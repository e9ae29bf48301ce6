// The picker: shows the columns of what is chosen as soon as it is chosen.
"use strict";

(() => {
  const preview = document.getElementById("preview");
  const form = preview?.closest("form");
  if (!form) return;
  let newest = 0;

  form.addEventListener("change", async (event) => {
    if (!["credential", "scheme", "submit_by"].includes(event.target.name)) return;
    const asked = ++newest;
    const data = new FormData(form);
    const query = new URLSearchParams();
    for (const name of ["with", "credential", "scheme", "submit_by"]) {
      for (const value of data.getAll(name)) query.append(name, value);
    }
    try {
      const answer = await fetch(`${preview.dataset.preview}?${query}`, { headers: { "X-Fragment": "1" } });
      if (answer.ok && asked === newest) preview.innerHTML = await answer.text();
    } catch { /* the columns shown stay; adding still works and says what it did */ }
  });
})();
