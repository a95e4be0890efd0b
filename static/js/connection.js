// Tells when the socket is away, opens it anew where htmx would wait, and reloads a page that Back
// brought out of the browser's memory, or whose person came back.
const UNDER_WAY_MS = 1000;
const MOST_SHOWN = 80; // about what an address has room for

const showOffline = (away) => {
  const banner = document.getElementById("offline");
  if (!banner || banner.hidden === !away) return; // it is asked at every frame
  for (const told of document.querySelectorAll("#offline, .away")) told.hidden = !away;
};

let connection;
let wholeAddress; // of a socket that brings the tail whole
let offlineAt = -Infinity;
let lastWords = null; // what the notice said when the socket closed for good

const told = (articles) =>
  articles.map(({ id, dataset }) => `${id.slice("message-".length)}.${dataset.look ?? ""}`).join();

// What the page has of its tail need not come again, nor what somebody does in it be lost; of what
// stands before it, what looks otherwise by now comes. An article without a look was still growing,
// and comes anew.
const addressOfRest = () => {
  const shown = [...document.querySelectorAll("#tail > .message")];
  if (shown.length > MOST_SHOWN) return wholeAddress;
  const known = [...document.querySelectorAll("#history > .message")].reverse();
  const parts = { shown: told(shown), known: told(known.slice(0, MOST_SHOWN - shown.length)) };
  return wholeAddress + Object.entries(parts).map(([name, ids]) => (ids ? `&${name}=${ids}` : "")).join("");
};

// Before the first socket, then again before each later one. What is sent while the first is not open
// yet waits for it; what is sent while a later one is away is refused where everybody sees it.
document.addEventListener("htmx:ws:before:connection", (event) => {
  if (wholeAddress) return;
  wholeAddress = event.detail.connection.url;
  event.detail.connection.config.maxOutgoingMessagesQueueSize = 1;
});

// hx-ws opens a socket when a page comes into sight that has none.
const renew = () => {
  clearTimeout(connection.timer);
  connection.socket?.close();
  connection.socket = null;
  document.dispatchEvent(new Event("visibilitychange"));
};

const say = (...words) => document.getElementById("notice")?.replaceChildren(...words);

// 4401, 4404 and 4429 are final; the notice that came before them says why, and stays.
document.addEventListener("htmx:ws:close", (event) => {
  const { connection: left, code } = event.detail;
  const isFinal = [4401, 4404, 4429].includes(code);
  if (isFinal) connection = undefined;
  showOffline(!isFinal);
  left.queue.length = left.config.maxOutgoingMessagesQueueSize = 0;
  // Only when no frame is on its way into the page any more, and no other socket is.
  left.receiving.then(() => {
    if (isFinal) lastWords = [...(document.getElementById("notice")?.childNodes ?? [])];
    if (left.socket?.readyState === WebSocket.CLOSED) left.url = addressOfRest();
  });
});
document.addEventListener("htmx:ws:error", () => (lastWords ? say(...lastWords) : showOffline(true)));

const isTypedIn = (field) => field.value !== field.defaultValue && !field.closest("[data-composer]");

// Whoever signed in again elsewhere, or closed a page, comes back to this one. The box is kept.
document.addEventListener("visibilitychange", async () => {
  if (document.hidden || !lastWords) return;
  if ([...document.querySelectorAll("textarea, input:not([type=hidden])")].some(isTypedIn)) return;
  const answer = await fetch(location.href, { redirect: "manual" }).catch(() => null);
  if (answer?.ok) location.reload();
});
document.addEventListener("htmx:ws:after:connection", (event) => {
  connection = event.detail.connection;
  connection.url = wholeAddress;
  connection.config.maxOutgoingMessagesQueueSize = 0;
  clearTimeout(connection.timer); // of a try that it need not make any more
  showOffline(false);
});

// A socket that outlived its network looks open, and nothing would come through it.
window.addEventListener("offline", (event) => {
  offlineAt = event.timeStamp;
  showOffline(true);
});
window.addEventListener("online", () => (connection ? renew() : showOffline(false)));

// Without a network a server on the same machine still answers.
document.addEventListener("htmx:ws:after:message:incoming", (event) => {
  if (event.detail.connection.socket?.readyState !== WebSocket.OPEN) return;
  connection = event.detail.connection;
  if (event.timeStamp - offlineAt > UNDER_WAY_MS) showOffline(false);
});

// One that was told to close when the tab was hidden may take a minute to do so.
document.addEventListener("visibilitychange", () => {
  if (!document.hidden && connection?.socket?.readyState === WebSocket.CLOSING) renew();
});

window.addEventListener("pageshow", (event) => {
  if (event.persisted) location.reload();
});
