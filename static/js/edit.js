// A message that is edited: the caret begins behind its text; Ctrl-Enter sends it again, Esc leaves it
// as Cancel does, unless it was changed, so that no key loses what was typed. Nor does a swap, as
// after a deed in another tab: what was typed then goes to the box.
const leave = (cancel) => {
  cancel.focus(); // which knows what has the focus after it
  cancel.click();
};

document.addEventListener("keydown", (event) => {
  const form = event.target.closest(".edit");
  if (!form || event.isComposing) return;
  const { value, defaultValue } = form.elements.text;
  if (event.key === "Escape" && value === defaultValue) leave(form.querySelector("[data-after]"));
  else if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) form.requestSubmit();
  else return;
  event.preventDefault();
});

document.addEventListener("focusin", ({ target }) => {
  if (!target.matches(".edit textarea[autofocus]")) return;
  target.removeAttribute("autofocus"); // later the caret is where it was left
  target.setSelectionRange(target.value.length, target.value.length);
  target.scrollTop = target.scrollHeight;
});

let typed = []; // what the swap that is under way may take away

document.addEventListener("htmx:before:swap", ({ detail: { ctx, tasks } }) => {
  const isCancelled = ctx?.sourceElement?.matches(".edit a");
  typed = isCancelled ? [] : tasks
    .flatMap(({ target }) => [...(target?.querySelectorAll(".edit textarea") ?? [])])
    .filter((field) => field.value !== field.defaultValue);
});

const isShown = ({ value }) =>
  [...document.querySelectorAll("[data-log] .prompt")].some(({ textContent }) => textContent.trim() === value.trim());

document.addEventListener("htmx:after:swap", () => {
  for (const field of typed.splice(0)) {
    if (field.isConnected || isShown(field)) continue; // the latter was sent
    const box = document.getElementById("text");
    box.dispatchEvent(new CustomEvent("returned", { detail: field.value }));
    document.getElementById("notice").replaceChildren(box.dataset.fromEdit);
  }
});
