// Tells when the socket of the running replies is away; the table would look alive otherwise.
const banner = document.getElementById("offline");

const tell = (away) => {
  banner.hidden = !away;
  document.getElementById("running").toggleAttribute("data-stale", away);
};

// After 4401 and 4404 the notice says why, and nobody tries again.
document.addEventListener("htmx:ws:close", ({ detail }) => tell(![4401, 4404].includes(detail.code)));
document.addEventListener("htmx:ws:error", () => tell(true));
document.addEventListener("htmx:ws:after:connection", () => tell(false));
