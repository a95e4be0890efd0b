// Copies the code of the box whose Copy button was pressed, or a message as it was written, and says
// so for a moment.
const say = (button, text) => {
  document.getElementById("said")?.replaceChildren(text);
  if (button.matches("[data-copy]")) {
    button.dataset.label ??= button.textContent;
    button.textContent = text;
  } else button.dataset.said = text;
  setTimeout(() => {
    if (button.matches("[data-copy]")) button.textContent = button.dataset.label;
    else delete button.dataset.said;
  }, 1500);
};

const copy = async (button, text) => {
  try {
    // A promise, because the text may have to be fetched within the same press.
    const blob = Promise.resolve(text).then((found) => new Blob([found], { type: "text/plain" }));
    await navigator.clipboard.write([new ClipboardItem({ "text/plain": blob })]);
    say(button, words.copied);
  } catch {
    say(button, words.notCopied);
  }
};

const words = document.body.dataset;

const fetchText = async (url) => {
  const answer = await fetch(url);
  if (!answer.ok) throw new Error(`${answer.status}`);
  return answer.text();
};

document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-copy]");
  if (button) copy(button, button.closest("figure.code").querySelector("pre code").textContent);
  const link = event.target.closest("[data-copy-from]");
  if (!link) return;
  event.preventDefault();
  copy(link, fetchText(link.href));
});
