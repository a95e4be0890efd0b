// htmx lets the socket of a hidden tab go. While a reply is being written there it stays, so that
// the tab can say when the reply is ready; once it is, or the tab is seen again, all is as before.
const isWriting = () => document.querySelector('article[aria-busy="true"]') !== null;
const patient = new WeakSet();

const makePatient = (connection) => {
  const comeOrGo = connection.visibilityHandler;
  let isKept = false;

  const onVisibility = () => {
    if (document.hidden && isWriting()) {
      isKept = true;
      return;
    }
    if (isKept) {
      // It may have outlived its network, as on a phone that was asleep.
      isKept = false;
      connection.socket?.close();
      connection.socket = null;
    }
    comeOrGo();
  };

  document.removeEventListener("visibilitychange", comeOrGo);
  document.addEventListener("visibilitychange", onVisibility);
  document.addEventListener("reply:ended", () => isKept && !isWriting() && onVisibility());
  connection.visibilityHandler = onVisibility;
};

document.addEventListener("htmx:ws:after:connection", ({ detail: { connection } }) => {
  if (patient.has(connection)) return;
  patient.add(connection);
  makePatient(connection);
});
