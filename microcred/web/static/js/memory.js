// A launch whose browser keeps no cookie: the credential lives in this closure only. Pages are fetched with it and
// shown in a frame without an address of its own, a new one for each page; memory_page.js runs first in each.
"use strict";

(() => {
  const HEADER = "X-Launch-Token";
  const box = document.getElementById("memory");
  const said = document.getElementById("memory-said");
  const { script, tab } = box.dataset;
  let { page, credential } = box.dataset;
  let frame = null;
  let here = null;
  box.remove();

  if (!credential) {
    // A tab that another such page opened; it gives page and credential once.
    const given = openerGives();
    if (!given) {
      said.textContent = "Open this from your course again.";
      return;
    }
    ({ page, credential } = given);
  }

  function openerGives() {
    try {
      return window.opener.microcredMemory.give(window);
    } catch {
      return null;
    }
  }

  const isOurs = (url) => url.origin === location.origin && url.pathname.startsWith("/app/");

  function ask(input, init = {}) {
    const url = new URL(input instanceof Request ? input.url : input, location.origin);
    const request = input instanceof Request ? new Request(input, init) : new Request(url, init);
    if (isOurs(url)) request.headers.set(HEADER, credential);
    return fetch(request);
  }

  // Pictures are asked for with the credential, so their addresses must not be asked for without.
  const held = (html) => html.replace(/(<img\b[^>]*?)\ssrc="(\/app\/[^"]*)"/g, '$1 data-held="$2"');

  async function askHeld(input, init) {
    const answer = await ask(input, init);
    if (!(answer.headers.get("Content-Type") ?? "").startsWith("text/html")) return answer;
    const { status, statusText, headers } = answer;
    const copy = new Response(held(await answer.text()), { status, statusText, headers });
    Object.defineProperty(copy, "url", { value: answer.url });
    return copy;
  }

  // Opens what a link or a form leads to. `entry` says what becomes of the history: push, replace or keep.
  async function open(input, init, entry = "push") {
    let answer;
    try {
      answer = await ask(input, init);
    } catch {
      return frame?.contentWindow.alert("There is no connection. Nothing was lost; try again in a moment.");
    }
    const away = answer.headers.get("X-Go-To");
    if (away) return window.opener && !frame ? location.replace(away) : void window.open(away, "_blank", "noopener");
    const kind = answer.headers.get("Content-Type") ?? "";
    const named = answer.headers.get("Content-Disposition") ?? "";
    if (!kind.startsWith("text/html") || named.startsWith("attachment")) return keep(answer, kind, named);
    const url = new URL(answer.url);
    url.hash = new URL(input instanceof Request ? input.url : input, location.origin).hash || url.hash;
    const address = url.pathname + url.search + url.hash;
    if (entry !== "keep") history[entry === "push" ? "pushState" : "replaceState"]({ microcred: address }, "");
    show(await answer.text(), address);
  }

  function show(html, address) {
    const next = document.createElement("iframe");
    next.className = "memory-page";
    next.title = "Micro-credential";
    const base = document.createElement("base");
    base.href = address.split("#")[0];
    const first = document.createElement("script");
    first.src = script;
    next.srcdoc = held(html).replace("<head>", `<head>${base.outerHTML}${first.outerHTML}`);
    next.addEventListener("load", () => {
      document.title = next.contentDocument.title;
      const name = decodeURIComponent(address.split("#")[1] ?? "");
      if (name) next.contentDocument.getElementById(name)?.scrollIntoView();
    });
    here = address;
    frame?.remove();
    said.remove();
    frame = next;
    document.body.append(frame);
  }

  // A file: shown by the browser where this tab is its own, else kept under its name.
  async function keep(answer, kind, named) {
    const url = URL.createObjectURL(await answer.blob());
    if (window.opener && !frame && kind.startsWith("image/")) {
      const picture = document.createElement("img");
      picture.className = "memory-picture";
      picture.src = url;
      picture.alt = "";
      return said.replaceWith(picture);
    }
    const name = /filename\*=UTF-8''([^;]+)/i.exec(named)?.[1] ?? /filename="?([^";]+)/i.exec(named)?.[1] ?? "file";
    const link = document.createElement("a");
    link.href = url;
    link.download = decodeURIComponent(name);
    document.body.append(link);
    link.click();
    link.remove();
    if (window.opener && !frame) said.textContent = "The file is among your downloads. You can close this tab.";
  }

  const waiting = new Map();

  // What memory_page.js and pages opened in other tabs ask of this one. Only pages of ours can reach it.
  window.microcredMemory = {
    ask: askHeld,
    go: (url) => open(url),
    send: (url, init) => open(url, init),
    here: () => here,
    isOurs,
    async picture(url) {
      const answer = await ask(url);
      return answer.ok ? URL.createObjectURL(await answer.blob()) : "";
    },
    openTab(address) {
      const opened = window.open(tab, "_blank");
      if (opened) waiting.set(opened, { page: address, credential });
    },
    give(asking) {
      const given = waiting.get(asking) ?? null;
      waiting.delete(asking);
      return given;
    },
  };

  window.addEventListener("popstate", (event) => {
    if (event.state?.microcred) open(event.state.microcred, {}, "keep");
  });

  // The page tells how high it is; the LMS is one frame further out.
  window.addEventListener("message", (event) => {
    if (event.source === frame?.contentWindow && event.data?.subject === "lti.frameResize" && parent !== window) {
      parent.postMessage(event.data, "*");
    }
  });

  open(page, {}, "replace");
})();
