// Keeps the progress of a long push fresh. Without this script "Look again" does the same.
const PAUSE = 3000;

function watch(bar) {
  const address = bar.dataset.again;
  if (!address) return;
  setTimeout(async () => {
    try {
      const answer = await fetch(address, { headers: { "X-Fragment": "progress" } });
      if (answer.ok && !answer.redirected) {
        const fresh = new DOMParser().parseFromString(await answer.text(), "text/html").querySelector("[data-progress]");
        if (fresh) {
          // The element stays, and changes only where there is news: a screen reader says what changes in it.
          if (bar.innerHTML !== fresh.innerHTML) bar.replaceChildren(...fresh.childNodes);
          if (fresh.dataset.again) bar.dataset.again = fresh.dataset.again;
          else delete bar.dataset.again;
        }
      }
    } catch {
      // The network is away for a moment; the next look may find it.
    }
    watch(bar);
  }, PAUSE);
}

document.querySelectorAll("[data-progress]").forEach(watch);
