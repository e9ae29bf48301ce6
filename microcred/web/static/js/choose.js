// The picker: shows the columns of what is chosen as soon as it is chosen.
"use strict";

(() => {
  const preview = document.getElementById("preview");
  const form = preview?.closest("form");
  if (!form) return;
  let newest = 0;

  form.addEventListener("change", async (event) => {
    if (event.target.type !== "radio") return;
    const asked = ++newest;
    const data = new FormData(form);
    const query = new URLSearchParams({ credential: data.get("credential") ?? "", scheme: data.get("scheme") ?? "" });
    try {
      const answer = await fetch(`${preview.dataset.preview}?${query}`, { headers: { "X-Fragment": "1" } });
      if (answer.ok && asked === newest) preview.innerHTML = await answer.text();
    } catch { /* the columns shown stay; adding still works and says what it did */ }
  });
})();
