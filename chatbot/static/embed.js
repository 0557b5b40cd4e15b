// Builds the line to include from the choices, and shows it on the sample site.
"use strict";

(() => {
  const form = document.getElementById("choices");
  const snippet = document.getElementById("snippet");
  const sample = document.getElementById("sample");
  const here = new URL(".", location.href).href.replace(/\/$/, "");
  let widget = null;
  let waiting = 0;

  const quoted = (text) => text.replace(/&/g, "&amp;").replace(/"/g, "&quot;").replace(/</g, "&lt;");

  // What differs from what it is without being told.
  const chosen = () => {
    const fields = new FormData(form);
    const names = "lang theme accent position mode greeting suggestions helpline privacy-url persist".split(" ");
    const usual = { accent: "#0b5c6b" };
    return names.map((name) => [name, (fields.get(name) ?? "").trim()]).filter(([name, value]) => value && value !== usual[name]);
  };

  // A Space is shown at one address and answers under another.
  const answering = (address) => {
    const [, owner, name] = /^https:\/\/huggingface\.co\/spaces\/([\w.-]+)\/([\w.-]+)/.exec(address) ?? [];
    return owner ? `https://${`${owner}-${name}`.toLowerCase().replace(/[^a-z0-9]+/g, "-")}.hf.space` : address;
  };

  const write = () => {
    const service = answering((form.elements.service.value || here).trim()).replace(/\/+$/, "");
    if (!URL.canParse(service) || !/^https?:$/.test(new URL(service).protocol)) {
      snippet.textContent = "";
      document.getElementById("copied").textContent = "The address of this service is missing: one that begins with https://";
      return;
    }
    const pinned = form.elements.pinned.checked && widget;
    const attributes = chosen().map(([name, value]) => ` data-${name}="${quoted(value)}"`).join("");
    const integrity = pinned ? ` integrity="${widget.integrity}" crossorigin="anonymous"` : "";
    const file = `${quoted(service)}/${pinned ? widget.pinned : "widget.js"}`;
    snippet.textContent = `<script async src="${file}"${integrity}${attributes}></script>`;
    const { origin } = new URL(service);
    document.getElementById("policy").textContent = `script-src ${origin}; connect-src ${origin}`;
    document.getElementById("copied").textContent = "";
  };

  const show = () => {
    const wanted = `embed/clinic?${new URLSearchParams([...chosen(), ["open", ""]])}`;
    if (sample.getAttribute("src") !== wanted) {
      sample.setAttribute("src", wanted);
    }
  };

  form.addEventListener("input", () => {
    write();
    clearTimeout(waiting);
    waiting = setTimeout(show, 400);
  });
  form.addEventListener("submit", (event) => event.preventDefault());
  document.getElementById("copy").addEventListener("click", async () => {
    const copied = document.getElementById("copied");
    try {
      await navigator.clipboard.writeText(snippet.textContent);
      copied.textContent = "Copied.";
    } catch {
      getSelection().selectAllChildren(snippet);
      copied.textContent = "Marked: copy it with the keyboard.";
    }
  });

  form.elements.service.value = here;
  write();
  show();
  fetch("embed/widget.json").then((reply) => reply.json()).then((told) => {
    widget = told;
    write();
  }).catch(() => {
    form.elements.pinned.disabled = true;
  });
})();
