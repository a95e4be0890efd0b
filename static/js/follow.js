// Keeps the newest text in view while the reader is at the bottom, and offers the way back when not.
const scroller = document.querySelector("[data-scroller]");
if (!scroller) return;
const log = document.querySelector("[data-log]");
if (log.querySelector("#history:empty + #tail:empty + .welcome")) return; // is read from its top
const end = document.querySelector("[data-end]");
const jump = document.querySelector("[data-jump]");
const NEAR_PX = 48;

// Unless the page was opened at a message, as from a search.
const linked = document.getElementById(location.hash.slice(1));
let following = !linked?.matches(".message");
if (!following) linked.scrollIntoView();
let lastTop = 0;
let lastHeight = 0;

const follow = () => {
  following = true;
  jump.hidden = true;
  scroller.scrollTop = scroller.scrollHeight;
};

// This observer runs between layout and paint, so following costs no layout of its own.
const growth = new ResizeObserver(() => following && follow());
growth.observe(log);
growth.observe(scroller);

// Text can also move without growing: a section that comes into view takes its true height.
const sight = new IntersectionObserver(([{ isIntersecting }]) => {
  if (isIntersecting || !following) jump.hidden = isIntersecting;
  else follow();
}, { root: scroller, rootMargin: `0px 0px ${NEAR_PX}px` });
sight.observe(end);

scroller.addEventListener("scroll", () => {
  const { scrollTop: top, scrollHeight: height, clientHeight } = scroller;
  const distance = height - clientHeight - top;
  const isReader = height >= lastHeight; // else the text shrank, and took the view with it
  if (top < lastTop - 1 && isReader) following = distance < 2;
  else if (distance < NEAR_PX) following = true;
  lastTop = top;
  lastHeight = height;
}, { passive: true });

// Another version stands where the one before it stood, however long what follows it is.
const stayAt = (button) => {
  following = false;
  button.closest(".message").dispatchEvent(new CustomEvent("hold", { bubbles: true, detail: `message-${button.value}` }));
};

jump.addEventListener("click", follow);
document.addEventListener("submit", ({ target, submitter }) => {
  if (target.matches("[data-composer]")) follow();
  if (target.matches("#choose")) stayAt(submitter);
});
