// Keeps what is typed or attached and not sent, of each person and conversation: for the tab through
// its reloads, and for new tabs and restarts of the browser what was typed last in any; with its key,
// so that what may have been sent is still the same message.
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

// The tab's own first: another one may have written over what they share.
const storages = [quietly(() => sessionStorage), quietly(() => localStorage)].filter(Boolean);

const draftIn = (storage, place) => quietly(() => JSON.parse(storage.getItem(place)));

const oldestFirst = (storage) => Object.keys(storage)
  .filter((place) => place.startsWith(PREFIX) && place !== here)
  .sort((a, b) => (draftIn(storage, a)?.at ?? 0) - (draftIn(storage, b)?.at ?? 0));

/** Takes the place of the oldest ones, if there are too many or the storage is full. */
const store = (storage, draft) => {
  const others = oldestFirst(storage);
  while (others.length >= MOST) storage.removeItem(others.shift());
  for (;;) {
    try {
      storage.setItem(here, JSON.stringify(draft));
      return;
    } catch (error) {
      if (!others.length) throw error;
      storage.removeItem(others.shift());
    }
  }
};

const forget = (place) => storages.forEach((storage) => storage.removeItem(place));

const keep = (extra) => {
  const files = [...attached.querySelectorAll("[data-chip]")].map((chip) => chip.dataset.chip);
  if (!box.value && !files.length) return forget(here);
  const draft = { text: box.value, files, key: form.elements.key.value, at: Date.now(), ...extra };
  for (const storage of storages) quietly(() => store(storage, draft));
};

// A message that began a conversation has arrived when that conversation is shown.
for (const storage of storages) {
  if (isBegun && draftIn(storage, `${name}new`)?.posted === address) storage.removeItem(`${name}new`);
}

const draft = storages.map((storage) => draftIn(storage, here)).find(Boolean);
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
  if (isBegun) forget(here);
  else keep({ posted: form.getAttribute("action") });
});
