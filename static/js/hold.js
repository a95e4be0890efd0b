// Keeps an article where it stands on the screen while what is around it is swapped: its event `hold`,
// with the id of the one that will come in its place, if another will. The heights of what came settle
// in the next frames; then the place is the reader's again.
const scroller = document.querySelector("[data-scroller]");
if (!scroller) return;
const SETTLED_MS = 300;
let held = null;
let timer = null;

const hold = () => {
  const article = held && document.getElementById(held.id);
  if (!article) return;
  const moved = article.getBoundingClientRect().top - held.top;
  if (moved) scroller.scrollTop += moved;
};

const letGo = () => {
  clearTimeout(timer);
  held = timer = null;
};

scroller.addEventListener("hold", ({ target, detail }) => {
  letGo();
  held = { id: detail ?? target.id, top: target.getBoundingClientRect().top };
});
for (const wish of ["wheel", "touchmove", "keydown", "pointerdown"]) {
  scroller.addEventListener(wish, letGo, { passive: true });
}
new ResizeObserver(hold).observe(scroller.querySelector("[data-log]"));

document.addEventListener("htmx:after:swap", () => {
  if (!held || timer || !document.getElementById(held.id)) return;
  hold();
  timer = setTimeout(() => {
    letGo();
    scroller.dispatchEvent(new Event("scroll")); // it may stand at its end
  }, SETTLED_MS);
});
