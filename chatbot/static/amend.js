// Making questions known: choose what they are, see the change, make it.
import { by, call, joined, make } from "./staff.js";

const WAIT = 250; // milliseconds after the last letter
const dialog = by("amend");
const chosen = new Map(); // places of a new answer, by their words
let shown = null; // {change, digest}
let seeking = 0;
let asked = 0; // number of the last search

const kind = () => dialog.querySelector("[name=kind]:checked").value;
const lines = () => by("wordings").value.split("\n").map((line) => line.trim()).filter(Boolean);
const trouble = (text) => { by("amend-trouble").textContent = text; };

const stage = (showing) => {
  by("making").hidden = by("show").hidden = showing;
  by("showing").hidden = by("make").hidden = by("edit").hidden = !showing;
  trouble("");
};
const choose = () => {
  for (const name of ["wordings", "answer", "topic"]) {
    by(`as-${name}`).hidden = name !== kind();
  }
  if (kind() === "answer" && !by("sentences").childElementCount) {
    listSentences();
  }
};

// --- a known question -------------------------------------------------------------------------------------

const entry = (one, place) =>
  make("label", { css: "check" }, make("input", { type: "radio", name: "like", value: one.text, checked: place === 0 }),
    make("span", {}, one.text, make("span", { css: "quiet" }, one.answered ? `answered in ${one.places.join("; ")}` : joined(one.topic, `visitors are told: ${one.say}`))));
const seek = async () => {
  clearTimeout(seeking);
  const number = ++asked;
  const question = by("near-to").value.trim();
  if (!question) {
    by("entries").replaceChildren();
    return;
  }
  try {
    const { entries } = await call("owner/search", { question: question.slice(0, 300) });
    if (number === asked) {
      by("entries").replaceChildren(...(entries.length ? entries.map(entry) : ["There is no known question yet."]));
    }
  } catch (error) {
    trouble(error.message);
  }
};

// --- a new answer -----------------------------------------------------------------------------------------

const tellChosen = () => {
  by("chosen").textContent = chosen.size ? `Chosen: ${[...chosen.values()].map((one) => `“${one.sentence ?? one.heading} …”`).join(" ")}` : "None is chosen yet.";
};
const sentence = (article, heading, { text, opening }) => {
  const words = JSON.stringify([article, heading, opening]);
  const box = make("input", { type: "checkbox", checked: chosen.has(words) });
  box.addEventListener("change", () => {
    if (box.checked) {
      chosen.set(words, { article, heading, sentence: opening });
    } else {
      chosen.delete(words);
    }
    tellChosen();
  });
  return make("label", { css: "check" }, box, make("span", {}, text));
};
const listSentences = async () => {
  const article = by("from-article").value;
  try {
    const { sections } = await call(`owner/articles/${encodeURIComponent(article)}`);
    by("sentences").replaceChildren(...sections.flatMap((one) => [make("h3", {}, one.heading || "Opening"), ...one.sentences.map((each) => sentence(article, one.heading, each))]));
    tellChosen();
  } catch (error) {
    trouble(error.message);
  }
};

// --- the change -------------------------------------------------------------------------------------------

const wanted = () => {
  const wordings = lines();
  return {
    wordings: () => ({ kind: "wordings", like: dialog.querySelector("[name=like]:checked")?.value ?? "", wordings }),
    answer: () => ({ kind: "answer", places: [...chosen.values()], wordings }),
    topic: () => ({ kind: "topic", topic: by("topic").value.trim().toLowerCase().replace(/\s+/g, "-"), say: by("say").value, wordings }),
  }[kind()]();
};
const missing = (change) => {
  if (change.wordings?.length === 0) {
    return "Write at least one way to ask it.";
  }
  return { wordings: change.like ? "" : "Choose a known question.", answer: change.places?.length ? "" : "Choose a sentence that answers.",
    topic: change.topic && change.say?.trim() ? "" : "Name the topic, and what to say." }[change.kind] ?? "";
};
const CLASSES = { "+": "added", "-": "removed" };
const preview = async (change) => {
  const lacking = missing(change);
  if (lacking) {
    trouble(lacking);
    return;
  }
  try {
    const { diff, digest } = await call("owner/preview", { change });
    shown = { change, digest };
    by("diff").replaceChildren(...diff.split("\n").slice(2).map((line) => make("span", { css: CLASSES[line[0]] }, line || " ")));
    stage(true);
    by("diff-title").focus();
  } catch (error) {
    trouble(error.message);
  }
};
const make_ = async () => {
  by("make").disabled = true;
  try {
    await call("owner/apply", shown);
    dialog.close();
    document.dispatchEvent(new Event("amended"));
  } catch (error) {
    trouble(error.message);
    by("make").hidden = error.status === 409; // the change must be looked at again
  } finally {
    by("make").disabled = false;
  }
};
const back = () => {
  if (shown?.change.kind === "take_back") {
    dialog.close();
    return;
  }
  stage(false);
  by("wordings").focus();
};

export const amend = (wordings, articles) => {
  stage(false);
  chosen.clear();
  by("amend-title").textContent = "Make it known";
  // Where something was taken out, nobody asks in those words: "[name]" is no part of a question.
  const whole = wordings.filter((wording) => !/\[[a-z]{2,7}\]/.test(wording));
  by("wordings").value = whole.join("\n");
  by("near-to").value = whole[0] ?? wordings[0] ?? "";
  by("topic").value = by("say").value = "";
  dialog.querySelector("[value=wordings]").checked = true;
  by("from-article").replaceChildren(...articles.map((one) => make("option", { value: one.id }, joined(one.publisher, one.title))));
  by("sentences").replaceChildren();
  choose();
  seek();
  dialog.showModal();
  by("amend-title").focus();
};
export const takeBack = () => {
  stage(true);
  by("amend-title").textContent = "Take the last change back";
  by("diff").replaceChildren();
  by("make").hidden = true;
  dialog.showModal();
  preview({ kind: "take_back" });
};

by("amend-form").addEventListener("submit", (event) => {
  event.preventDefault();
  if (!by("show").hidden) {
    preview(wanted());
  }
});
by("make").addEventListener("click", make_);
by("edit").addEventListener("click", back);
by("amend-close").addEventListener("click", () => dialog.close());
by("near-to").addEventListener("input", () => {
  clearTimeout(seeking);
  seeking = setTimeout(seek, WAIT);
});
by("from-article").addEventListener("change", listSentences);
dialog.querySelectorAll("[name=kind]").forEach((one) => one.addEventListener("change", choose));
