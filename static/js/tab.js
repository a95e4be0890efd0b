// The tab's title and icon say that a reply is being written, and that it is ready if it became so
// while the reader was elsewhere, until they look. The title follows the conversation's.
const words = document.getElementById("said")?.dataset;
if (!words) return;
const icon = document.querySelector("link[rel=icon]");
const heading = document.getElementById("heading");
const plain = { title: document.title, icon: icon.href };
let shown = "";

const show = (state) => {
  shown = state;
  document.title = state ? `${words[state]} · ${plain.title}` : plain.title;
  icon.href = state ? icon.dataset[state] : plain.icon;
};

const isWriting = () => document.querySelector('article[aria-busy="true"]') !== null;
const isElsewhere = () => document.hidden || !document.hasFocus();

const look = () => show(isWriting() ? "writing" : "");

document.addEventListener("reply:began", look);
document.addEventListener("reply:ended", () => show(isWriting() ? "writing" : isElsewhere() ? "ready" : ""));
window.addEventListener("focus", look);
document.addEventListener("visibilitychange", () => document.hidden || look());
look();

new MutationObserver(() => {
  plain.title = `${heading.textContent} · chatapp`;
  show(shown);
}).observe(heading, { childList: true, characterData: true, subtree: true });
