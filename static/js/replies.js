// Tells the page of replies that begin and end: events `reply:began` and `reply:ended`, from their
// articles. Tokens change what is inside an article; only a new status replaces the article itself,
// so nothing here runs for a token.
const isLive = (article) => article.getAttribute("aria-busy") === "true";
const articlesIn = (nodes) => [...nodes].filter((node) => node.matches?.('article[data-role="assistant"]'));

const report = (records) => {
  const before = new Map();
  const after = new Map();
  for (const { removedNodes, addedNodes } of records) {
    for (const article of articlesIn(removedNodes)) if (!before.has(article.id)) before.set(article.id, isLive(article));
    for (const article of articlesIn(addedNodes)) after.set(article.id, article);
  }
  const isAppended = records.every(({ removedNodes }) => removedNodes.length === 0);
  for (const [id, article] of after) {
    if (!article.isConnected) continue;
    const wasLive = before.get(id);
    if (isLive(article) && !wasLive) article.dispatchEvent(new Event("reply:began", { bubbles: true }));
    if (!isLive(article) && (wasLive ?? isAppended)) article.dispatchEvent(new Event("reply:ended", { bubbles: true }));
  }
};

const observer = new MutationObserver(report);
for (const list of document.querySelectorAll("#history, #tail")) observer.observe(list, { childList: true });
