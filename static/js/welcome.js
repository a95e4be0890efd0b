// An example that is clicked comes into the box, to be changed or sent; what was typed is kept.
document.addEventListener("click", (event) => {
  const example = event.target.closest("[data-example]");
  if (!example) return;
  event.preventDefault();
  const box = document.getElementById("text");
  const typed = box.value.trim();
  box.value = typed && typed !== example.value ? `${typed}\n\n${example.value}` : example.value;
  box.dispatchEvent(new Event("input", { bubbles: true }));
  box.focus();
});
