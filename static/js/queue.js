// Puts a message that is taken out of the queue back into the composer, its text before what stands
// there, its files behind; the keyboard follows. Only then does the server let go of it.
const form = document.querySelector("[data-composer]");
if (!form) return;
const box = form.elements.text;
const taken = new Set();
let connection;

const place = (returned) => {
  box.dispatchEvent(new CustomEvent("returned", { detail: returned.querySelector("[data-text]").textContent }));
  const attached = document.getElementById("attached");
  attached.append(...returned.querySelectorAll("[data-chip]"));
  attached.dispatchEvent(new Event("change"));
};

document.addEventListener("htmx:ws:after:connection", ({ detail }) => { connection = detail.connection; });

document.addEventListener("htmx:after:swap", () => {
  const returned = document.querySelector("[data-returned]");
  if (!returned?.childElementCount) return;
  const { queued } = returned.querySelector("[data-text]").dataset;
  connection.socket?.send(JSON.stringify({ action: "unqueue", queued, placed: true }));
  if (!taken.has(queued)) place(returned);
  taken.add(queued);
  returned.replaceChildren();
});

// The button that was pressed goes away with its message.
document.addEventListener("submit", (event) => event.target.matches("[data-queue]") && box.focus());
