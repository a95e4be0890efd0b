// Keys in a message that is edited: Ctrl-Enter sends it again, Esc leaves it as Cancel does, unless
// it was changed, so that no key loses what was typed.
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
