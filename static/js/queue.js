// Puts a message that was taken out of the queue back into the box, before what stands there; the
// keyboard follows.
const form = document.querySelector("[data-composer]");
if (!form) return;
const box = form.elements.text;

document.addEventListener("htmx:after:swap", () => {
  const returned = document.querySelector("[data-returned]");
  if (!returned?.textContent) return;
  const rest = box.value.trim() ? `\n\n${box.value}` : "";
  box.value = returned.textContent + rest;
  returned.replaceChildren();
  box.dispatchEvent(new Event("input"));
});

// The button that was pressed goes away with its message.
document.addEventListener("submit", (event) => event.target.matches("[data-queue]") && box.focus());
