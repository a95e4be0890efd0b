// Lets the field for a new name follow the conversation's title, keeps the focus where it is while the
// list changes, and says when older conversations did not load.
const heading = document.getElementById("heading");
const field = document.getElementById("title");
const listing = document.getElementById("listing");

if (heading) {
  new MutationObserver(() => {
    if (!field) return;
    const isUntouched = field.value === field.defaultValue;
    field.defaultValue = heading.textContent;
    if (isUntouched) field.value = heading.textContent;
  }).observe(heading, { childList: true, characterData: true, subtree: true });
}

if (listing) {
  let focused = null;
  const isOurs = (task) => task.target === listing;
  document.addEventListener("htmx:before:swap", (event) => {
    if (event.detail.tasks.some(isOurs)) focused = document.activeElement?.closest("#listing li")?.id;
  });
  document.addEventListener("htmx:after:swap", () => {
    if (!focused) return;
    const link = document.getElementById(focused)?.querySelector("a");
    focused = null;
    if (link && link !== document.activeElement) link.focus({ preventScroll: true });
  });
}

const tellFailure = ({ detail: { ctx } }) => {
  const link = ctx?.sourceElement;
  if (!link?.matches?.(".more")) return;
  const answer = ctx.response?.raw;
  if (answer?.ok && !answer.redirected) return;
  link.textContent = link.dataset.failed;
  link.dataset.state = "failed";
};
document.addEventListener("htmx:after:request", tellFailure);
document.addEventListener("htmx:error", tellFailure);
