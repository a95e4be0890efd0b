// Counts the seconds of a wait on from those that the server knew of when it wrote them.
const began = new WeakMap();

setInterval(() => {
  for (const elapsed of document.querySelectorAll("[data-waited]")) {
    if (!began.has(elapsed)) began.set(elapsed, performance.now() - 1000 * elapsed.dataset.waited);
    const s = Math.floor((performance.now() - began.get(elapsed)) / 1000);
    elapsed.textContent = s < 60 ? `${s} s` : `${Math.floor(s / 60)} min ${s % 60} s`;
  }
}, 1000);
