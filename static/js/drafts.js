// Keeps what is typed or attached and not sent, of each person and conversation, through reloads and
// restarts of the browser; with its key, so that what may have been sent is still the same message.
const form = document.querySelector("[data-composer]");
if (!form) return;
const box = form.elements.text;
const attached = document.getElementById("attached");
const isBegun = form.hasAttribute("hx-ws:send");
const address = form.getAttribute("action");
const PREFIX = "draft ";
const name = `${PREFIX}${form.closest("[data-person]").dataset.person} `;
const here = name + (isBegun ? address : "new");
const MOST = 50;
const PAUSE_MS = 300;

// A browser may forbid the storage, and then even looking at it is an error.
const quietly = (work) => {
  try {
    return work();
  } catch {
    return null;
  }
};

const draftOf = (place) => quietly(() => JSON.parse(localStorage.getItem(place)));

const oldestFirst = () => Object.keys(localStorage)
  .filter((place) => place.startsWith(PREFIX) && place !== here)
  .sort((a, b) => (draftOf(a)?.at ?? 0) - (draftOf(b)?.at ?? 0));

/** Takes the place of the oldest ones, if there are too many or the storage is full. */
const store = (draft) => {
  const others = oldestFirst();
  while (others.length >= MOST) localStorage.removeItem(others.shift());
  for (;;) {
    try {
      localStorage.setItem(here, JSON.stringify(draft));
      return;
    } catch (error) {
      if (!others.length) throw error;
      localStorage.removeItem(others.shift());
    }
  }
};

const keep = (extra) => quietly(() => {
  const files = [...attached.querySelectorAll("[data-chip]")].map((chip) => chip.dataset.chip);
  if (!box.value && !files.length) localStorage.removeItem(here);
  else store({ text: box.value, files, key: form.elements.key.value, at: Date.now(), ...extra });
});

// A message that began a conversation has arrived when that conversation is shown.
if (isBegun && draftOf(`${name}new`)?.posted === address) {
  quietly(() => localStorage.removeItem(`${name}new`));
}

const draft = draftOf(here);
if (draft && [draft.text, ""].includes(box.value)) {
  box.value = draft.text;
  if (isBegun || draft.posted) form.elements.key.value = draft.key;
  if (draft.posted) form.setAttribute("action", draft.posted);
  box.dispatchEvent(new Event("input"));
  attached.dispatchEvent(new CustomEvent("wanted", { detail: draft.files ?? [] }));
}

// Only what was changed here is kept: another tab of the same conversation may have changed it too.
let isChanged = false;
let timer;
const keepChange = () => {
  if (isChanged) keep();
  isChanged = false;
};

const change = () => {
  isChanged = true;
  clearTimeout(timer);
  timer = setTimeout(keepChange, PAUSE_MS);
};
box.addEventListener("input", change);
attached.addEventListener("change", change);
document.addEventListener("visibilitychange", () => document.hidden && keepChange());
window.addEventListener("pagehide", keepChange);

// By the browser itself: a conversation that begins, or htmx was not there yet.
window.addEventListener("submit", (event) => {
  if (event.target !== form || event.defaultPrevented) return;
  clearTimeout(timer);
  isChanged = false;
  if (isBegun) quietly(() => localStorage.removeItem(here));
  else keep({ posted: form.getAttribute("action") });
});
