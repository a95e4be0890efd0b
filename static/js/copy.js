// Copies the code of the box whose Copy button was pressed, a message as it was written, or the
// address of the link beside the button, and says so for a moment.
const SAID_MS = 1500;
const labels = new WeakMap(); // button → what it says when nothing was copied

const say = (button, text) => {
  const isIcon = button.matches("[data-copy-from]");
  if (!labels.has(button)) labels.set(button, button.textContent);
  document.getElementById("said")?.replaceChildren(text);
  if (isIcon) button.dataset.said = text;
  else button.textContent = text;
  setTimeout(() => {
    if (isIcon) delete button.dataset.said;
    else button.textContent = labels.get(button);
  }, SAID_MS);
};

const copy = async (button, text) => {
  // A promise, because the text may have to be fetched within the same press.
  const blob = Promise.resolve(text).then((found) => new Blob([found], { type: "text/plain" }));
  try {
    await navigator.clipboard.write([new ClipboardItem({ "text/plain": blob })]);
    say(button, words.copied);
  } catch {
    const isThere = await blob.then(() => true, () => false);
    say(button, isThere ? words.notAllowed : words.notCopied);
  }
};

const words = document.body.dataset;

// The page to sign in on is no message.
const fetchText = async (url) => {
  const answer = await fetch(url).catch(() => null);
  if (answer?.ok && !answer.redirected) return answer.text();
  document.dispatchEvent(new CustomEvent("request:failed", { detail: answer }));
  throw new Error(`${url} was not fetched`);
};

document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-copy], [data-copy-from], [data-copy-link]");
  if (!button) return;
  if (button.matches("[data-copy]")) copy(button, button.closest("figure.code").querySelector("pre code").textContent);
  if (button.matches("[data-copy-link]")) copy(button, button.parentElement.querySelector('a[href*="/s/"]').href);
  if (!button.matches("[data-copy-from]")) return;
  event.preventDefault();
  copy(button, fetchText(button.href));
});
