// Blurs and crops a picture on a canvas. What is saved holds only the changed pixels; no face is looked for.
"use strict";

(() => {
  const stage = document.querySelector("[data-blur]");
  const form = document.querySelector("[data-blur-form]");
  const tools = document.querySelector("[data-blur-tools]");
  const picture = stage?.querySelector("img");
  if (!picture || !form || !window.DataTransfer) return;
  const MOST_PIXELS = 24_000_000;
  const COARSE = 12;
  const field = (name) => tools.querySelector(`[data-blur-${name}]`);
  const say = (text) => { field("say").textContent = text; };
  const canvas = document.createElement("canvas");
  const frame = document.createElement("div");
  const steps = [];
  let start = null;

  function begin() {
    const scale = Math.min(1, Math.sqrt(MOST_PIXELS / (picture.naturalWidth * picture.naturalHeight)));
    canvas.width = Math.round(picture.naturalWidth * scale);
    canvas.height = Math.round(picture.naturalHeight * scale);
    canvas.getContext("2d").drawImage(picture, 0, 0, canvas.width, canvas.height);
    canvas.setAttribute("role", "img");
    canvas.setAttribute("aria-label", picture.alt);
    frame.className = "blur-frame";
    picture.replaceWith(canvas);
    stage.append(frame);
    tools.hidden = false;
    form.querySelector("[data-blur-plain]").hidden = true;
    form.querySelector("[data-blur-save]").disabled = true;
    show();
  }

  function area() {
    const [left, top, width, height] = ["left", "top", "width", "height"].map((name) => Number(field(name).value) / 100);
    const x = Math.round(Math.min(Math.max(left, 0), 1) * canvas.width);
    const y = Math.round(Math.min(Math.max(top, 0), 1) * canvas.height);
    return {
      x, y,
      width: Math.max(1, Math.min(Math.round(width * canvas.width), canvas.width - x)),
      height: Math.max(1, Math.min(Math.round(height * canvas.height), canvas.height - y)),
    };
  }

  function show() {
    const one = area();
    // The policy of the page allows no style attributes, but the object model of its own script.
    frame.style.left = `${(100 * one.x) / canvas.width}%`;
    frame.style.top = `${(100 * one.y) / canvas.height}%`;
    frame.style.width = `${(100 * one.width) / canvas.width}%`;
    frame.style.height = `${(100 * one.height) / canvas.height}%`;
  }

  function keep() {
    const copy = document.createElement("canvas");
    copy.width = canvas.width;
    copy.height = canvas.height;
    copy.getContext("2d").drawImage(canvas, 0, 0);
    steps.push(copy);
    if (steps.length > 10) steps.shift();
    changed();
  }

  function changed() {
    field("undo").disabled = steps.length === 0;
    form.querySelector("[data-blur-save]").disabled = steps.length === 0;
  }

  // A few coarse squares, smoothed: nothing of what was there can be computed back.
  function blur() {
    const { x, y, width, height } = area();
    keep();
    const small = document.createElement("canvas");
    small.width = Math.max(1, Math.min(COARSE, width));
    small.height = Math.max(1, Math.min(COARSE, height));
    const brush = small.getContext("2d");
    brush.imageSmoothingQuality = "high";
    brush.drawImage(canvas, x, y, width, height, 0, 0, small.width, small.height);
    const context = canvas.getContext("2d");
    context.drawImage(small, 0, 0, small.width, small.height, x, y, width, height);
    say("Blurred.");
  }

  function crop() {
    const { x, y, width, height } = area();
    keep();
    const cut = canvas.getContext("2d").getImageData(x, y, width, height);
    canvas.width = width;
    canvas.height = height;
    canvas.getContext("2d").putImageData(cut, 0, 0);
    show();
    say("Only that area is left.");
  }

  function undo() {
    const before = steps.pop();
    if (!before) return;
    canvas.width = before.width;
    canvas.height = before.height;
    canvas.getContext("2d").drawImage(before, 0, 0);
    changed();
    show();
    say("As it was before.");
  }

  function point(event) {
    const box = canvas.getBoundingClientRect();
    const part = (value, from, size) => Math.min(Math.max((value - from) / size, 0), 1) * 100;
    return [part(event.clientX, box.left, box.width), part(event.clientY, box.top, box.height)];
  }

  stage.addEventListener("pointerdown", (event) => {
    if (tools.hidden) return;
    start = point(event);
    stage.setPointerCapture(event.pointerId);
    event.preventDefault();
  });
  stage.addEventListener("pointermove", (event) => {
    if (!start) return;
    const now = point(event);
    field("left").value = Math.round(Math.min(start[0], now[0]));
    field("top").value = Math.round(Math.min(start[1], now[1]));
    field("width").value = Math.max(1, Math.round(Math.abs(start[0] - now[0])));
    field("height").value = Math.max(1, Math.round(Math.abs(start[1] - now[1])));
    show();
  });
  for (const end of ["pointerup", "pointercancel"]) stage.addEventListener(end, () => { start = null; });
  tools.addEventListener("input", show);
  field("do").addEventListener("click", blur);
  field("crop").addEventListener("click", crop);
  field("undo").addEventListener("click", undo);
  form.addEventListener("submit", (event) => {
    if (form.elements.file.files.length) return;
    event.preventDefault();
    canvas.toBlob((blob) => {
      if (!blob) return say("This browser could not save the picture. Change it with another program and upload it again.");
      const files = new DataTransfer();
      files.items.add(new File([blob], "picture.jpg", { type: "image/jpeg" }));
      form.elements.file.files = files.files;
      form.requestSubmit();
    }, "image/jpeg", 0.9);
  });
  if (picture.complete && picture.naturalWidth) begin();
  else picture.addEventListener("load", begin, { once: true });
})();
