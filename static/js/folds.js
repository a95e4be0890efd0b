// A fold that somebody opened is open in what comes in its place.
let opened = [];

document.addEventListener("htmx:before:swap", ({ detail: { tasks } }) => {
  const places = tasks.map(({ target }) => target).filter((target) => target?.matches(".message, #tail"));
  opened = places.flatMap((place) => [...place.querySelectorAll("details[open]")]).map(({ id }) => id);
});

document.addEventListener("htmx:after:swap", () => {
  for (const id of opened.splice(0)) document.getElementById(id)?.setAttribute("open", "");
});
