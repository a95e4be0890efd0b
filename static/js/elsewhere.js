// One list of endpoints for all replies: it opens beside the button that was pressed, for its reply.
const list = document.querySelector("[data-others]");
const EDGE_PX = 8;

const placeAt = ({ top, bottom, left }) => {
  const { offsetHeight: height, offsetWidth: width } = list;
  const below = bottom + height + EDGE_PX < innerHeight;
  list.style.top = `${below ? bottom : Math.max(EDGE_PX, top - height)}px`;
  list.style.left = `${Math.max(EDGE_PX, Math.min(left, innerWidth - width - EDGE_PX))}px`;
};

document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-elsewhere]");
  if (!button) return;
  event.preventDefault();
  list.elements.message.value = button.dataset.elsewhere;
  list.action = button.dataset.action;
  list.showPopover({ source: button });
  placeAt(button.getBoundingClientRect());
  list.querySelector("button").focus();
});

list?.addEventListener("submit", () => list.hidePopover());
