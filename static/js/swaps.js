// Refuses swaps that no frame or answer of ours asks for.
const MAY_SWAP = /^(history|tail|key|notice|left|buttons|queue|returned|more|links|listing|heading)$|^(message|text|reasoning|refusal|older|rest)-[0-9a-f]{8}-/;

// A page to sign in on, or to say that something broke, is no part of this one.
const isAnswer = ({ ok, status, redirected }) => !redirected && (ok || status === 422);

document.addEventListener("htmx:before:swap", (event) => {
  const { ctx, tasks } = event.detail;
  const raw = ctx?.response?.raw;
  if (raw && !isAnswer(raw)) {
    event.preventDefault();
    tasks.length = 0;
    document.dispatchEvent(new CustomEvent("request:failed", { detail: raw }));
  }
  for (let i = tasks.length - 1; i >= 0; i--) {
    if (!MAY_SWAP.test(tasks[i].target?.id ?? "")) tasks.splice(i, 1);
  }
});
