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
          bar.replaceWith(fresh);
          watch(fresh);
          return;
        }
      }
    } catch {
      // The network is away for a moment; the next look may find it.
    }
    watch(bar);
  }, PAUSE);
}

document.querySelectorAll("[data-progress]").forEach(watch);
