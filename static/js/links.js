// Copies the whole address of the link beside the button that was pressed, and says so for a moment.
document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-copy-link]");
  if (!button) return;
  const label = button.textContent;
  const say = (text) => {
    button.textContent = text;
    setTimeout(() => { button.textContent = label; }, 1500);
  };
  try {
    await navigator.clipboard.writeText(button.parentElement.querySelector('a[href*="/s/"]').href);
    say("Copied");
  } catch {
    say("Copying is not allowed here");
  }
});
