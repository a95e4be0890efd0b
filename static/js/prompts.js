// `/` at the beginning of the box opens the prompts whose name has what follows. Enter and Tab take
// only one that was moved to or whose whole name was typed; else the text is sent as it is.
const form = document.querySelector("[data-composer]");
if (!form) return;
const box = form.elements.text;
const list = form.querySelector("[data-prompts]");
const status = form.querySelector("[data-prompts-said]");
const WAIT_MS = 2000;
const STEPS = { ArrowUp: -1, ArrowDown: 1 };

let question = null; // under way: { controller, ended }
let isDismissed = false;

const typed = () => /^\/(\S*)$/u.exec(box.value)?.[1];
const options = () => [...list.querySelectorAll("[role=option]")];
const marked = () => list.querySelector("[aria-selected=true]");

const mark = (option) => {
  marked()?.setAttribute("aria-selected", "false");
  if (!option) {
    box.removeAttribute("aria-activedescendant");
    return;
  }
  option.setAttribute("aria-selected", "true");
  option.scrollIntoView({ block: "nearest" });
  box.setAttribute("aria-activedescendant", option.id);
};

const close = () => {
  question?.controller.abort();
  question = null;
  if (list.hidden) return;
  list.hidden = true;
  list.replaceChildren();
  status.textContent = "";
  for (const name of ["role", "aria-expanded", "aria-controls", "aria-autocomplete", "aria-activedescendant"]) {
    box.removeAttribute(name);
  }
};

const open = (html) => {
  list.innerHTML = html;
  const listbox = list.querySelector("[role=listbox]");
  if (!listbox) {
    close();
    return;
  }
  list.hidden = false;
  box.setAttribute("role", "combobox");
  box.setAttribute("aria-expanded", "true");
  box.setAttribute("aria-controls", listbox.id);
  box.setAttribute("aria-autocomplete", "list");
  status.textContent = listbox.dataset.said;
  const name = typed().toLowerCase().normalize("NFKC");
  mark(options().find((option) => option.dataset.name === name));
};

const ask = async (controller) => {
  const stop = setTimeout(() => controller.abort(), WAIT_MS);
  try {
    const address = `${list.dataset.prompts}?q=${encodeURIComponent(typed())}`;
    const answer = await fetch(address, { signal: controller.signal });
    const html = answer.ok && !answer.redirected ? await answer.text() : "";
    if (question?.controller === controller) open(html);
  } catch {
    if (question?.controller === controller) close();
  } finally {
    clearTimeout(stop);
    if (question?.controller === controller) question = null;
  }
};

const look = () => {
  if (typed() === undefined) isDismissed = false;
  if (typed() === undefined || isDismissed) {
    close();
    return;
  }
  question?.controller.abort();
  const controller = new AbortController();
  question = { controller };
  question.ended = ask(controller);
};

const take = async (option) => {
  const asked = box.value;
  close();
  try {
    const answer = await fetch(option.dataset.text);
    if (!answer.ok || answer.redirected) throw new Error(`${answer.status}`);
    const text = await answer.text();
    if (box.value !== asked) return;
    box.value = text;
    box.setSelectionRange(text.length, text.length);
    box.dispatchEvent(new Event("input"));
  } catch {
    const sentence = document.createElement("p");
    sentence.textContent = list.dataset.failed;
    document.getElementById("notice").replaceChildren(sentence);
  }
};

const step = (by) => {
  const all = options();
  const at = marked() ? all.indexOf(marked()) : Math.min(0, -by);
  mark(all.at((at + by) % all.length));
};

const enterAgain = async () => {
  await question.ended;
  box.dispatchEvent(new KeyboardEvent("keydown", { key: "Enter", bubbles: true, cancelable: true }));
};

/** What the key does here; undefined if it is the box's. */
const meaning = (event) => {
  if (event.key === "Enter" && question && !matchMedia("(pointer: coarse)").matches) return enterAgain;
  if (list.hidden) return undefined;
  if (event.key === "Escape") return () => {
    isDismissed = true;
    close();
  };
  if (event.key in STEPS) return () => step(STEPS[event.key]);
  if (["Enter", "Tab"].includes(event.key) && marked()) return () => take(marked());
  return undefined;
};

// Typed by the person: what a script puts in the box opens nothing.
box.addEventListener("input", (event) => (event.isTrusted ? look() : close()));
box.addEventListener("blur", close);

// On its way to the box, before the box sends.
form.addEventListener("keydown", (event) => {
  if (event.target !== box || event.isComposing || event.keyCode === 229) return;
  if (event.ctrlKey || event.metaKey || event.altKey || event.shiftKey) return;
  const act = meaning(event);
  if (!act) return;
  event.preventDefault();
  event.stopPropagation();
  act();
}, true);

list.addEventListener("mousedown", (event) => event.preventDefault());
list.addEventListener("click", (event) => {
  const option = event.target.closest("[role=option]");
  if (option) take(option);
});
