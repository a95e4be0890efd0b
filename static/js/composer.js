// Enter sends, or queues while a reply runs; Shift-Enter breaks the line (a phone's Enter always
// does); with Ctrl it is a shortcut. The box is emptied only when the server's echo, a new key, says
// that the message is stored, and of what was sent only: later typing stays, and if it was to be sent
// as well, it waits behind that message.
const form = document.querySelector("[data-composer]");
if (!form) return;
const box = form.elements.text;
const enqueue = form.querySelector("[data-wish=queue]");
const maxChars = Number(box.dataset.maxChars);
let isNextWanted = false;

const grow = () => {
  box.style.height = "auto";
  box.style.height = `${box.scrollHeight}px`;
};

const counted = (number) => number.toLocaleString(document.documentElement.lang);

const check = () => {
  const chars = [...box.value].length;
  const sentence = box.dataset.tooLong.replace("{most}", counted(maxChars)).replace("{has}", counted(chars));
  box.setCustomValidity(chars > maxChars ? sentence : "");
};

const adapt = () => {
  check();
  if (!CSS.supports("field-sizing", "content")) grow();
};

box.addEventListener("input", adapt);
adapt();

box.addEventListener("keydown", (event) => {
  // 229: Safari ends the composition of a word before it reports the Enter that confirmed it.
  if (event.key !== "Enter" || event.isComposing || event.keyCode === 229) return;
  if (event.shiftKey || event.ctrlKey || event.metaKey) return;
  if (matchMedia("(pointer: coarse)").matches) return;
  event.preventDefault();
  form.requestSubmit(document.querySelector("#buttons .stop") ? enqueue : null);
});

form.addEventListener("submit", (event) => {
  if ("sent" in form.dataset) {
    isNextWanted = box.value !== form.dataset.sent;
    event.preventDefault();
    event.stopImmediatePropagation();
    return;
  }
  isNextWanted = false;
  form.elements.action.value = event.submitter?.dataset.wish ?? "send";
  form.dataset.sent = box.value;
  form.dataset.sentKey = form.elements.key.value;
  document.getElementById("notice").replaceChildren();
}, true);

const settle = () => {
  if (!("sent" in form.dataset)) return;
  const stored = form.elements.key.value !== form.dataset.sentKey;
  const refused = document.getElementById("notice").childElementCount > 0;
  if (!stored && !refused) return;
  if (stored && box.value.startsWith(form.dataset.sent)) {
    box.value = box.value.slice(form.dataset.sent.length);
    box.dispatchEvent(new Event("input"));
  }
  delete form.dataset.sent;
  if (stored && isNextWanted && box.value.trim()) form.requestSubmit(enqueue);
};

document.addEventListener("htmx:after:swap", settle);

// After these no echo comes any more, but of what waited for the socket to open; the same key makes it
// the same message if it is sent again.
for (const change of ["htmx:ws:close", "htmx:ws:error", "htmx:ws:after:connection"]) {
  document.addEventListener(change, ({ type, detail }) => {
    if (type === "htmx:ws:after:connection" && detail.connection.queue.length) return;
    delete form.dataset.sent;
  });
}

window.addEventListener("pageshow", () => delete form.dataset.sent);
