// Enter sends, or queues while a reply runs; Shift-Enter breaks the line (a phone's Enter always
// does); with Ctrl it is a shortcut. The box is emptied only when the server's echo, a new key, says
// that the message is stored, and of what was sent only: later typing stays, and if it was to be sent
// as well, it waits behind that message.
const form = document.querySelector("[data-composer]");
if (!form) return;
const box = form.elements.text;
const enqueue = form.querySelector("[data-wish=queue]");
const maxChars = Number(box.dataset.maxChars);
let sent = null; // text, key and files of the last message, until it is known to be stored or refused
let isUnderWay = false; // while the server is about to say so: what is pressed meanwhile comes after it
let isPressed = false;
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

// A text that was taken from elsewhere on the page stands before what was typed here.
box.addEventListener("returned", ({ detail }) => {
  box.value = [detail, box.value].filter((text) => text.trim()).join("\n\n");
  box.dispatchEvent(new Event("input"));
});

box.addEventListener("keydown", (event) => {
  // 229: Safari ends the composition of a word before it reports the Enter that confirmed it.
  if (event.key !== "Enter" || event.isComposing || event.keyCode === 229) return;
  if (event.shiftKey || event.ctrlKey || event.metaKey) return;
  if (matchMedia("(pointer: coarse)").matches) return;
  event.preventDefault();
  form.requestSubmit(document.querySelector("#buttons .stop") ? enqueue : null);
});

form.addEventListener("submit", (event) => {
  if (isUnderWay) {
    isPressed = true;
    isNextWanted = box.value !== sent.text;
    event.preventDefault();
    event.stopImmediatePropagation();
    return;
  }
  isPressed = isNextWanted = false;
  form.elements.action.value = event.submitter?.dataset.wish ?? "send";
  sent = { text: box.value, key: form.elements.key.value, attachment: new FormData(form).getAll("attachment") };
  isUnderWay = form.hasAttribute("hx-ws:send"); // a form of the browser's own it may send again
  document.getElementById("notice").replaceChildren();
}, true);

const empty = ({ text }) => {
  if (!box.value.startsWith(text)) return;
  box.value = box.value.slice(text.length);
  box.dispatchEvent(new Event("input"));
};

document.addEventListener("htmx:after:swap", () => {
  const { key } = form.elements;
  const isMissing = "missing" in key.dataset;
  delete key.dataset.missing;
  if (!sent) return;
  const isStored = key.value !== sent.key;
  const isRefused = isUnderWay && document.getElementById("notice").childElementCount > 0;
  if (!isStored && !isMissing && !isRefused) return;
  if (isStored) empty(sent);
  sent = null;
  isUnderWay = false;
  if (isStored ? isNextWanted && box.value.trim() : isMissing && isPressed) form.requestSubmit(enqueue);
});

for (const loss of ["htmx:ws:close", "htmx:ws:error"]) {
  document.addEventListener(loss, () => { isUnderWay = false; });
}

// The echo of what was sent through the socket before may be lost; what waited for this one is yet
// to be sent.
document.addEventListener("htmx:ws:after:connection", ({ detail: { connection } }) => {
  if (!sent || connection.queue.length || !form.hasAttribute("hx-ws:send")) return;
  isUnderWay = true;
  isPressed = isNextWanted = false;
  document.getElementById("notice").replaceChildren(); // what it says later is the answer
  connection.socket.send(JSON.stringify({ action: "confirm", ...sent }));
});

window.addEventListener("pageshow", () => {
  sent = null;
  isUnderWay = false;
});
