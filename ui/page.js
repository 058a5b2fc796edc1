// Runs once for the conversation and once for the panel; gradio gives `element`, `trigger` and `watch`.

const conversation = () => document.getElementById("cw-conversation");
const panel = () => document.getElementById("cw-panel");
const shown = () => panel().querySelector("[data-shown]")?.dataset.shown;

function markOpened() {
  for (const opener of conversation().querySelectorAll("[data-open]")) {
    if (opener.dataset.open === shown()) opener.setAttribute("aria-current", "true");
    else opener.removeAttribute("aria-current");
  }
}

// Brings the cited words into view: within the panel always, and the panel itself when it was asked for.
function reveal() {
  const box = panel().querySelector(".cw-scroll");
  const mark = panel().querySelector(".cw-focus");
  if (!box) return;
  const above = mark ? mark.getBoundingClientRect().top - box.getBoundingClientRect().top : 0;
  const room = mark ? Math.max(24, (box.clientHeight - mark.offsetHeight) / 3) : 0;
  box.scrollTop = mark ? box.scrollTop + above - room : 0;
  if (panel().dataset.asked && panel().getBoundingClientRect().top > innerHeight / 3) {
    panel().scrollIntoView({ block: "start" });
    if (mark && mark.getBoundingClientRect().bottom > innerHeight) mark.scrollIntoView({ block: "center" });
  }
  delete panel().dataset.asked;
}

function open(key) {
  panel().dataset.asked = "true";
  if (key === shown()) reveal();
  else trigger("select", JSON.parse(key));
}

function back() {
  const chip = conversation().querySelector("[aria-current]");
  chip?.scrollIntoView({ block: "center" });
  chip?.focus({ preventScroll: true });
}

async function copy(button) {
  const text = button.dataset.copy;
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    copyBySelection(text); // the clipboard is there on https and loopback only
  }
  button.textContent = "Copied";
  setTimeout(() => (button.textContent = "Copy"), 1500);
}

function copyBySelection(text) {
  const box = document.createElement("textarea");
  box.value = text;
  document.body.append(box);
  box.select();
  document.execCommand("copy");
  box.remove();
}

function ask(question) {
  trigger("submit", { question });
  document.querySelector("#cw-question textarea")?.focus();
}

element.addEventListener("click", ({ target }) => {
  const button = target.closest("button");
  if (!button) return;
  button.closest(".cw-cite")?.classList.add("cw-closed"); // its source is shown now
  if (button.dataset.open !== undefined) open(button.dataset.open);
  else if (button.dataset.ask !== undefined) ask(button.dataset.ask);
  else if (button.dataset.copy !== undefined) copy(button);
  else if (button.dataset.back !== undefined) back();
});

// A card that is in the way goes with Escape, until the citation is left.
document.addEventListener("keydown", ({ key }) => {
  if (key !== "Escape") return;
  for (const cite of element.querySelectorAll(".cw-cite:hover, .cw-cite:focus-within")) {
    cite.classList.add("cw-closed");
  }
});
for (const left of ["focusout", "mouseout"]) {
  element.addEventListener(left, ({ target }) => {
    target.closest(".cw-cite")?.classList.remove("cw-closed");
  });
}

let exchanges = 0;
watch("value", () => {
  markOpened();
  if (element.querySelector(".cw-panel")) return reveal();
  const all = element.querySelectorAll(".cw-exchange");
  if (all.length > exchanges) all[all.length - 1].scrollIntoView({ block: "start" });
  exchanges = all.length;
});
