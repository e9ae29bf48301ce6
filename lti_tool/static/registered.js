// The end of a dynamic registration: tells the LMS that this page may be closed (Dynamic Registration 1.0, 3.7).
// The message says nothing but that, so it may go to whatever origin opened us.
"use strict";

(() => {
  const SECONDS = 5;
  const platform = window.opener || window.parent;
  const status = document.getElementById("lti-closing");
  const close = document.getElementById("lti-close");
  const stay = document.getElementById("lti-stay");

  const tell = () => {
    platform.postMessage({ subject: "org.imsglobal.lti.close" }, "*");
  };

  if (platform === window) return;
  close.hidden = stay.hidden = false;
  status.textContent = "This page closes by itself in a few seconds.";
  const timer = setTimeout(tell, SECONDS * 1000);
  close.addEventListener("click", () => {
    clearTimeout(timer);
    tell();
  });
  stay.addEventListener("click", () => {
    clearTimeout(timer);
    stay.hidden = true;
    status.textContent = "";
  });
})();
