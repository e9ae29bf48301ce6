// First script of a page that memory.js shows: links, forms, pictures and requests of the page go through it.
"use strict";

(() => {
  const memory = window.parent.microcredMemory;
  if (!memory) return;

  window.fetch = (input, init) => memory.ask(input instanceof Request ? input : new URL(input, document.baseURI), init);

  // Heard after the page's own scripts, which may have seen to it already.
  window.addEventListener("click", (event) => {
    const link = event.target.closest?.("a[href]");
    if (!link || event.defaultPrevented || event.button !== 0) return;
    const url = new URL(link.href);
    if (!memory.isOurs(url)) {
      // Out of this frame: to the tab around the LMS nothing may go, so to a tab of its own.
      if (!link.target) link.target = "_blank";
      return;
    }
    event.preventDefault();
    const address = url.pathname + url.search + url.hash;
    if (url.hash && address.split("#")[0] === memory.here().split("#")[0]) {
      document.getElementById(decodeURIComponent(url.hash.slice(1)))?.scrollIntoView();
    } else if (link.target === "_blank" || event.ctrlKey || event.metaKey || event.shiftKey) memory.openTab(address);
    else memory.go(address);
  });

  window.addEventListener("submit", (event) => {
    const form = event.target;
    if (!form.hasAttribute("data-new-tab")) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    memory.openTab(memory.here());
  }, true);

  window.addEventListener("submit", (event) => {
    const form = event.target;
    if (event.defaultPrevented) return;
    const url = new URL(event.submitter?.getAttribute("formaction") ?? form.getAttribute("action") ?? "", document.baseURI);
    if (!memory.isOurs(url)) {
      // The answer to the LMS (deep linking) takes the whole frame that the LMS gave.
      form.target = "_parent";
      return;
    }
    event.preventDefault();
    const data = new FormData(form, event.submitter);
    if (form.method === "get") {
      url.search = new URLSearchParams(data);
      memory.go(url.href);
    } else {
      memory.send(url.href, { method: "POST", body: form.enctype === "multipart/form-data" ? data : new URLSearchParams(data) });
    }
  });

  async function bring(picture) {
    const url = picture.dataset.held;
    delete picture.dataset.held;
    picture.src = await memory.picture(url);
  }
  const bringAll = () => { for (const picture of document.querySelectorAll("img[data-held]")) bring(picture); };
  new MutationObserver(bringAll).observe(document, { childList: true, subtree: true });
})();
