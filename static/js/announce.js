// Says once, politely, how a reply ended. The log itself is not read out while it grows.
const said = document.getElementById("said");

const wordsIn = (text) => {
  const pieces = new Intl.Segmenter(undefined, { granularity: "word" }).segment(text);
  let words = 0;
  for (const { isWordLike } of pieces) if (isWordLike) words++;
  return words;
};

const sentence = (article) => {
  const text = article.querySelector('[id^="text-"]')?.textContent ?? "";
  return (said.dataset[article.dataset.status] ?? "")
    .replace("{words}", wordsIn(text).toLocaleString(document.documentElement.lang))
    .replace("{problem}", article.querySelector(".problem .title")?.textContent.trim() ?? "");
};

document.addEventListener("reply:began", () => said.replaceChildren());
document.addEventListener("reply:ended", ({ target }) => {
  said.textContent = sentence(target);
});
