// The console: look up as somebody types, and move through what is found by keyboard. Text goes in as text only.
import { LABELS, button, by, call, day, joined, make, outward } from "./staff.js";

const WAIT = 80; // milliseconds after the last letter
const SETTLED = 2000; // a look-up that stands this long is a recent one
const MOST_RECENT = 20;
const REASONS = { w: "wrong", o: "outdated", m: "missing" };
const ASKED = { wrong: "as wrong", outdated: "as outdated", missing: "as missing something" };

const box = by("question");
const filter = by("article");
const answer = by("answer");
const reader = by("reader");
let desk = { articles: [], helplines: [], protocol: [], keeps_marks: false };
let shown = null; // {question, answer, known, passages}
let newest = 0; // number of the last request
let running = null; // its AbortController
let typing = 0;
let settling = 0;
let marking = "";
let opener = null; // where the focus goes back to from the article
const recent = []; // in memory only

// --- the service ------------------------------------------------------------------------------------------

// Entered: asked for, and not while still typing; only then does the service count it as a question.
const lookUp = async (entered = false) => {
  clearTimeout(typing);
  const question = box.value.trim();
  const number = ++newest;
  running?.abort();
  if (!question) {
    show(null);
    return;
  }
  running = new AbortController();
  document.body.classList.add("stale");
  const began = performance.now();
  try {
    const found = await call("look-up", { question, article: filter.value || null, entered }, running.signal);
    if (number === newest) { // the last one wins, in whatever order they come back
      show({ question, entered, ...found });
      const took = Math.round(performance.now() - began);
      by("state").textContent = joined(LABELS[found.answer.status], `${found.passages.length} passages`, `${took} ms`);
    }
  } catch (error) {
    if (number === newest && error.name !== "AbortError") {
      by("state").textContent = "No answer came. The numbers to call stand beside.";
    }
  } finally {
    if (number === newest) {
      document.body.classList.remove("stale");
    }
  }
};

// --- what is shown ----------------------------------------------------------------------------------------

// Letters as on a telephone's keys; an extension is for whoever answers.
const digits = (number) => number.toUpperCase().replace(/(X|EXT)[. ]*\d+$/, "")
  .replace(/[A-Z]/g, (key) => "22233344455566677778889999"[key.charCodeAt() - 65]).replace(/[^\d+]/g, "");

const helpline = (line) => {
  const ways = make("span", { css: "ways" }, make("a", { href: `tel:${digits(line.phone)}` }, line.phone));
  if (line.sms) {
    ways.append(make("a", { href: `sms:${digits(line.sms)}` }, `text ${line.sms}`));
  }
  if (line.chat) {
    ways.append(outward(line.chat, "chat"));
  }
  return make("li", {}, make("b", {}, line.name), ways, make("span", { css: "quiet", title: joined(line.purpose, line.hours, line.note) }, joined(line.purpose, line.hours, line.note)));
};

// A paragraph with its numbers as buttons that open the article there.
const paragraph = (text, citations) => {
  const whole = make("p");
  for (const part of text.split(/(\[\d+\])/)) {
    const cited = citations.find((one) => part === `[${one.number}]`);
    whole.append(cited ? numbered(cited) : part);
  }
  return whole;
};
const numbered = (cited) =>
  make("button", { type: "button", css: "number", "aria-label": `Source ${cited.number}: open the article there`, press: () => openArticle(cited.article, [cited.quote], cited.section) }, `[${cited.number}]`);

const sideBySide = (citations) => {
  const columns = make("div", { css: "apart" });
  for (const [, quotes] of grouped(citations)) {
    const [first] = quotes;
    columns.append(make("div", {}, make("h3", {}, first.publisher ?? first.title),
      make("p", { css: "place" }, joined(first.publisher && first.title, day(first.updated) || "no date")),
      ...quotes.map((one) => paragraph(`${one.quote} [${one.number}]`, [one]))));
  }
  return columns;
};
const grouped = (citations) => {
  const groups = new Map();
  citations.forEach((one) => groups.set(one.article, [...(groups.get(one.article) ?? []), one]));
  return groups;
};

const sources = (citations) =>
  make("ol", { css: "sources" }, ...citations.map((one) => make("li", {}, numbered(one), ` ${place(one, one.section)} `, one.link ? outward(one.link, "source") : "")));
const from = (one, origin) => (one.edition === "summary" ? `retold from ${origin}` : origin);
const place = (one, section) =>
  joined(from(one, one.title), section, one.publisher, day(one.updated) || "no date");

const bandBadge = (name, support) => make("span", { css: `badge ${name}` }, `${name} ${support.toFixed(2)}`);

const showAnswer = ({ answer: told }) => {
  const title = make("div", { css: "title" }, make("h2", { id: "answer-title" }, "The visitor’s answer"), make("span", { css: `badge ${told.status}` }, LABELS[told.status]));
  if (told.band) {
    title.append(bandBadge(told.band, told.support));
  }
  const lines = told.helplines.length ? make("ul", { css: "lines" }, ...told.helplines.map(helpline)) : "";
  const text = told.apart
    ? [make("p", {}, told.text.split("\n\n")[0]), sideBySide(told.citations)]
    : [make("div", { css: "text" }, ...told.text.split("\n\n").map((one) => paragraph(one, told.citations)))];
  const urgent = told.status === "crisis";
  answer.className = told.status;
  answer.replaceChildren(title, ...(urgent ? [lines, ...text] : [...text, lines]), told.citations.length ? sources(told.citations) : "", actions());
  answer.hidden = false;
};

const actions = () => {
  const row = make("div", { css: "actions" }, button("Copy", "c", () => copy("plain", null), "main"), button("With sources", "x", () => copy("cited", null)), button("To read aloud", "r", () => copy("script", null)));
  if (desk.keeps_marks) {
    row.append(make("span", { css: "marks", role: "group", "aria-label": "Mark this answer" }, "Mark:", ...Object.entries(REASONS).map(([key, reason]) => button(reason, key, () => mark(reason)))));
  }
  return row;
};

const showPassages = ({ passages, known }) => {
  by("near").replaceChildren(...nearest(known));
  by("passages").replaceChildren(...passages.map((one, number) => {
    const heading = one.trail.at(-1) || one.title;
    const open = () => openPassage(number);
    return make("li", {},
      make("div", { css: "title" },
        make("h3", {}, make("span", { css: "rank" }, `${number + 1} `), make("button", { type: "button", css: "plain open", press: open }, heading)),
        bandBadge(one.band, one.support), one.quoted.length ? make("span", { css: "badge" }, `in the answer ${one.quoted.map((n) => `[${n}]`).join(" ")}`) : ""),
      make("p", { css: "place" }, place(one, one.trail.slice(0, -1).join(" › ")), one.link ? " · " : "", one.link ? outward(one.link, "source") : ""),
      make("p", { css: "text" }, ...one.parts.map((part) => (part.band ? make("mark", { css: part.band }, part.text) : bulleted(part.text)))),
      make("p", { css: "why" }, why(one)));
  }));
  by("found").hidden = passages.length === 0;
};
const bulleted = (text) => text.replace(/^- /gm, "• ");
const why = (one) =>
  joined(one.terms.length ? `shares: ${one.terms.join(", ")}` : "shares no word", one.known ? `answers “${one.known.text}” (${one.known.cosine.toFixed(2)} alike)` : "no known question near", `support ${one.support.toFixed(2)}`);
const nearest = (known) => {
  if (!known) {
    return ["No known question is near."];
  }
  const end = known.answered ? ", which the articles answer." : `, which the articles don’t answer. ${known.say}`;
  return [`Nearest known question: “${known.text}” (${known.cosine.toFixed(2)} alike)${end}`];
};

const show = (found) => {
  shown = found;
  by("hint").hidden = found !== null;
  by("done").textContent = "";
  clearTimeout(settling);
  if (!found) {
    answer.hidden = by("found").hidden = true;
    by("state").textContent = "";
    return;
  }
  showAnswer(found);
  showPassages(found);
  settling = setTimeout(settle, SETTLED);
};

// --- recent look-ups --------------------------------------------------------------------------------------

const settle = () => {
  clearTimeout(settling);
  if (!shown || shown.answer.status === "invalid") {
    return;
  }
  const { question } = shown;
  // What was typed on from is the same look-up.
  const before = recent.findIndex((one) => one.question === question || (one === recent[0] && question.startsWith(one.question)));
  if (before >= 0) {
    recent.splice(before, 1);
  }
  recent.unshift({ question, status: shown.answer.status });
  recent.splice(MOST_RECENT);
  listRecent();
};
const listRecent = () => {
  by("recent").replaceChildren(...recent.map(({ question, status }) => make("li", {}, make("button", { type: "button", css: "plain", press: () => again(question) }, question), make("span", { css: "quiet" }, LABELS[status]))));
  by("forget").hidden = recent.length === 0;
};
const again = (question) => {
  box.value = question;
  lookUp();
  box.focus();
};

// --- the article ------------------------------------------------------------------------------------------

const openPassage = (number) => {
  const one = shown?.passages[number];
  if (one) {
    const marked = one.parts.filter((part) => part.band && part.band !== "weak").map((part) => part.text);
    openArticle(one.id, marked.length ? marked : [one.sentence], null, one.section);
  }
};

const openArticle = async (id, quotes, heading, number) => {
  settle();
  opener = document.activeElement;
  try {
    const article = await call(`articles/${encodeURIComponent(id)}`);
    const fits = (section) => quotes.some((quote) => section.text.includes(quote));
    let here = number ?? article.sections.findIndex((section) => section.trail.at(-1) === heading && fits(section));
    here = here < 0 ? article.sections.findIndex(fits) : here;
    showArticle(article, here, quotes);
  } catch {
    by("done").textContent = "The article did not come.";
  }
};

const showArticle = (article, here, quotes) => {
  const title = make("h2", { id: "reader-title", tabindex: "-1" }, article.title);
  const about = make("p", { css: "place" }, joined(from(article, article.publisher ?? "an article"), day(article.updated) || "no date"), article.url ? " · " : "", article.url ? outward(article.url, "source") : "");
  const body = make("div", { css: "body" }, ...article.sections.map((section, number) => make("div", number === here ? { css: "here" } : {},
    section.trail.length ? make("h3", { tabindex: "-1" }, section.trail.at(-1)) : "",
    ...section.text.split("\n\n").map((text) => make("p", {}, ...(number === here ? marked(text, quotes) : [bulleted(text)]))))));
  reader.replaceChildren(make("div", { css: "top" }, make("div", {}, title, about), button("Close", "Esc", closeArticle)), body);
  reader.hidden = false;
  document.body.classList.add("reading");
  scrollTo(body.querySelector(".here"), body.querySelector("mark"));
  title.focus({ preventScroll: true });
};

// To the section, or to the sentence where the section is too long to show both. Only the panel moves, not the page.
const scrollTo = (section, sentence) => {
  reader.scrollTop = 0;
  const top = reader.querySelector(".top").getBoundingClientRect().bottom + 8;
  const below = (element) => element.getBoundingClientRect().top - top;
  if (section) {
    const far = sentence && below(sentence) - below(section) > reader.clientHeight / 2;
    reader.scrollTop = far ? below(sentence) - 64 : below(section); // a line or two before the sentence
  }
};

// The quotes of a paragraph in <mark>, what is between them as it is.
const marked = (text, quotes) => {
  const lines = quotes.flatMap((quote) => quote.split(/\n+/)).map((line) => line.replace(/^- /, "")).filter(Boolean);
  const parts = [];
  let at = 0;
  while (at < text.length) {
    const next = lines.map((line) => [text.indexOf(line, at), line]).filter(([start]) => start >= 0).sort((a, b) => a[0] - b[0] || b[1].length - a[1].length)[0];
    if (!next) {
      break;
    }
    parts.push(text.slice(at, next[0]), make("mark", { css: "strong" }, next[1]));
    at = next[0] + next[1].length;
  }
  return [...parts, text.slice(at)].map((part) => (typeof part === "string" ? bulleted(part) : part));
};

const closeArticle = () => {
  reader.hidden = true;
  document.body.classList.remove("reading");
  (opener?.isConnected ? opener : box).focus();
};

// --- copying ----------------------------------------------------------------------------------------------

const unnumbered = (text, citations) => citations.reduce((left, one) => left.replaceAll(` [${one.number}]`, ""), text);
const source = (one, number) => `${number ? `[${number}] ` : ""}${place(one, one.section)}${one.link ? `\n    ${one.link}` : ""}`;
const number = (line) => `${line.name}: ${line.phone} (${line.hours})`;

const spoken = (citations) =>
  [...grouped(citations).values()].map((quotes) => {
    const [first] = quotes;
    const origin = first.publisher ? `“${first.title}”, by ${first.publisher}` : `“${first.title}”`;
    const dated = first.updated ? `, updated ${day(first.updated)}` : "";
    const opening = first.edition === "summary" ? `This is retold from the article ${origin}${dated}:` : `The article ${origin}${dated}, says:`;
    return `${opening} ${quotes.map((one) => one.quote.replace(/\n+- /g, " ").replace(/\n+/g, " ")).join(" ")}`;
  });

const script = (told) => {
  const human = (text) => text.replace(/\s*I am a program, not a person\./, "");
  const quotes = told.citations.map((one) => one.quote);
  const lines = told.helplines.map((line) => `You can call the ${line.name} at ${line.phone}, ${line.hours}.`);
  if (!told.citations.length) {
    return [human(told.text), ...lines].join("\n\n");
  }
  // Of the text around the quotes: that the sources differ, what they don't say, a card.
  const around = unnumbered(told.text, told.citations).split("\n\n").filter((part) => !quotes.some((quote) => quote.includes(part) || part.includes(quote)));
  return [...around.map(human), ...spoken(told.citations), ...lines, "That is what these articles say. It is no medical advice."].join("\n\n");
};

const copied = (form, passage) => {
  if (passage) {
    const one = { ...passage, article: passage.id, section: passage.trail.at(-1), quote: passage.sentence };
    return { plain: one.quote, cited: `${one.quote}\n\n${source(one)}`, script: spoken([one])[0] }[form];
  }
  const told = shown.answer;
  const lines = told.helplines.map(number);
  return {
    plain: () => [unnumbered(told.text, told.citations), ...lines].join("\n\n"),
    cited: () => [told.text, ...(told.citations.length ? [["Sources", ...told.citations.map((one) => source(one, one.number))].join("\n")] : []), ...lines].join("\n\n"),
    script: () => script(told),
  }[form]();
};

const copy = async (form, passage) => {
  if (!shown) {
    return;
  }
  settle();
  const what = passage ? "The sentence" : "The answer";
  const how = { plain: "", cited: " with its source", script: " as a script to read aloud" }[form];
  try {
    await navigator.clipboard.writeText(copied(form, passage));
    say(`${what} is copied${how}.`);
  } catch {
    say("The browser does not let this page copy.");
  }
};

let saying = 0;
const say = (text) => {
  by("done").textContent = text;
  clearTimeout(saying);
  saying = setTimeout(() => { by("done").textContent = ""; }, 6000);
};

// --- marking ----------------------------------------------------------------------------------------------

const mark = (reason) => {
  if (!shown || !desk.keeps_marks) {
    return;
  }
  settle();
  marking = reason;
  by("mark-title").textContent = `Mark this answer ${ASKED[reason]}`;
  by("mark-trouble").textContent = by("note").value = "";
  by("kept").value = shown.question;
  by("mark").showModal();
  by("note").focus();
};
by("unmark").addEventListener("click", () => by("mark").close());
by("mark-form").addEventListener("submit", async (event) => {
  event.preventDefault();
  const told = shown.answer;
  const sections = [...new Set(told.citations.map((one) => `${one.article}#${one.section}`))].slice(0, 20);
  try {
    const { stored } = await call("mark", { reason: marking, note: by("note").value, question: by("kept").value, status: told.status, sections });
    if (!stored) {
      throw new Error("not stored");
    }
    by("mark").close();
    say(`Marked ${ASKED[marking]}. Thank you.`);
  } catch {
    by("mark-trouble").textContent = "It could not be kept. Your note is still here.";
  }
});

// --- keys -------------------------------------------------------------------------------------------------

const stops = () => [box, ...(answer.hidden ? [] : [answer]), ...document.querySelectorAll("#passages .open")];
const step = (by_) => {
  const all = stops();
  const at = all.findIndex((one) => one === document.activeElement || (one === answer && answer.contains(document.activeElement)));
  const next = all[at + by_];
  if (at >= 0 && next) {
    next.focus();
    (next.closest("li") ?? next).scrollIntoView({ block: "nearest" });
  }
  return at >= 0;
};
const toBox = () => {
  box.focus();
  box.select();
};
const opens = (id) => {
  const dialog = by(id);
  if (dialog.open) {
    dialog.close();
  } else if (!document.querySelector("dialog[open]")) {
    dialog.showModal();
    dialog.querySelector("h2").focus();
  }
};
const onPassage = () => {
  const item = document.activeElement.closest("#passages li");
  return item ? shown.passages[[...item.parentElement.children].indexOf(item)] : null;
};
const SINGLE = {
  "/": toBox, f: () => filter.focus(), "?": () => opens("shortcuts"),
  c: () => copy("plain", onPassage()), x: () => copy("cited", onPassage()), r: () => copy("script", onPassage()),
  ...Object.fromEntries(Object.entries(REASONS).map(([key, reason]) => [key, () => mark(reason)])),
  ...Object.fromEntries([1, 2, 3, 4, 5, 6].map((key) => [key, () => openPassage(key - 1)])),
};

const pressed = (event) => {
  const { key } = event;
  if (event.isComposing || event.ctrlKey || event.altKey || event.metaKey) {
    return false;
  }
  if (key === "F2") {
    opens("protocol");
    return true;
  }
  if (document.querySelector("dialog[open]")) {
    return false;
  }
  const types = document.activeElement.matches("input, select, textarea");
  if (key === "Escape") {
    (reader.hidden ? toBox : closeArticle)();
    return true;
  }
  if ((key === "ArrowDown" || key === "ArrowUp") && document.activeElement !== filter) {
    return step(key === "ArrowDown" ? 1 : -1);
  }
  if (key === "?" && document.activeElement === box && !box.value) {
    opens("shortcuts");
    return true;
  }
  if (types || !by("single").checked || !Object.hasOwn(SINGLE, key.toLowerCase())) {
    return false;
  }
  SINGLE[key.toLowerCase()]();
  return true;
};
document.addEventListener("keydown", (event) => {
  if (pressed(event)) {
    event.preventDefault();
  }
});

box.addEventListener("input", (event) => {
  if (!event.isComposing) {
    clearTimeout(typing);
    typing = setTimeout(lookUp, WAIT);
  }
});
box.addEventListener("compositionend", () => lookUp());
filter.addEventListener("change", () => lookUp());
by("ask").addEventListener("submit", async (event) => {
  event.preventDefault();
  if (shown?.question !== box.value.trim() || !shown.entered) {
    await lookUp(true);
  }
  if (shown) {
    settle();
    answer.focus({ preventScroll: true });
  }
});
by("crisis").addEventListener("click", () => opens("protocol"));
by("keys").addEventListener("click", () => opens("shortcuts"));
by("forget").addEventListener("click", () => {
  recent.length = 0;
  listRecent();
  box.focus();
});

call("desk").then((told) => {
  desk = told;
  by("name").textContent = told.name;
  filter.append(...told.articles.map((one) => make("option", { value: one.id }, joined(one.publisher, one.title))));
  by("lines").replaceChildren(...told.helplines.map(helpline));
  by("dangers").replaceChildren(...told.protocol.map((one) => make("li", {}, make("h3", {}, one.title), make("p", {}, one.text),
    make("ul", { css: "lines" }, ...one.helplines.map((id) => helpline(told.helplines.find((line) => line.id === id)))))));
  by("unkept").hidden = told.keeps_marks;
  document.querySelector(".marking").hidden = !told.keeps_marks;
}).catch(() => {
  by("state").textContent = "The desk did not load. Please load the page again.";
});
