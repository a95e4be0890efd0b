// Says in the notice why a request came to nothing, told by `request:failed` with its response, or
// without one if there was none: it was signed out, the server could not, or it was not reached.
const notice = document.getElementById("notice");
if (!notice) return;

const sentence = (response) => {
  const { failed, lost, stale } = notice.dataset;
  if (!response) return lost;
  return response.redirected || response.status === 403 ? stale : failed.replace("{status}", response.status);
};

document.addEventListener("request:failed", ({ detail }) => notice.replaceChildren(sentence(detail)));
document.addEventListener("htmx:error", ({ detail: { ctx } }) => {
  if (ctx && !ctx.response) notice.replaceChildren(notice.dataset.lost);
});
