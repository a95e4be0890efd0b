// The keyboard's place survives a swap: it goes back to the control of the same name in what came
// instead, else to the message there or next to it, else to the box. Sending leaves it in the box.
const CONTROLS = "a[href], button, input:not([type=hidden]), select, textarea, summary, [tabindex]";
const nameOf = (control) => control.dataset.after ?? control.getAttribute("aria-label") ?? control.textContent.trim();
const articles = () => [...document.querySelectorAll("#history > article, #tail > article")];

let left; // what had the focus and may lose it by the swap that is under way

document.addEventListener("htmx:before:swap", ({ detail: { tasks } }) => {
  const control = document.activeElement;
  const task = tasks.find(({ target }) => target?.contains(control));
  left = task && { control, name: nameOf(control), place: articles().indexOf(control.closest("article")), task };
});

const isFocusLost = () => [document.body, null].includes(document.activeElement);

// The article is no stop of the Tab key; it takes the focus only here.
const focusOn = (element) => {
  if (element.matches("article")) element.tabIndex = -1;
  element.focus({ preventScroll: element.matches("article") });
};

const enabled = (control) => (control?.disabled ? control.parentElement.querySelector(":enabled") : control);

const inArticle = (article, name) =>
  enabled([...article.querySelectorAll(CONTROLS)].find((control) => nameOf(control) === name)) ?? article;

const AT_OR_AFTER = Node.DOCUMENT_POSITION_FOLLOWING | Node.DOCUMENT_POSITION_CONTAINED_BY;
const nextTo = (place) =>
  [...document.querySelectorAll(CONTROLS)].find(
    (control) => place.compareDocumentPosition(control) & AT_OR_AFTER && control.checkVisibility(),
  );

const successor = ({ name, place, task }) => {
  const article = place < 0 ? undefined : articles()[Math.min(place, articles().length - 1)];
  if (article) return inArticle(article, name);
  return (task.target.isConnected && nextTo(task.target)) || document.querySelector("[data-composer] textarea");
};

document.addEventListener("htmx:after:swap", () => {
  const lost = left;
  left = undefined;
  if (!lost || !isFocusLost()) return;
  focusOn(lost.control.isConnected ? lost.control : successor(lost));
});

document.addEventListener("submit", ({ target }) => {
  if (target.matches("[data-composer]") && matchMedia("(pointer: fine)").matches) target.elements.text.focus();
});
