// Asks before a button that says so submits its form.
const dialog = document.getElementById("confirm");
if (!dialog) return;
let asked = null;

document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-confirm]");
  if (!button || button === asked) return;
  event.preventDefault();
  asked = button;
  dialog.querySelector("p").textContent = button.dataset.confirm;
  dialog.returnValue = "";
  dialog.showModal();
}, true);

dialog.addEventListener("close", () => {
  if (dialog.returnValue === "yes") asked.click();
  asked = null;
});
