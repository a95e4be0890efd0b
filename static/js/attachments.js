// Files that are pasted, dropped or picked are uploaded at once, one after the other, stand as chips
// in the composer, and go with the message. The server knows which of them still wait. Every change
// is an event of their list, which takes an event “wanted” with ids to show if they still wait.
const attached = document.getElementById("attached");

const begin = () => {
  const form = attached.closest("form");
  const box = form.elements.text;
  const input = form.querySelector("[data-attach]");
  const template = document.querySelector("[data-chip-template]");
  const status = document.querySelector("[data-attached-status]");
  const notice = document.getElementById("notice");
  const words = attached.dataset;
  const uploads = new WeakMap(); // chip → its file and what stops its upload

  let queue = Promise.resolve();
  let due = null; // the wish with which to send once all is there
  let sent = null; // the key, the files and the failed chips of the last message

  const ready = () => [...attached.querySelectorAll("[data-chip]")];
  const ids = () => ready().map((chip) => chip.dataset.chip);
  const isBusy = () => attached.querySelector('[data-state="busy"]') !== null;

  const tell = () => attached.dispatchEvent(new Event("change"));

  const fail = (chip, sentence, canTryAgain = false) => {
    const name = chip.querySelector(".name");
    due = null;
    chip.dataset.state = "failed";
    chip.querySelector(".state").textContent = sentence;
    chip.querySelector("[data-again]").hidden = !canTryAgain;
    name.hidden = sentence.includes(name.textContent); // the server's sentences begin with it
    status.textContent = name.hidden ? sentence : `${name.textContent}: ${sentence}`;
  };

  const post = (url, body, signal) => {
    body.append("csrfmiddlewaretoken", form.elements.csrfmiddlewaretoken.value);
    return fetch(url, { method: "POST", body, signal });
  };

  const upload = async (chip) => {
    const { file, stop } = uploads.get(chip);
    const body = new FormData();
    body.append("file", file);
    try {
      await file.slice(0, 1).arrayBuffer();
    } catch {
      return fail(chip, words.unreadable);
    }
    try {
      const answer = await post(words.add, body, stop.signal);
      const text = await answer.text();
      if (answer.redirected || answer.status === 403) fail(chip, words.signedOut, true);
      else if (answer.status === 422) fail(chip, text);
      else if (answer.status !== 201) fail(chip, words.failed, true);
      else if (chip.isConnected) {
        chip.outerHTML = text;
        status.textContent = `${file.name} ${words.done}`;
        tell();
      }
    } catch {
      if (chip.isConnected) fail(chip, words.lost, true);
    }
  };

  const start = (chip) => {
    chip.dataset.state = "busy";
    queue = queue.then(() => chip.isConnected && upload(chip)).then(() => {
      if (!due || isBusy()) return;
      const { button } = due;
      due = null;
      form.requestSubmit(button?.checkVisibility() ? button : null);
    });
  };

  const add = (files) => {
    for (const file of files) {
      const count = attached.querySelectorAll('li:not([data-state="failed"])').length;
      attached.append(template.content.cloneNode(true));
      const chip = attached.lastElementChild;
      chip.querySelector(".name").textContent = file.name;
      const removal = chip.querySelector("[data-remove]");
      removal.ariaLabel = removal.ariaLabel.replace("{name}", () => file.name);
      uploads.set(chip, { file, stop: new AbortController() });
      if (count >= Number(words.most)) fail(chip, words.tooMany);
      else if (file.size === 0) fail(chip, words.unreadable);
      else if (file.size > Number(words.mostBytes)) fail(chip, words.tooLarge);
      else start(chip);
    }
  };

  const remove = (chip, button) => {
    const near = chip.nextElementSibling ?? chip.previousElementSibling;
    uploads.get(chip)?.stop.abort();
    if (button.dataset.remove) post(button.dataset.remove, new FormData()).catch(() => {});
    status.textContent = `${chip.querySelector(".name").textContent} ${words.gone}`;
    chip.remove();
    tell();
    (near?.querySelector("[data-remove]") ?? box).focus();
  };

  // Shows those of `wanted` that still wait to be sent, and no others of them.
  const refresh = async (wanted) => {
    if (!wanted.length) return;
    const query = new URLSearchParams(wanted.map((id) => ["attachment", id]));
    const answer = await fetch(`${words.unsent}?${query}`);
    if (!answer.ok || answer.redirected) return;
    const found = document.createElement("template");
    found.innerHTML = await answer.text();
    const waiting = new Map([...found.content.children].map((chip) => [chip.dataset.chip, chip]));
    for (const chip of ready()) {
      const id = chip.dataset.chip;
      if (wanted.includes(id) && !waiting.has(id)) chip.remove();
      waiting.delete(id);
    }
    attached.append(...waiting.values());
    tell();
  };

  const take = () => {
    add([...input.files]);
    input.value = "";
  };
  input.addEventListener("change", take);
  if (input.files.length) take();

  // A picture that stands beside its text, as out of a table, is pasted as text.
  box.addEventListener("paste", (event) => {
    const { files, types } = event.clipboardData;
    if (!files.length || (types.includes("text/plain") && types.includes("text/html"))) return;
    event.preventDefault();
    add([...files]);
  });

  const hasFiles = (event) => event.dataTransfer?.types.includes("Files");
  document.addEventListener("dragover", (event) => {
    if (!hasFiles(event)) return;
    event.preventDefault();
    event.dataTransfer.dropEffect = "copy";
    form.dataset.dropping = "";
  });
  document.addEventListener("dragleave", (event) => {
    if (!event.relatedTarget) delete form.dataset.dropping;
  });
  document.addEventListener("drop", (event) => {
    if (!hasFiles(event)) return;
    event.preventDefault();
    delete form.dataset.dropping;
    add([...event.dataTransfer.files]);
    box.focus();
  });

  attached.addEventListener("click", (event) => {
    const chip = event.target.closest("li");
    const button = event.target.closest("[data-remove]");
    if (notice.textContent === words.missing) notice.replaceChildren();
    if (button) remove(chip, button);
    if (!event.target.closest("[data-again]")) return;
    chip.querySelector("[data-again]").hidden = true;
    chip.querySelector(".state").textContent = template.content.querySelector(".state").textContent;
    chip.querySelector("[data-remove]").focus();
    start(chip);
  });

  // Before anyone else hears of it: a message is sent when its files are there.
  window.addEventListener("submit", (event) => {
    if (event.target !== form) return;
    if (isBusy()) {
      event.preventDefault();
      event.stopImmediatePropagation();
      due = { button: event.submitter };
      return;
    }
    const failed = [...attached.querySelectorAll('[data-state="failed"]')];
    const again = failed.map((chip) => chip.querySelector("[data-again]")).find((button) => !button.hidden);
    if (again) {
      event.preventDefault();
      event.stopImmediatePropagation();
      notice.replaceChildren(words.missing);
      again.focus();
      return;
    }
    sent = { key: form.elements.key.value, ids: ids(), failed };
  }, true);

  document.addEventListener("htmx:after:swap", () => {
    if (!sent) return;
    const { key, ids: gone, failed } = sent;
    const isStored = form.elements.key.value !== key;
    if (!isStored && !notice.childElementCount) return;
    sent = null;
    if (isStored) {
      for (const chip of [...ready().filter((each) => gone.includes(each.dataset.chip)), ...failed]) chip.remove();
    } else refresh(ids()).catch(() => {});
    tell();
  });

  attached.addEventListener("wanted", ({ detail }) => refresh(detail).catch(() => {}));
};

if (attached) begin();
