// Copies the whole address of the link beside the button that was pressed, and says so for a moment.
const words = document.body.dataset;

document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-copy-link]");
  if (!button) return;
  button.dataset.label ??= button.textContent;
  const say = (text) => {
    button.textContent = text;
    setTimeout(() => { button.textContent = button.dataset.label; }, 1500);
  };
  try {
    await navigator.clipboard.writeText(button.parentElement.querySelector('a[href*="/s/"]').href);
    say(words.copied);
  } catch {
    say(words.notCopied);
  }
});
