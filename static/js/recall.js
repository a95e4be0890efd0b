// Up in the empty box brings back what was asked here, the last first, and what still waits; Down goes
// forward again, and Escape gives the empty box back. Once the text is changed or the caret moved, the
// keys are the box's.
const form = document.querySelector("[data-composer]");
if (!form) return;
const box = form.elements.text;
const STEPS = { ArrowUp: -1, ArrowDown: 1 };

const sent = []; // by this page; the transcript has most of them
let asked = [];
let at = 0;

const askedHere = () => {
  const shown = [...document.querySelectorAll("[data-log] .prompt")]
    .map((prompt) => prompt.textContent.replace(/\r\n?/g, "\n"));
  return [...shown, ...sent.filter((text) => !shown.includes(text))]
    .filter((text, i, all) => text !== all[i + 1]);
};

const put = (text) => {
  box.value = text;
  box.setSelectionRange(text.length, text.length);
  box.dispatchEvent(new Event("input"));
};

const isRecalled = () => box.value !== "" && box.value === asked[at]
  && box.selectionStart === box.value.length && box.selectionEnd === box.value.length;

const begin = () => {
  asked = askedHere();
  at = asked.length;
};

box.addEventListener("keydown", (event) => {
  if (event.defaultPrevented || event.isComposing) return;
  if (event.ctrlKey || event.metaKey || event.altKey || event.shiftKey) return;
  if (event.key === "Escape" && isRecalled()) {
    event.preventDefault();
    put("");
    return;
  }
  const step = STEPS[event.key];
  if (!step) return;
  if (box.value === "" && step < 0) begin();
  else if (!isRecalled()) return;
  if (!asked.length) return;
  event.preventDefault();
  at = Math.max(0, at + step);
  put(asked[at] ?? "");
});

form.addEventListener("submit", () => sent.push(box.value));
