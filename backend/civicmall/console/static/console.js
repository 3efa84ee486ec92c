// Comfort only; every page works without it.
"use strict";

// A filter applies as soon as it is changed.
for (const form of document.querySelectorAll("form.filter")) {
  form.addEventListener("change", () => form.requestSubmit());
}

// A form that changes something is sent once.
for (const form of document.querySelectorAll("form[method=post]")) {
  form.addEventListener("submit", () => {
    for (const button of form.querySelectorAll("button")) button.disabled = true;
  });
}
// Coming back through the browser's history, the buttons work again.
window.addEventListener("pageshow", () => {
  for (const button of document.querySelectorAll("button[disabled]")) button.disabled = false;
});

// On a narrow screen the navigation is a strip: show where we are.
document.querySelector(".side [aria-current]")?.scrollIntoView({ block: "nearest", inline: "center" });
