// Comfort, not necessity: every page works without this file.
"use strict";

// A page that changes by itself is looked at again until it says that it is done. The pauses grow,
// so that a bank that never calls doesn't keep a phone busy.
function look(pauseMs) {
  const part = document.querySelector("[data-poll]");
  if (!part || pauseMs > 60000) return;
  setTimeout(async () => {
    try {
      const answer = await fetch(location.href, { headers: { accept: "text/html" } });
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      const fresh = page.getElementById("live");
      const shown = document.getElementById("live");
      if (answer.ok && fresh && shown && fresh.innerHTML !== shown.innerHTML) {
        shown.replaceWith(fresh);
        const state = document.getElementById("heard");
        if (state && fresh.dataset.state) state.textContent = fresh.dataset.state;
      }
    } catch {
      // Offline for a moment: the next look tells.
    }
    look(pauseMs * 1.3);
  }, pauseMs);
}
look(800);

// What the ticked bills come to. Amounts are fen; the server reckons anew in any case.
for (const form of document.querySelectorAll("form[data-sum]")) {
  const out = form.querySelector("output");
  const button = form.querySelector("button");
  const add = () => {
    const ticked = [...form.querySelectorAll("input[name=charge]:checked")];
    const fen = ticked.reduce((sum, box) => sum + Number(box.dataset.amount), 0);
    const yuan = (fen / 100).toLocaleString("en-US", { minimumFractionDigits: 2 });
    out.textContent = out.dataset.words.replace("{n}", ticked.length).replace("{amount}", yuan);
    button.disabled = ticked.length === 0;
  };
  form.addEventListener("change", add);
  add();
}

// When another code may be asked for.
const again = document.querySelector("button[data-wait]");
if (again && Number(again.dataset.wait) > 0) {
  const words = again.textContent;
  let left = Number(again.dataset.wait);
  again.disabled = true;
  const tick = setInterval(() => {
    left -= 1;
    again.disabled = left > 0;
    again.textContent = left > 0 ? `${words} (${left})` : words;
    if (left <= 0) clearInterval(tick);
  }, 1000);
}

// Copying, where the browser lets us.
for (const button of document.querySelectorAll("button[data-copy]")) {
  if (!navigator.clipboard) break;
  button.hidden = false;
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(button.dataset.copy);
    button.textContent = button.dataset.done;
  });
}

// One order from one tap, however impatient: the form goes once.
for (const form of document.querySelectorAll("form[method=post]")) {
  form.addEventListener("submit", (event) => {
    if (form.dataset.sent) event.preventDefault();
    form.dataset.sent = "1";
  });
}
window.addEventListener("pageshow", () => {
  for (const form of document.querySelectorAll("form[data-sent]")) delete form.dataset.sent;
});

// Printing.
for (const button of document.querySelectorAll("button[data-print]")) {
  button.hidden = false;
  button.addEventListener("click", () => window.print());
}
