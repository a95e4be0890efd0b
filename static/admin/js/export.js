// Shows how far an export is while the browser takes its file: the row on the server is asked until
// it is over. Without this the form is a plain download.
const PAUSE_MS = 500;
const form = document.querySelector("[data-export]");
const howFar = document.querySelector("[data-how-far]");
const bar = howFar.querySelector("progress");
const status = howFar.querySelector("[role=status]");

form.addEventListener("submit", () => {
  howFar.hidden = false;
  setTimeout(() => follow(form.elements.key.value), PAUSE_MS);
});

async function follow(key) {
  const address = form.dataset.progress.replace("00000000-0000-0000-0000-000000000000", key);
  const answer = await fetch(address).catch(() => null);
  if (answer && (answer.redirected || !answer.ok)) return; // signed out, or not allowed any more
  const far = answer ? await answer.json() : { total: null };
  if (far.total !== null) show(far);
  if (far.over) form.elements.key.value = far.next;
  else setTimeout(() => follow(key), PAUSE_MS);
}

function show(far) {
  bar.max = far.total || 1;
  bar.value = far.complete ? bar.max : far.conversations;
  const said = !far.over ? "sending" : far.complete ? "complete" : "broken";
  status.textContent = howFar.dataset[said].replace(/\{(\w+)\}/g, (_, name) => far[name].toLocaleString());
}
