// Does what the sheet of shortcuts says, by the keys that stand there. Those without Ctrl, Alt or
// Esc are for the page only, never for somebody who types.
const sheet = document.getElementById("shortcuts");
if (!sheet) return;
const TYPING = "textarea, select, [contenteditable], input:not([type=checkbox], [type=radio])";
const LEADING_AWAY = ["begin", "previous", "next"];
const isMac = /Mac|iPhone|iPad/.test(navigator.platform);
const NAMES = { Escape: "Esc", ArrowUp: "↑", ArrowDown: "↓", Enter: "↵" };

const press = (control) => {
  control?.click();
  return Boolean(control);
};

const goTo = (field) => {
  if (!field?.checkVisibility()) return false;
  field.focus();
  return true;
};

const step = (by) => {
  const links = [...document.querySelectorAll(".sidebar li a")];
  const at = links.findIndex((link) => link.ariaCurrent === "page");
  return press(links[at + by]);
};

// Esc is for what is open, or for the field that one types in, first.
const isEscFree = () => {
  const { activeElement: at } = document;
  const isOther = at.matches(TYPING) && !at.matches("[data-composer] textarea");
  return !isOther && at.ariaExpanded !== "true" && !document.querySelector(":popover-open");
};

// Each returns whether this page could do it.
const DEEDS = {
  begin: () => false,
  search: () => goTo(document.querySelector("[role=search] [name=q]")),
  previous: () => step(-1),
  next: () => step(1),
  write: () => goTo(document.querySelector("[data-composer] textarea")),
  stop: () => isEscFree() && press(document.querySelector("#buttons .stop")),
  hurry: () => document.activeElement.matches("[data-composer] textarea")
    && press([...document.querySelectorAll("[data-wish=stop-and-send], #buttons .send")].find((button) => button.checkVisibility())),
  copy: () => press([...document.querySelectorAll('[data-role="assistant"] [data-copy-from]')].at(-1)),
  help: () => {
    sheet.togglePopover();
    return true;
  },
};

const leave = (page) => {
  if (page) location.assign(page);
  return Boolean(page);
};

const rows = new Map();
for (const keys of sheet.querySelectorAll("[data-keys]")) rows.set(keys.dataset.keys, keys.closest("[data-shortcut]").dataset);

// A letter of another alphabet counts as the Latin one on its key; Shift counts with letters and
// named keys, since elsewhere it belongs to the sign.
const keysOf = (event) => {
  const isForeign = /^[^\x00-\x7F]$/.test(event.key) && event.code.startsWith("Key");
  const key = isForeign ? event.code.slice(3) : (NAMES[event.key] ?? event.key);
  const isSign = event.key.length === 1 && !/[a-z]/i.test(key);
  const held = [(event.ctrlKey || event.metaKey) && "Ctrl", event.altKey && "Alt", event.shiftKey && !isSign && "Shift"];
  return [...held.filter(Boolean), key.length === 1 ? key.toUpperCase() : key].join(" ");
};

document.addEventListener("keydown", (event) => {
  if (event.defaultPrevented || event.repeat || event.isComposing || document.querySelector("dialog:modal")) return;
  const keys = keysOf(event);
  const row = rows.get(keys);
  if (!row || (keys.length === 1 && event.target.matches(TYPING))) return;
  // From a message that is edited nothing leads away; on a Mac these go from paragraph to paragraph.
  if (LEADING_AWAY.includes(row.shortcut) && event.target.closest(".edit")) return;
  if (isMac && event.altKey && event.key.startsWith("Arrow") && event.target.matches(TYPING)) return;
  if (DEEDS[row.shortcut]() || leave(row.page)) event.preventDefault();
});

if (isMac) {
  for (const key of sheet.querySelectorAll('[data-key="Ctrl"]')) key.textContent = "⌘";
}
