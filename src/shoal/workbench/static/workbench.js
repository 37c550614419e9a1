// What the browser does alone: theme, keys, the line that tells, files that are dropped.
const shoal = (window.shoal = {});

shoal.tell = (text, wrong) => {
  const place = document.getElementById("told");
  const line = document.createElement("p");
  line.append(Object.assign(document.createElement("span"), { textContent: text }));
  place.replaceChildren(line);
  if (wrong) {
    line.className = "wrong";
    const close = Object.assign(document.createElement("button"), { type: "button", textContent: "Close" });
    close.onclick = () => line.remove();
    line.append(close);
  } else setTimeout(() => line.remove(), 6000);
};

const isDark = () => (document.documentElement.dataset.theme || (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light")) === "dark";
const followTheme = () => {
  window.Quasar?.Dark?.set(isDark());
  const button = document.getElementById("theme");
  if (button) button.textContent = { light: "Light", dark: "Dark" }[document.documentElement.dataset.theme] ?? "Auto";
  dispatchEvent(new CustomEvent("shoal-theme", { detail: { dark: isDark() } }));
};
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", followTheme);
const nextTheme = () => {
  const next = { undefined: "light", light: "dark", dark: undefined }[document.documentElement.dataset.theme];
  if (next) document.documentElement.dataset.theme = next;
  else delete document.documentElement.dataset.theme;
  next ? localStorage.setItem("shoal-theme", next) : localStorage.removeItem("shoal-theme");
  followTheme();
};

const writing = (element) => element.closest("input:not([type=checkbox]), textarea, select, [contenteditable]");
addEventListener("keydown", (event) => {
  if (event.altKey && !event.ctrlKey && !event.metaKey && /^[1-9]$/.test(event.key)) {
    const part = document.querySelector(`.parts a[data-key="${event.key}"]`);
    if (part) { event.preventDefault(); part.click(); }
  } else if ((event.ctrlKey || event.metaKey) && !event.shiftKey && event.key.toLowerCase() === "z" && !writing(event.target)) {
    event.preventDefault();
    document.getElementById("undo")?.click();
  } else if (event.key === "Escape") document.querySelector("#told p")?.remove();
});
addEventListener("click", (event) => {
  if (event.target.closest("#theme")) nextTheme();
  const copy = event.target.closest("[data-copy]");
  if (copy) navigator.clipboard.writeText(document.getElementById(copy.dataset.copy).textContent.trim())
    .then(() => shoal.tell("Copied."), () => shoal.tell("The browser does not let pages copy; select the text and press Ctrl+C.", true));
});

// A file goes to the server as it is, in a stream; what it answers is a sentence, or where the file lies.
shoal.send = async (file, done) => {
  shoal.tell(`Sending ${file.name} …`);
  try {
    const answer = await fetch(`api/files/${encodeURIComponent(file.name)}`, { method: "PUT", body: file });
    if (!answer.ok) return shoal.tell((await answer.json()).detail, true);
    done((await answer.json()).data);
  } catch {
    shoal.tell(`${file.name} was not taken: the file changed or is no file, or the workbench has ended.`, true);
  }
};
const LARGEST = 2e9;
const taken = (file) => {
  if (!file) return;
  if (file.size > LARGEST) return shoal.tell(`${file.name} has ${(file.size / 1e9).toPrecision(3)} GB, and at most 2 GB are taken through the browser. Put it into the working folder, and name it here.`, true);
  shoal.send(file, (data) => document.querySelector(".drop")?.dispatchEvent(new CustomEvent("file", { detail: data })));
};
for (const kind of ["dragover", "dragleave", "drop"])
  addEventListener(kind, (event) => {
    const zone = document.querySelector(".drop");
    if (!zone || !event.dataTransfer?.types.includes("Files")) return;
    event.preventDefault();
    zone.classList.toggle("over", kind === "dragover");
    if (kind === "drop") taken(event.dataTransfer.files[0]);
  });
addEventListener("change", (event) => {
  const zone = event.target.closest(".drop");
  if (zone && event.target.type === "file") { taken(event.target.files[0]); event.target.value = ""; }
});

const ready = () => (document.getElementById("theme") ? followTheme() : requestAnimationFrame(ready));
ready();

// A control shows what holds, unless something is being typed in it; a text that was refused stays.
let typing = null;
addEventListener("input", (event) => (typing = event.target));
addEventListener("change", () => (typing = null));
const show = (control, value) => { if (control && control !== typing) control.value = value; };
shoal.answer = ([name, value, taken]) => {
  const control = document.getElementById(name);
  if (taken || control?.tagName === "SELECT") show(control, value);
};
new MutationObserver((changes) => {
  for (const { target } of changes) if (target.matches("input.input")) show(target, target.getAttribute("value"));
}).observe(document, { subtree: true, attributes: true, attributeFilter: ["value"] });

// Layers are dragged to another place; keys have the arrows beside each.
let dragged = null;
addEventListener("dragstart", (event) => (dragged = event.target.closest?.("#layers li[draggable]")));
addEventListener("dragover", (event) => { if (dragged && event.target.closest("#layers")) event.preventDefault(); });
shoal.dropped = (event, emit) => {
  const over = event.target.closest("li");
  if (dragged && over && over !== dragged) emit([dragged.dataset.place, over.dataset.place]);
  dragged = null;
};

// What is made may take a while and may fail: the page says so, and the browser saves the file once it is there.
shoal.take = async (address, button) => {
  shoal.tell("It is being made …");
  button?.setAttribute("aria-busy", "true");
  try {
    const answer = await fetch(address);
    if (!answer.ok) return shoal.tell((await answer.json()).detail, true);
    const name = /filename="?([^";]+)"?/.exec(answer.headers.get("content-disposition") ?? "")?.[1] ?? "file";
    const save = Object.assign(document.createElement("a"), { href: URL.createObjectURL(await answer.blob()), download: name });
    save.click();
    setTimeout(() => URL.revokeObjectURL(save.href), 60000);
    shoal.tell(`${name} is saved where the browser keeps its downloads.`);
  } catch {
    shoal.tell("The workbench does not answer: it has ended, or the connection broke.", true);
  } finally {
    button?.removeAttribute("aria-busy");
  }
};
addEventListener("click", (event) => {
  const take = event.target.closest("[data-take]");
  if (take) { event.preventDefault(); shoal.take(take.dataset.take, take); }
});
addEventListener("file", (event) => {
  const to = event.target.dataset?.predict;
  if (to) shoal.take(`${to}${document.getElementById("f-table").value}?${new URLSearchParams({ data: event.detail })}`);
}, true);
