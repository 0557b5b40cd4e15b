// Ask IOP on any website: one file, no request but to the service that it comes from.
//
//   <script async src="https://ask.example/widget.js"></script>            a button at the edge of the page
//   <ask-iop mode="inline"></ask-iop> and the same line                    the questions in the page itself
//
// Attributes of <ask-iop>, and of the script with "data-" in front: api, lang, theme (auto, light, dark), accent
// (a colour), position (end, start, left, right), mode (launcher, inline), greeting, suggestions ("A? | B?" or
// "none"), helpline ("Emergency: 911; Crisis line: 988, text 988"), privacy-url, exit-url, persist (memory,
// session), open, strings (JSON over the catalogue below), events (none, status, text: what events tell).
// Methods: open(), close(), ask(question), clear(). Events: ask-iop-open, -close, -ask, -answer, -clear.
//
// All text goes in as text, never as markup, and all style through a constructed sheet, so that it runs under
// "require-trusted-types-for 'script'" and without 'unsafe-inline'.
"use strict";

(() => {
  if (customElements.get("ask-iop")) {
    return;
  }
  const script = document.currentScript;
  const HOME = script?.src ? new URL(".", script.src).href : `${location.origin}/`;

  // --- words ---

  const STRINGS = {
    en: {
      title: "Ask a question",
      intro: "Answers in the words of published articles, each with its source.",
      notice: "This is a program, not a person, and gives no medical advice.",
      unkept: "Your questions are not stored.",
      kept: "Your questions are stored for a time, most names removed.",
      privacy: "Privacy",
      greeting: "Ask in your own words, or start with one of these:",
      helpline: "Emergency: 911; Crisis line: 988, text 988",
      calls: "Whom to call",
      call: "Call {0}",
      text: "Text {0}",
      chat: "Chat online",
      open: "Open {0}.",
      label: "Your question",
      send: "Ask",
      close: "Close",
      clear: "Clear",
      exit: "Quick exit",
      log: "Conversation",
      asked: "You asked:",
      next: "You could also ask",
      working: "Looking it up…",
      slow: "This takes longer than usual.",
      above: "The numbers above work right now.",
      unreachable: "The service can't be reached.",
      failed: "Something went wrong, and there is no answer.",
      again: "You can try again, or call:",
      busy: "Too many questions are coming in. You can try again in {0} seconds, or call right now:",
      retry: "Try again",
      cleared: "The conversation is cleared.",
      copy: "Copy",
      copied: "Copied.",
      source: "Source {0}",
      from: "From",
      retold: "Retold from",
      section: "section “{0}”",
      read: "Read it at the source",
      tab: "opens in a new tab",
      up: "This helped",
      down: "This did not help",
      why: "What is wrong?",
      optional: "choose, if you like",
      wrong: "It is wrong",
      outdated: "It is out of date",
      missing: "Something is missing",
      unclear: "It is hard to understand",
      other: "Something else",
      comment: "Comment (optional, stored)",
      include: "Store my question along with it",
      submit: "Send",
      cancel: "Cancel",
      thanks: "Thank you.",
      sources_differ: "The articles differ",
      partly_answered: "The articles give part of an answer",
      not_covered: "Not in the articles",
      crisis: "Please get help now",
      medical_advice: "A question for a health professional",
      invalid: "That could not be read",
      none: "No answer this time",
    },
    es: {
      title: "Haga una pregunta",
      intro: "Respuestas con las palabras de artículos publicados (en inglés), cada una con su fuente.",
      notice: "Esto es un programa, no una persona, y no da consejos médicos.",
      unkept: "Sus preguntas no se guardan.",
      kept: "Sus preguntas se guardan un tiempo, casi sin nombres.",
      privacy: "Privacidad",
      greeting: "Pregunte en inglés con sus propias palabras, o empiece con una de estas:",
      helpline: "Emergencia: 911; Línea de crisis (oprima 2): 988, text 988",
      calls: "A quién llamar",
      call: "Llamar al {0}",
      text: "Mensaje al {0}",
      chat: "Chat en línea",
      open: "Horario: {0}.",
      label: "Su pregunta",
      send: "Preguntar",
      close: "Cerrar",
      clear: "Borrar",
      exit: "Salir ya",
      log: "Conversación",
      asked: "Usted preguntó:",
      next: "También puede preguntar",
      working: "Buscando…",
      slow: "Tarda más de lo normal.",
      above: "Los números de arriba funcionan ahora mismo.",
      unreachable: "No se puede conectar con el servicio.",
      failed: "Algo falló y no hay respuesta.",
      again: "Intente de nuevo o llame:",
      busy: "Llegan demasiadas preguntas. Intente de nuevo en {0} segundos, o llame ahora mismo:",
      retry: "Intentar de nuevo",
      cleared: "La conversación se borró.",
      copy: "Copiar",
      copied: "Copiado.",
      source: "Fuente {0}",
      from: "De",
      retold: "Adaptado de",
      section: "sección «{0}»",
      read: "Leerlo en la fuente",
      tab: "se abre en otra pestaña",
      up: "Me ayudó",
      down: "No me ayudó",
      why: "¿Qué está mal?",
      optional: "elija, si quiere",
      wrong: "Es incorrecto",
      outdated: "No está al día",
      missing: "Falta algo",
      unclear: "Es difícil de entender",
      other: "Otra cosa",
      comment: "Comentario (opcional, se guarda)",
      include: "Guardar también mi pregunta",
      submit: "Enviar",
      cancel: "Cancelar",
      thanks: "Gracias.",
      sources_differ: "Los artículos no coinciden",
      partly_answered: "Los artículos responden solo en parte",
      not_covered: "No está en los artículos",
      crisis: "Busque ayuda ahora, por favor",
      medical_advice: "Una pregunta para un profesional de la salud",
      invalid: "Eso no se pudo leer",
      none: "Esta vez no hay respuesta",
    },
  };
  const LIBRARY = "en"; // the language of the articles, and of what the service says
  const RIGHT_TO_LEFT = /^(ar|arc|ckb|dv|fa|he|ku-arab|ps|sd|ug|ur|yi)\b/i;
  const REASONS = ["wrong", "outdated", "missing", "unclear", "other"];

  // --- limits ---

  const SOON = 400; // ms without a word: most answers are there before
  const LATE = 5000; // ms until it says that this is slow
  const TOO_LATE = 30000; // ms until it gives up
  const TURNS = 12; // messages that go along with the next question
  const EXCHANGES = 40; // questions and answers that stay on the screen

  // --- style ---

  // Only !important inside wins against the page's.
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(`
:host { all: initial; display: block; }
:host(:not([mode="inline"])) { all: initial !important; display: block !important; }
:host([hidden]) { display: none !important; }
.root {
  --paper: #f6f8f8; --card: #fff; --ink: #17282c; --muted: #48595d; --line: #d5dfdf; --edge: #71858a;
  --accent: #0b5c6b; --on-accent: #fff; --soft: #e4f0f1; --alert: #98201a; --alert-soft: #fdf0ee; --note: #6a4a00;
  all: initial; display: block; color: var(--ink); color-scheme: light;
  font: medium/1.5 system-ui, -apple-system, "Segoe UI", sans-serif; text-align: start; overflow-wrap: anywhere;
  -webkit-text-size-adjust: 100%;
}
.root.dark {
  --paper: #10181a; --card: #192326; --ink: #e6eeee; --muted: #a9b9bb; --line: #2d3b3f; --edge: #73868a;
  --accent: #86d3de; --on-accent: #06262c; --soft: #1d3237; --alert: #ffb4ab; --alert-soft: #3a1c1a; --note: #f0d48a;
  color-scheme: dark;
}
*, ::before, ::after { box-sizing: border-box; }
h2, h3, h4, p, ul, blockquote { margin: 0; padding: 0; font: inherit; }
ul { list-style: none; }
[hidden], dialog:not([open]) { display: none !important; }
button, textarea, input, select { margin: 0; color: inherit; font: inherit; letter-spacing: inherit; }
button { border: 1px solid transparent; background: none; cursor: pointer; touch-action: manipulation; }
svg { display: block; flex: none; }
a { color: var(--accent); }
:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; }
:focus:not(:focus-visible) { outline: none; }
.unseen { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }

.launcher {
  position: fixed; z-index: 2147483646;
  inset-block-end: max(1em, env(safe-area-inset-bottom)); inset-inline-end: max(1em, env(safe-area-inset-right));
  display: flex; align-items: center; gap: .5em; min-height: 3.25em; padding: .5em 1.25em; max-width: calc(100vw - 2em);
  border-radius: 2em; background: var(--accent); color: var(--on-accent); font-weight: 600;
  box-shadow: 0 2px 10px #0004; outline-color: var(--ink);
}
.panel {
  display: flex; flex-direction: column; margin: 0; padding: 0; max-width: none; max-height: none;
  border: 1px solid var(--edge); border-radius: 1em; overflow: hidden; background: var(--paper); color: var(--ink);
}
dialog.panel {
  position: fixed; z-index: 2147483647; inset: auto; inset-block-end: 5.25em; inset-inline-end: 1em;
  inline-size: min(26em, 100vw - 2em); block-size: min(42em, 100dvh - 6.25em); box-shadow: 0 8px 40px #0005;
}
.start .launcher { inset-inline: max(1em, env(safe-area-inset-left)) auto; }
.start dialog.panel { inset-inline: 1em auto; }
.phone dialog.panel {
  inset: var(--top, 0) 0 auto; inline-size: 100%; block-size: var(--height, 100dvh); border: 0; border-radius: 0; overflow: hidden auto;
  padding: env(safe-area-inset-top) env(safe-area-inset-right) env(safe-area-inset-bottom) env(safe-area-inset-left);
  box-shadow: none;
}
section.panel { max-block-size: 44em; min-block-size: 22em; }
dialog::backdrop { background: none; }

header { display: flex; align-items: center; gap: .25em; padding: .5em .5em .5em 1em; }
h2 { flex: 1 1 0; font-size: 1.125em; font-weight: 700; line-height: 1.3; }
.plain { min-height: 2.25em; min-width: 2.25em; padding: .25em .5em; border-radius: .5em; color: var(--accent);
  font-size: .9375em; }
.plain:hover, .option:hover, .cite:hover { background: var(--soft); }
.exit { border-color: var(--edge); }
.calls { border-block: 1px solid var(--line); background: var(--card); padding: .125em 1em; }
.calls ul { display: flex; flex-wrap: wrap; gap: 0 1.125em; }
.calls a { display: inline-block; padding: .375em 0; font-size: .9375em; text-decoration: none; white-space: nowrap; }
.calls a + a { margin-inline-start: .75em; }
.calls a:hover { text-decoration: underline; }
.scroll { flex: 1 1 0; min-block-size: 6em; overflow: hidden auto; overscroll-behavior: contain; padding: 1em;
  outline-offset: -3px; }
section .scroll { flex-basis: auto; }
.intro { margin-block-end: 1em; color: var(--muted); font-size: .9375em; }
.intro p + p { margin-block-start: .375em; }

.question { margin: 1.25em 0 .625em; padding: .5em .875em; border-radius: .625em; background: var(--soft);
  font-weight: 600; white-space: pre-wrap; }
.answer { padding: .875em 1em; border: 1px solid var(--line); border-radius: .75em; background: var(--card); }
.answer > p, .answer > ul { margin-block-end: .75em; }
.answer > :last-child { margin-block-end: 0; }
.list { padding-inline-start: 1.25em; list-style: disc; }
.kind { margin-block-end: .5em; font-weight: 700; }
.sources_differ, .partly_answered, .medical_advice { border-inline-start: 4px solid var(--note); }
.not_covered, .invalid, .failed { border-style: dashed; border-color: var(--edge); background: var(--paper); }
.crisis { border: 2px solid var(--alert); background: var(--alert-soft); }
.crisis .kind { color: var(--alert); font-size: 1.1875em; }
.cite { display: inline-flex; align-items: center; justify-content: center; min-width: 24px; min-height: 24px;
  margin-inline: .125em; padding: 0 .25em; border: 1px solid var(--edge); border-radius: .5em; color: var(--accent);
  font-size: .8125em; font-weight: 600; line-height: 1; vertical-align: baseline; }
.cite[aria-expanded="true"] { background: var(--accent); color: var(--on-accent); }
.source { margin: 0 0 .875em; padding: .625em .875em; border-inline-start: 3px solid var(--accent);
  background: var(--paper); font-size: .9375em; }
.source > * + * { margin-block-start: .375em; }
.source blockquote { white-space: pre-line; }
.source cite { font-style: normal; font-weight: 600; }
.details { display: block; color: var(--muted); font-size: .9375em; }
.crisis .details { color: var(--ink); }
.lines li { padding: .375em 0; }
.ways { display: flex; flex-wrap: wrap; gap: .5em; margin-block: .25em; }
.ways a { padding: .375em .625em; border: 1px solid var(--edge); border-radius: .5em; font-weight: 600;
  text-decoration: none; }
.crisis .ways a { border-color: var(--alert); background: var(--alert); color: var(--alert-soft); }
.tools { display: flex; flex-wrap: wrap; gap: .25em; margin: .25em -.5em -.25em; }
.tools .plain { display: inline-flex; align-items: center; gap: .375em; }
.opinion { display: grid; gap: .5em; margin-block-start: .5em; padding-block-start: .75em;
  border-block-start: 1px solid var(--line); }
.opinion label { display: grid; gap: .125em; font-size: .9375em; }
.opinion .check { display: flex; align-items: center; gap: .5em; }
.check input { inline-size: 24px; block-size: 24px; flex: none; accent-color: var(--accent); }
.row { display: flex; flex-wrap: wrap; gap: .5em; }
.options { display: flex; flex-wrap: wrap; gap: .5em; margin-block-start: .5em; }
.option { min-height: 2.5em; padding: .375em .875em; border-color: var(--edge); border-radius: 1.25em;
  background: var(--card); color: var(--accent); font-size: .9375em; text-align: start; }
.next { margin-block-start: 1em; font-size: .9375em; color: var(--muted); }

.status:empty { padding: 0; }
.status { padding: .375em 1em; color: var(--muted); font-size: .9375em; }
.composer { position: relative; display: flex; align-items: flex-end; gap: .5em; padding: .625em 1em .875em;
  border-block-start: 1px solid var(--line); }
.composer label { flex: 1 1 0; min-width: 0; font-size: .9375em; font-weight: 600; }
textarea, input[type="text"], select { display: block; inline-size: 100%; min-height: 2.75em; padding: .5em .75em;
  border: 1px solid var(--edge); border-radius: .5em; background: var(--card); color: var(--ink);
  font-size: max(16px, 1em); font-weight: 400; }
.clear { position: absolute; inset-block-start: .5em; inset-inline-end: .5em; min-height: 24px; padding-block: 0; }
.composer textarea { margin-block-start: .25em; max-block-size: 8em; resize: none; field-sizing: content; }
.primary { min-height: 2.75em; padding: .375em 1.125em; border-radius: .5em; background: var(--accent);
  color: var(--on-accent); font-weight: 600; }
.primary[aria-disabled="true"] { opacity: .6; cursor: progress; }
@media (forced-colors: active) {
  button, .question, .crisis .ways a { border: 1px solid; }
  .cite[aria-expanded="true"] { outline: 2px solid; }
}
@media (prefers-reduced-motion: reduce) { * { animation: none !important; transition: none !important; } }
@media print { dialog.panel, .launcher { display: none; } }
`);

  // --- small things ---

  const SVG = "http://www.w3.org/2000/svg";
  const ICONS = {
    ask: "M4 5h16v11H10l-4 4v-4H4z",
    close: "M6 6l12 12M18 6L6 18",
    up: "M4 11h4v9H4zM8 12l4-8c2 0 3 1 3 3l-1 3h5c1 0 2 1 1.700 2.200l-1.700 6.300c-.2.900-1 1.500-2 1.500H8",
    down: "M4 13h4V4H4zM8 12l4 8c2 0 3-1 3-3l-1-3h5c1 0 2-1 1.700-2.200L19 5.500c-.2-.9-1-1.500-2-1.500H8",
    copy: "M9 8h10v12H9zM15 8V4H5v12h4",
  };

  // An element; functions are listeners, strings text.
  const make = (tag, attributes = {}, ...children) => {
    const element = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) {
      if (typeof value === "function") {
        element.addEventListener(name, value);
      } else if (value !== false && value !== null && value !== undefined) {
        element.setAttribute(name, value === true ? "" : value);
      }
    }
    element.append(...children.filter((child) => child || child === 0));
    return element;
  };

  const icon = (name) => {
    const drawing = document.createElementNS(SVG, "svg");
    const line = document.createElementNS(SVG, "path");
    const look = { viewBox: "0 0 24 24", width: "1.25em", height: "1.25em", fill: "none", stroke: "currentColor" };
    for (const [key, value] of Object.entries({ ...look, "stroke-width": 2, "stroke-linejoin": "round" })) {
      drawing.setAttribute(key, value);
    }
    drawing.setAttribute("aria-hidden", "true");
    line.setAttribute("d", ICONS[name]);
    drawing.append(line);
    return drawing;
  };

  const fill = (text, value) => text.replace("{0}", value);
  // Letters as on telephone keys; no extension.
  const digits = (number) => number.toUpperCase().replace(/(X|EXT)[. ]*\d+$/, "")
    .replace(/[A-Z]/g, (key) => "22233344455566677778889999"[key.charCodeAt() - 65]).replace(/[^\d+]/g, "");
  const isWeb = (address) => /^https?:\/\//i.test(address ?? "");

  // Opens the source at the heading, an original without one at the quote. There "-", "," and "&" have a meaning.
  const sourceLink = ({ url, section, quote, edition }) => {
    const target = section || (edition === "original" ? quote.split(/\s+/).slice(0, 6).join(" ") : "");
    const encoded = encodeURIComponent(target).replace(/-/g, "%2D");
    return target ? `${url.split("#")[0]}#:~:text=${encoded}` : url;
  };

  const linear = (value) => (value <= 10.31475 ? value / 3294.6 : ((value / 255 + 0.055) / 1.055) ** 2.4);
  const luminance = ([r, g, b]) => 0.2126 * linear(r) + 0.7152 * linear(g) + 0.0722 * linear(b);
  const contrast = (one, other) => {
    const [dark, light] = [luminance(one), luminance(other)].sort((a, b) => a - b);
    return (light + 0.05) / (dark + 0.05);
  };

  const onPhone = matchMedia("(max-width: 480px), (max-height: 480px)");
  const inDark = matchMedia("(prefers-color-scheme: dark)");

  // --- the element ---

  class AskIop extends HTMLElement {
    static observedAttributes = [
      ..."lang dir theme accent position mode greeting suggestions helpline privacy-url strings".split(" "),
    ];

    #talk = []; // what was said: {question, answer}
    #starters = null; // suggestions of the service, once it has told them
    #keeps = false;
    #shown = false;
    #request = null; // what is being asked: {stop}
    #count = 0; // of sources, for their ids
    #before = null; // what had the focus when the panel opened
    #parts = {};
    #again = false;

    constructor() {
      super();
      this.attachShadow({ mode: "open" }).adoptedStyleSheets = [sheet];
    }

    connectedCallback() {
      onPhone.addEventListener("change", this.#adapt);
      inDark.addEventListener("change", this.#adapt);
      window.visualViewport?.addEventListener("resize", this.#fit);
      window.visualViewport?.addEventListener("scroll", this.#fit);
      const kept = this.#recall();
      this.#talk = kept?.talk ?? this.#talk;
      this.#shown = false;
      this.#build();
      // On a phone it would cover the page before anybody has seen that.
      if (this.#inline) {
        this.#load();
      } else if ((this.hasAttribute("open") || kept?.shown) && !onPhone.matches) {
        this.#show(false);
      }
    }

    disconnectedCallback() {
      onPhone.removeEventListener("change", this.#adapt);
      inDark.removeEventListener("change", this.#adapt);
      window.visualViewport?.removeEventListener("resize", this.#fit);
      window.visualViewport?.removeEventListener("scroll", this.#fit);
      this.#request?.stop();
    }

    attributeChangedCallback() {
      if (this.#parts.root && !this.#again) {
        this.#again = true;
        queueMicrotask(() => {
          this.#again = false;
          this.#rebuild();
        });
      }
    }

    open() {
      if (this.#inline) {
        this.#parts.box.focus();
      } else if (!this.#shown) {
        this.#show(true);
      }
    }

    close() {
      if (!this.#shown) {
        return;
      }
      const { panel, launcher } = this.#parts;
      const back = this.#before?.isConnected && this.#before !== this ? this.#before : launcher;
      this.#shown = false;
      panel.close();
      launcher.setAttribute("aria-expanded", "false");
      back.focus({ preventScroll: true });
      this.#remember();
      this.#emit("close");
    }

    ask(question) {
      this.open();
      return this.#ask(String(question ?? ""));
    }

    clear() {
      this.#request?.stop();
      this.#talk = [];
      this.#parts.log.replaceChildren();
      this.#parts.box.value = "";
      this.#greet();
      this.#remember();
      this.#say(this.#words.cleared);
      this.#emit("clear");
    }

    get #inline() {
      return this.getAttribute("mode") === "inline";
    }

    get #service() {
      return (this.getAttribute("api") || HOME).replace(/\/*$/, "/");
    }

    get #language() {
      const wanted = this.getAttribute("lang") || document.documentElement.lang || "en";
      return wanted.split("-")[0].toLowerCase() in STRINGS || this.hasAttribute("strings") ? wanted : "en";
    }

    #choose() {
      this.#words = { ...STRINGS.en, ...STRINGS[this.#language.split("-")[0].toLowerCase()] };
      try {
        Object.assign(this.#words, JSON.parse(this.getAttribute("strings") || "{}"));
      } catch {
        console.warn("ask-iop: the attribute strings is not JSON");
      }
    }
    #words = STRINGS.en;

    // Events say that something happened; what, only where the site asks.
    #emit(name, status, text) {
      const wanted = this.getAttribute("events");
      const detail = { ...(/status|text/.test(wanted) && status ? { status } : {}), ...(wanted === "text" ? text : {}) };
      this.dispatchEvent(new CustomEvent(`ask-iop-${name}`, { bubbles: true, composed: true, detail }));
    }

    // --- what is kept ---

    get #key() {
      return this.getAttribute("persist") === "session" ? `ask-iop ${this.#service}` : null;
    }

    #remember() {
      try {
        if (this.#key && this.#talk.length) {
          sessionStorage.setItem(this.#key, JSON.stringify({ talk: this.#talk, shown: this.#shown }));
        } else if (this.#key) {
          sessionStorage.removeItem(this.#key);
        }
      } catch {
        // Storage is denied or full: then it is kept in memory only.
      }
    }

    #recall() {
      try {
        return this.#key ? JSON.parse(sessionStorage.getItem(this.#key)) : null;
      } catch {
        return null;
      }
    }

    // --- what is there ---

    #build() {
      this.#choose();
      const t = this.#words;
      const parts = (this.#parts = {});
      parts.title = make("h2", { id: "title", tabindex: -1 }, t.title);
      // The log is in the document before anything is said in it: only then is that read out.
      parts.log = make("div", { role: "log", "aria-label": t.log, "aria-live": "off", "aria-relevant": "additions" });
      parts.starters = make("div");
      parts.next = make("div");
      parts.scroll = make("div", { class: "scroll", tabindex: 0, role: "group", "aria-label": t.log },
        this.#intro(), parts.starters, parts.log, parts.next);
      parts.status = make("p", { class: "status", role: "status" });
      parts.panel = make(this.#inline ? "section" : "dialog",
        { class: "panel", id: "panel", "aria-labelledby": "title" },
        this.#header(), this.#calls(), parts.scroll, parts.status, this.#composer());
      if (!this.#inline) {
        parts.launcher = make("button", {
          class: "launcher", type: "button", "aria-expanded": "false", "aria-controls": "panel",
          click: () => (this.#shown ? this.close() : this.open()),
        }, icon("ask"), make("span", {}, t.title));
        parts.panel.addEventListener("cancel", (event) => (event.preventDefault(), this.#escape()));
        parts.panel.addEventListener("close", () => parts.panel.open || this.close());
      }
      parts.root = make("div", { class: "root", lang: this.#language, dir: this.#direction() },
        parts.launcher, parts.panel);
      this.#shield(parts.root);
      this.shadowRoot.replaceChildren(parts.root);
      this.#paint();
      for (const said of this.#talk) {
        this.#put(said);
      }
      this.#greet();
      setTimeout(() => parts.log.setAttribute("aria-live", "polite"), 500); // what is already said is not news
    }

    // A page's own short cuts must not take a letter out of a question, nor its listeners collect it.
    #shield(root) {
      for (const name of "keydown keypress keyup beforeinput input change paste copy cut".split(" ")) {
        root.addEventListener(name, (event) => event.stopPropagation());
      }
      root.addEventListener("keydown", (event) => {
        if (event.key === "Escape" && !event.isComposing && !event.defaultPrevented) {
          event.preventDefault();
          this.#escape();
        }
      });
    }

    #direction() {
      return this.getAttribute("dir") || (RIGHT_TO_LEFT.test(this.#language) ? "rtl" : "ltr");
    }

    #intro() {
      const t = this.#words;
      const address = this.getAttribute("privacy-url");
      const privacy = isWeb(address) && this.#outward(address, t.privacy);
      return make("div", { class: "intro" }, make("p", {}, t.intro), make("p", {}, t.notice, " ", (this.#parts.kept = make("span")), " ", privacy));
    }

    #header() {
      const t = this.#words;
      const button = (text, act, kind = "") => make("button", { class: `plain ${kind}`, type: "button", click: act }, text);
      const close = !this.#inline && button(icon("close"), () => this.close());
      if (close) {
        close.setAttribute("aria-label", t.close);
      }
      return make("header", {}, this.#parts.title, button(t.exit, () => this.#exit(), "exit"), close);
    }

    // Whom to call: written here, so that it is there when nothing else is.
    #lines() {
      const read = (written) => (written ?? "").split(";")
        .map((line) => /^(.*?):\s*([^,]*\d[^,]*?)\s*(?:,\s*text\s+(.+?)\s*)?$/.exec(line.trim()))
        .filter(Boolean).map(([, name, phone, sms]) => ({ name, phone, sms }));
      const own = read(this.getAttribute("helpline"));
      return own.length ? own : read(this.#words.helpline); // a slip must not leave the line empty
    }

    #calls() {
      const rows = this.#lines().map(({ name, phone, sms }) => make("li", {},
        make("a", { href: `tel:${digits(phone)}` }, `${name} `, make("b", {}, phone)),
        sms && make("a", { href: `sms:${digits(sms)}` }, fill(this.#words.text, sms))));
      return make("nav", { class: "calls", "aria-label": this.#words.calls }, make("ul", {}, ...rows));
    }

    #composer() {
      const t = this.#words;
      // A browser's spelling service and its memory of forms would pass the question on or keep it.
      const box = make("textarea", {
        rows: 1, maxlength: 4000, autocomplete: "off", autocorrect: "off", spellcheck: "false", enterkeyhint: "send",
        keydown: (event) => {
          if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
            event.preventDefault();
            form.requestSubmit();
          }
        },
      });
      const send = make("button", { class: "primary", type: "submit" }, t.send);
      const form = make("form", {
        class: "composer",
        submit: (event) => {
          event.preventDefault();
          if (!this.#request && box.value.trim()) {
            const question = box.value;
            box.value = "";
            this.#ask(question, onPhone.matches); // without the keyboard there is room for the answer
          }
        },
      }, make("label", {}, t.label, box), send,
      make("button", { class: "plain clear", type: "button", click: () => this.clear() }, t.clear));
      Object.assign(this.#parts, { box, send });
      return form;
    }

    #outward(address, text) {
      const note = make("span", { class: "unseen" }, ` (${this.#words.tab})`);
      return make("a", { href: address, target: "_blank", rel: "noopener noreferrer" }, text, note);
    }

    #options(questions) {
      return make("div", { class: "options", lang: LIBRARY }, ...questions.map((question) =>
        make("button", { class: "option", type: "button", click: () => this.#ask(question, true) }, question)));
    }

    // What stands there before the first question.
    #greet() {
      const { starters, next, kept } = this.#parts;
      kept.textContent = this.#starters && this.#words[this.#keeps ? "kept" : "unkept"];
      const written = this.getAttribute("suggestions");
      const questions = written === "none" ? [] : written?.split("|").map((one) => one.trim()).filter(Boolean);
      const given = (questions ?? this.#starters ?? []).slice(0, 6);
      starters.replaceChildren();
      if (this.#talk.length) {
        return;
      }
      next.replaceChildren();
      const greeting = this.getAttribute("greeting") || (given.length ? this.#words.greeting : "");
      starters.append(...(greeting ? [make("p", {}, greeting)] : []), ...(given.length ? [this.#options(given)] : []));
    }

    #paint() {
      const { root } = this.#parts;
      const theme = this.getAttribute("theme");
      const dark = theme === "dark" || (theme !== "light" && inDark.matches);
      const physical = { left: root.dir !== "rtl", right: root.dir === "rtl" };
      const position = this.getAttribute("position") ?? "end";
      root.classList.toggle("dark", dark);
      root.classList.toggle("phone", onPhone.matches && !this.#inline);
      root.classList.toggle("start", physical[position] ?? position === "start");
      this.#tint(dark);
    }

    // A site's colour, darkened or lightened until it can be read.
    #tint(dark) {
      const { root } = this.#parts;
      const ground = dark ? [29, 50, 55] : [228, 240, 241];
      root.style.setProperty("color", this.getAttribute("accent") || "");
      const written = root.style.color && /^rgba?\((\d+), (\d+), (\d+)/.exec(getComputedStyle(root).color);
      root.style.removeProperty("color");
      if (written) {
        let colour = written.slice(1, 4).map(Number);
        for (let step = 0; step < 40 && contrast(colour, ground) < 4.6; step += 1) {
          colour = colour.map((value) => Math.round(value + ((dark ? 255 : 0) - value) * 0.08));
        }
        const on = contrast(colour, [255, 255, 255]) >= contrast(colour, [6, 22, 26]) ? "#fff" : "#06161a";
        root.style.setProperty("--accent", `rgb(${colour})`);
        root.style.setProperty("--on-accent", on);
      }
    }

    // The screen or its colours have changed.
    #adapt = () => {
      this.#paint();
      if (this.#shown) {
        const focused = this.shadowRoot.activeElement;
        this.#parts.panel.close();
        this.#unfold();
        focused?.focus({ preventScroll: true });
      }
    };

    // An attribute has changed: all is built anew from what was said.
    #rebuild() {
      const { box, panel } = this.#parts;
      const typed = box.value || this.#request?.question || "";
      const focused = this.shadowRoot.activeElement === box;
      const open = this.#shown && panel.localName === "dialog";
      this.#request?.stop();
      this.#shown = open && !this.#inline;
      this.#build();
      this.#parts.box.value = typed;
      if (this.#shown) {
        this.#unfold();
      }
      if (focused) {
        this.#parts.box.focus({ preventScroll: true });
      }
      this.#load();
    }

    // --- opening and closing ---

    #show(focus) {
      const { title, box, scroll } = this.#parts;
      this.#before = focus ? document.activeElement : this.#before;
      this.#shown = true;
      this.#unfold();
      if (focus) {
        (onPhone.matches ? title : box).focus(); // on a phone the keyboard would hide what there is to read
      }
      scroll.scrollTop = this.#talk.length ? scroll.scrollHeight : 0;
      this.#load();
      this.#remember();
      this.#emit("open");
    }

    // The panel over the whole of a phone, beside the page on a larger screen.
    #unfold() {
      const { panel, launcher } = this.#parts;
      panel.toggleAttribute("aria-modal", false);
      if (onPhone.matches) {
        panel.showModal();
        panel.setAttribute("aria-modal", "true");
        this.#fit();
      } else {
        panel.setAttribute("open", ""); // show() would take the focus
      }
      launcher.setAttribute("aria-expanded", "true");
    }

    // Where the keyboard of a phone leaves room.
    #fit = () => {
      const { root } = this.#parts;
      const view = window.visualViewport;
      if (view && this.#shown && onPhone.matches && view.scale < 1.01) {
        root.style.setProperty("--height", `${view.height}px`);
        root.style.setProperty("--top", `${view.offsetTop}px`);
      }
    };

    // Escape closes what the focus is in: an open source, the form, or all of it.
    #escape() {
      const inner = this.shadowRoot.activeElement?.closest(".source, .opinion");
      const opener = inner && [...this.shadowRoot.querySelectorAll("[aria-controls]")]
        .find((one) => one.getAttribute("aria-controls") === inner.id);
      if (opener) {
        opener.click();
        opener.focus();
      } else if (!this.#inline) {
        this.close();
      }
    }

    #exit() {
      const wanted = this.getAttribute("exit-url");
      const address = isWeb(wanted) ? wanted : "https://www.weather.gov/";
      this.clear();
      document.documentElement.style.setProperty("display", "none", "important"); // while the other page loads
      try {
        window.top.location.replace(address);
      } catch {
        // A frame that may not move the page around it goes by itself.
      }
      location.replace(address);
    }

    // --- asking ---

    #fetch(path, body, signal) {
      return fetch(this.#service + path, {
        method: body ? "POST" : "GET",
        headers: body ? { "Content-Type": "application/json" } : {},
        body: body && JSON.stringify(body),
        credentials: "omit",
        referrerPolicy: "no-referrer",
        cache: "no-store",
        signal,
      });
    }

    // What to ask first, if any.
    async #load() {
      if (this.#starters) {
        return;
      }
      try {
        const told = await (await this.#fetch("api/suggestions")).json();
        this.#starters = told.suggestions.map(String);
        this.#keeps = told.feedback === true;
        this.#greet();
        this.#request || this.#say("");
      } catch {
        this.#request || this.#say(`${this.#words.unreachable} ${this.#words.above}`); // until next opened
      }
    }

    get #history() {
      return this.#talk.filter(({ answer }) => answer.status !== "invalid").flatMap(({ question, answer }) => [
        { role: "user", content: question.slice(0, 2000) },
        { role: "assistant", content: answer.text.slice(0, 3000) },
      ]).slice(-TURNS);
    }

    async #ask(asked, moveFocus = false) {
      const question = asked.trim();
      if (!question || this.#request) {
        return;
      }
      const t = this.#words;
      const { log, next, starters, send, box } = this.#parts;
      const heading = this.#heading(question);
      const controller = new AbortController();
      const waits = [
        setTimeout(() => this.#say(t.working), SOON),
        setTimeout(() => this.#say(`${t.slow} ${t.above}`), LATE),
        setTimeout(() => controller.abort(), TOO_LATE),
      ];
      const ended = () => {
        waits.forEach(clearTimeout);
        send.removeAttribute("aria-disabled");
        this.#say("");
        this.#request = null;
      };
      const request = { question, stop: () => (ended(), controller.abort(), heading.remove()) };
      this.#request = request;
      send.setAttribute("aria-disabled", "true");
      starters.replaceChildren();
      next.replaceChildren();
      log.append(heading);
      this.#view(heading, moveFocus);
      this.#emit("ask", "", { question });
      const outcome = await this.#outcome(question, controller.signal);
      if (this.#request !== request) {
        return; // cleared meanwhile
      }
      ended();
      if (outcome.answer) {
        this.#told(heading, { question, answer: outcome.answer });
      } else {
        this.#fail(heading, question, outcome);
        box.value ||= outcome.back ?? "";
      }
      this.#view(heading);
    }

    async #outcome(question, signal) {
      const t = this.#words;
      try {
        const reply = await this.#fetch("api/ask", { question, history: this.#history }, signal);
        const told = await reply.json().catch(() => null);
        if (reply.ok && typeof told?.text === "string") {
          return { answer: told };
        }
        const helplines = told?.error?.helplines;
        if (reply.status === 429) {
          return { say: fill(t.busy, reply.headers.get("Retry-After") ?? 60), helplines };
        }
        if (reply.status === 422 && told?.error) {
          return { say: told.error.message, kind: "invalid", back: question };
        }
        return { say: `${t.failed} ${t.again}`, helplines };
      } catch {
        return { say: `${t.unreachable} ${t.again}` };
      }
    }

    #told(heading, said) {
      this.#talk = [...this.#talk, said].slice(-EXCHANGES);
      this.#put(said, heading);
      this.#remember();
      this.#load();
      this.#emit("answer", said.answer.status, said);
    }

    #fail(heading, question, { say, helplines, kind }) {
      const t = this.#words;
      const retry = () => {
        if (!this.#request) {
          heading.remove();
          card.remove();
          this.#ask(question, true);
        }
      };
      const card = make("div", { class: `answer ${kind ?? "failed"}` }, make("h4", { class: "kind" }, t[kind ?? "none"]),
        make("p", {}, say),
        !kind && this.#callList(helplines?.length ? helplines : this.#lines()),
        !kind && make("button", { class: "primary", type: "button", click: retry }, t.retry));
      this.#parts.log.append(card);
    }

    #say(text) {
      this.#parts.status.textContent = text;
    }

    // --- showing ---

    #heading(question) {
      return make("h3", { class: "question", tabindex: -1 },
        make("span", { class: "unseen" }, `${this.#words.asked} `), question);
    }

    #view(heading, focus) {
      const { scroll } = this.#parts;
      if (focus) {
        heading.focus({ preventScroll: true });
      }
      scroll.scrollTop += heading.getBoundingClientRect().top - scroll.getBoundingClientRect().top - 12;
    }

    // A whole answer, below its question.
    #put(said, heading) {
      const { log, next } = this.#parts;
      const { answer, question } = said;
      log.append(...(heading ? [] : [this.#heading(question)]), this.#card(said));
      while (log.children.length > 2 * EXCHANGES) {
        log.firstElementChild.remove();
      }
      const suggestions = (answer.suggestions ?? []).slice(0, 4);
      next.replaceChildren();
      if (suggestions.length) {
        next.append(make("p", { class: "next" }, this.#words.next), this.#options(suggestions));
      }
    }

    #card(said) {
      const t = this.#words;
      const { status, text, citations = [], helplines = [] } = said.answer;
      const kind = t[status] && make("h4", { class: "kind" }, t[status]);
      const body = this.#paragraphs(text, new Map(citations.map((one) => [String(one.number), one])));
      const calls = helplines.length ? [this.#callList(helplines)] : [];
      const inside = status === "crisis" ? [...calls, ...body] : [...body, ...calls];
      const card = make("div", { class: "answer" }, kind, ...inside, this.#tools(said));
      card.classList.add(String(status).replace(/\W/g, ""));
      return card;
    }

    // Paragraphs, lists, numbers in brackets.
    #paragraphs(text, sources) {
      const blocks = [];
      for (const block of text.trim().split(/\n\s*\n/)) {
        let items = null;
        let prose = null;
        for (const line of block.split("\n")) {
          const isItem = line.startsWith("- ");
          const opened = [];
          const content = this.#numbered(isItem ? line.slice(2) : line, sources, opened);
          if (isItem) {
            prose = null;
            items ??= blocks[blocks.push(make("ul", { class: "list", lang: LIBRARY })) - 1];
            items.append(make("li", {}, ...content, ...opened));
          } else {
            items = null;
            prose?.append(make("br"));
            prose ??= blocks[blocks.push(make("p", { lang: LIBRARY })) - 1];
            prose.append(...content);
            blocks.push(...opened);
            prose = opened.length ? null : prose;
          }
        }
      }
      return blocks;
    }

    #numbered(line, sources, opened) {
      return line.split(/(\[\d{1,3}\])/).map((part) => {
        const source = sources.get(part.slice(1, -1));
        if (!source || !/^\[\d+\]$/.test(part)) {
          return part;
        }
        const id = `source-${(this.#count += 1)}`;
        const card = this.#source(source, id);
        opened.push(card);
        const button = make("button", {
          class: "cite", type: "button", "aria-expanded": "false", "aria-controls": id,
          "aria-label": fill(this.#words.source, source.number),
          click: () => {
            card.hidden = !card.hidden;
            button.setAttribute("aria-expanded", String(!card.hidden));
          },
        }, String(source.number));
        return button;
      });
    }

    #source(source, id) {
      const t = this.#words;
      const { number, quote, title, publisher, section, updated, edition, url } = source;
      const day = updated && new Date(`${updated}T00:00:00Z`);
      const date = day && !Number.isNaN(day.getTime())
        ? day.toLocaleDateString(this.#language, { dateStyle: "long", timeZone: "UTC" }) : updated;
      const details = [publisher, section && fill(t.section, section), date].filter(Boolean).join(" · ");
      // Opened and closed by hand, so it is not news to be read out.
      return make("div", { class: "source", id, hidden: true, role: "group", "aria-label": fill(t.source, number), "aria-live": "off" },
        make("blockquote", { lang: LIBRARY }, `“${quote}”`),
        make("p", {}, `${edition === "summary" ? t.retold : t.from} `, make("cite", { lang: LIBRARY }, title),
          details && make("span", { class: "details" }, details)),
        isWeb(url) && make("p", {}, this.#outward(sourceLink(source), t.read)));
    }

    #callList(helplines) {
      const t = this.#words;
      const rows = helplines.map((line) => {
        const ways = [make("a", { href: `tel:${digits(line.phone)}` }, fill(t.call, line.phone))];
        if (line.sms) {
          ways.push(make("a", { href: `sms:${digits(line.sms)}` }, fill(t.text, line.sms)));
        }
        if (isWeb(line.chat)) {
          ways.push(this.#outward(line.chat, t.chat));
        }
        const about = line.purpose && `${line.purpose}. ${fill(t.open, line.hours)} ${line.note ?? ""}`;
        return make("li", {}, make("b", {}, line.name), make("div", { class: "ways" }, ...ways),
          about && make("span", { class: "details" }, about));
      });
      return make("ul", { class: "lines" }, ...rows);
    }

    #tools(said) {
      const t = this.#words;
      const { status, citations = [] } = said.answer;
      const tool = (name, text, act, more = {}) =>
        make("button", { class: "plain", type: "button", click: act, ...more }, icon(name), text);
      const buttons = [];
      if (citations.length && navigator.clipboard) {
        buttons.push(tool("copy", t.copy, () => this.#copy(said)));
      }
      if (!this.#keeps || ["crisis", "small_talk", "invalid"].includes(status)) {
        return buttons.length ? make("div", { class: "tools" }, ...buttons) : null;
      }
      const id = `opinion-${(this.#count += 1)}`;
      const row = make("div", { class: "tools", "aria-live": "off" });
      const form = this.#opinion(said, id, row);
      const down = tool("down", null, () => {
        form.hidden = !form.hidden;
        down.setAttribute("aria-expanded", String(!form.hidden));
        if (!form.hidden) {
          form.querySelector("select").focus();
        }
      }, { "aria-label": t.down, "aria-expanded": "false", "aria-controls": id });
      const up = tool("up", null, () => this.#judge(said, { verdict: "up" }, row), { "aria-label": t.up });
      row.append(...buttons, up, down);
      return make("div", { "aria-live": "off" }, row, form);
    }

    #opinion(said, id, row) {
      const t = this.#words;
      const reason = make("select", {}, make("option", { value: "" }, t.optional),
        ...REASONS.map((one) => make("option", { value: one }, t[one])));
      const comment = make("input", { type: "text", maxlength: 500, autocomplete: "off", spellcheck: "false" });
      const include = make("input", { type: "checkbox" });
      const form = make("form", {
        class: "opinion", id, hidden: true,
        submit: (event) => {
          event.preventDefault();
          this.#judge(said, {
            verdict: "down",
            ...(reason.value && { reason: reason.value }),
            ...(comment.value.trim() && { comment: comment.value.trim() }),
            ...(include.checked && { question: said.question.slice(0, 2000) }),
          }, row);
          form.remove();
        },
      },
      make("label", {}, t.why, reason), make("label", {}, t.comment, comment),
      make("label", { class: "check" }, include, t.include),
      make("div", { class: "row" }, make("button", { class: "primary", type: "submit" }, t.submit),
        make("button", { class: "plain", type: "button", click: () => row.lastElementChild.click() }, t.cancel)));
      return form;
    }

    #judge({ answer }, verdict, row) {
      const sections = [...new Set((answer.citations ?? []).map((one) => `${one.article}#${one.section}`.slice(0, 300)))];
      const thanks = make("span", { class: "details", tabindex: -1 }, this.#words.thanks);
      this.#fetch("api/feedback", { ...verdict, status: answer.status, sections: sections.slice(0, 20) }).catch(() => {});
      row.nextElementSibling?.remove();
      row.replaceChildren(thanks);
      thanks.focus({ preventScroll: true });
      this.#say(this.#words.thanks);
    }

    async #copy({ answer }) {
      const sources = answer.citations.map((one) =>
        `[${one.number}] ${[one.title, one.section, one.publisher, isWeb(one.url) && one.url].filter(Boolean).join(" · ")}`);
      try {
        await navigator.clipboard.writeText([answer.text, sources.join("\n")].join("\n\n"));
        this.#say(this.#words.copied);
      } catch {
        // The page may not write to the clipboard; the text can be marked and copied by hand.
      }
    }
  }

  customElements.define("ask-iop", AskIop);

  // --- the line that includes it ---

  const place = () => {
    if (document.querySelector("ask-iop")) {
      return;
    }
    const element = document.createElement("ask-iop");
    for (const { name, value } of script?.attributes ?? []) {
      if (name.startsWith("data-")) {
        element.setAttribute(name.slice(5), value);
      }
    }
    if (element.getAttribute("mode") === "inline" && script.isConnected && document.body.contains(script)) {
      script.after(element);
    } else {
      document.body.append(element);
    }
  };
  if (script && document.readyState === "loading") {
    document.addEventListener("DOMContentLoaded", place);
  } else if (script) {
    place();
  }
})();
