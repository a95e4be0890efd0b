// The settings speak of the endpoint that is chosen, and offer no effort that it does not know.
const panel = document.querySelector("[data-settings]");
const picker = document.getElementById("endpoint");
const own = panel?.querySelector('[name="endpoint"]');
const effort = panel?.querySelector('[data-field="reasoning_effort"]');

const offerEfforts = (known) => {
  const select = effort.querySelector("select");
  for (const option of select.options) {
    option.hidden = option.value && !option.selected && !known.includes(option.value);
  }
  effort.hidden = known.length === 0 && !select.value;
};

const adapt = () => {
  const chosen = (own ?? picker).value;
  for (const allowance of panel.querySelectorAll("[data-allows]")) {
    allowance.hidden = allowance.dataset.allows !== chosen;
    if (allowance.hidden || !effort) continue;
    offerEfforts(allowance.dataset.efforts.split(" ").filter(Boolean));
  }
};

panel?.addEventListener("beforetoggle", (event) => {
  if (event.newState !== "open") return;
  if (own && picker.value) own.value = picker.value;
  adapt();
});
panel?.addEventListener("change", adapt);

// Where the fields belong to the message that is being written, Enter is not to send it.
panel?.addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || !event.target.matches("input[form]")) return;
  event.preventDefault();
  panel.hidePopover();
});
