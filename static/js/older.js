// Loads older messages before the reader comes to the top, holds what they read in its place, and
// tells the socket which messages are there now.
const scroller = document.querySelector("[data-scroller]");
const AHEAD_PX = 1500;

if (scroller) {
  // A link from elsewhere knows the message, but not that it has to be asked for.
  const linked = /^#message-([0-9a-f-]{36})$/.exec(location.hash);
  if (linked && !document.getElementById(location.hash.slice(1)) && !location.search.includes(linked[1])) {
    location.replace(`?message=${linked[1]}${location.hash}`);
  }

  const nearTop = new IntersectionObserver((entries) => {
    for (const { isIntersecting, target } of entries) {
      if (isIntersecting) target.querySelector("a").dispatchEvent(new Event("reached"));
    }
  }, { root: scroller, rootMargin: `${AHEAD_PX}px 0px 0px` });
  const watch = () => {
    nearTop.disconnect();
    const rest = scroller.querySelector("[data-older]");
    if (rest) nearTop.observe(rest);
  };
  document.addEventListener("DOMContentLoaded", watch); // htmx knows the link then

  let isDue = false;
  document.addEventListener("htmx:before:swap", ({ detail: { tasks } }) => {
    if (!tasks.some(({ target }) => target?.matches(".rest"))) return;
    const { top } = scroller.getBoundingClientRect();
    const isBelow = (article) => article.getBoundingClientRect().bottom > top;
    const article = [...scroller.querySelectorAll(".message")].find(isBelow);
    article?.dispatchEvent(new CustomEvent("hold", { bubbles: true }));
    isDue = true;
  });

  let connection = null;
  let hasMore = false;
  const tell = () => {
    const first = scroller.querySelector(".message")?.id.replace("message-", "");
    if (!hasMore || !first || connection?.socket?.readyState !== WebSocket.OPEN) return;
    connection.socket.send(JSON.stringify({ action: "show", message: first }));
  };
  document.addEventListener("htmx:ws:after:connection", (event) => {
    connection = event.detail.connection;
    tell();
  });

  document.addEventListener("htmx:after:swap", () => {
    if (!isDue) return;
    isDue = false;
    hasMore = true;
    tell();
    watch();
  });
}
