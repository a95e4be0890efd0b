// Tab stops at the boxes that scroll sideways, also in browsers that would pass them by, and at no
// others. They are looked at when it is pressed: text that grows pays nothing for it. What is far
// out of view has no layout and may scroll.
const BOXES = "[data-log] :is(pre, .table, .math.display)";
const isSeen = (element) => element?.checkVisibility({ contentVisibilityAuto: true }) ?? false;
const isLaidOut = (box) => isSeen(box) && [...box.querySelectorAll(".chunk")].every((chunk) => isSeen(chunk.firstElementChild));
const mayScroll = (box) => !isLaidOut(box) || box.scrollWidth > box.clientWidth;

document.addEventListener("keydown", ({ key }) => {
  if (key !== "Tab") return;
  const boxes = [...document.querySelectorAll(BOXES)];
  const scrolling = new Set(boxes.filter(mayScroll));
  for (const box of boxes) {
    if (scrolling.has(box)) box.tabIndex = 0;
    else box.removeAttribute("tabindex");
  }
}, true);
