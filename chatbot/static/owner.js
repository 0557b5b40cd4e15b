// The owner's view: what went unanswered, what was found amiss, where articles contradict each other.
import { LABELS, button, by, call, day, draw, joined, make, outward } from "./staff.js";
import { amend, takeBack } from "./amend.js";

const AGAIN = 1000; // milliseconds between two looks at a renewal
const PHASES = {
  building: "The index is built again; visitors are answered from the one before.",
  loading: "The new index is loaded.",
  comparing: "The new index answers. Its answers are held against those of before:",
};
const THUMBS = { up: "Thumbs up", down: "Thumbs down", marked: "Marked by staff" };
const STANCES = { must: "as a must", may: "as a choice", not: "as not so" };
let mayEdit = false;
let articles = [];
let running = false;

const times = (count) => `${count} ${count === 1 ? "time" : "times"}`;
const moved = { "now right": "right", "now wrong": "wrong" };

// --- unanswered -------------------------------------------------------------------------------------------

const known = (one) => {
  if (!one) {
    return "";
  }
  const alike = `Nearest known question: “${one.text}” (${one.cosine.toFixed(2)} alike)`;
  return make("p", { css: "quiet" }, one.answered ? `${alike}, answered in ${one.places.join("; ")}.` : `${alike}, which the articles don’t answer. Visitors are told: ${one.say}`);
};
const wording = ({ text, count }) => make("li", {}, text, " ", make("span", { css: "times" }, count > 1 ? times(count) : ""));

const making = (texts, css) => {
  const opens = button("Make it known…", "", () => amend(texts, articles), css);
  opens.setAttribute("aria-label", `Make it known… “${texts[0]}”`);
  return opens;
};

const group = (one) => {
  const [first, ...others] = one.wordings;
  const texts = one.wordings.map(({ text }) => text);
  return make("li", {},
    make("div", { css: "title" }, make("h3", {}, first.text), make("span", { css: "badge" }, times(one.count)),
      one.seen_to ? make("span", { css: "badge" }, "known, with a referral") : "",
      mayEdit ? making(texts, "main") : ""),
    others.length ? make("details", {}, make("summary", {}, `${others.length} more ${others.length === 1 ? "wording" : "wordings"}`), make("ul", {}, ...others.map(wording))) : "",
    known(one.nearest), make("p", { css: "quiet" }, `Last asked on ${day(one.last.slice(0, 10))}.`));
};

const showGaps = async () => {
  try {
    const { asked, groups } = await call("owner/gaps");
    by("gaps").replaceChildren(...groups.map(group));
    by("gaps-said").textContent = asked
      ? `${times(asked)} somebody asked what the articles don’t answer. Groups of three and more, by meaning, names and numbers left out; last those that you have a referral for.`
      : "Nothing so far.";
  } catch (error) {
    by("gaps-said").textContent = error.message;
  }
};

// --- day by day -------------------------------------------------------------------------------------------

const WIDTH = 720;
const HEIGHT = 150;
const FOOT = 18;

const highest = (days, parts) => Math.max(1, ...days.map((one) => parts.reduce((sum, part) => sum + (one.counts[part] ?? 0), 0)));

// Bars of parts that stand on each other. The table behind says the same.
const bars = (days, parts) => {
  const most = highest(days, parts);
  const room = HEIGHT - FOOT;
  const step = WIDTH / Math.max(days.length, 7);
  const picture = draw("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, preserveAspectRatio: "none", "aria-hidden": "true" });
  picture.append(draw("line", { x1: 0, x2: WIDTH, y1: room, y2: room }));
  days.forEach((one, place) => {
    let top = room;
    for (const part of parts) {
      const height = ((one.counts[part] ?? 0) / most) * (room - 4);
      top -= height;
      if (height) {
        picture.append(draw("rect", { css: `bar-${part}`, x: place * step + step * 0.15, y: top, width: step * 0.7, height }));
      }
    }
  });
  return picture;
};
const table = (title, days, parts, names) =>
  make("details", {}, make("summary", {}, "As a table"), make("div", { css: "wide", tabindex: "0", role: "region", "aria-label": `${title}, as a table` }, make("table", {},
    make("thead", {}, make("tr", {}, make("th", { scope: "col" }, "Day"), ...parts.map((part) => make("th", { scope: "col" }, names[part])))),
    make("tbody", {}, ...days.toReversed().map((one) => make("tr", {}, make("th", { scope: "row" }, one.day), ...parts.map((part) => make("td", {}, String(one.counts[part] ?? 0)))))))));
const key = (parts, names) =>
  make("p", { css: "key" }, ...parts.map((part) => make("span", {}, draw("svg", { viewBox: "0 0 1 1", "aria-hidden": "true" }, draw("rect", { css: `bar-${part}`, width: 1, height: 1 })), names[part])));
const chart = (title, days, names) => {
  const parts = Object.keys(names).filter((part) => days.some((one) => one.counts[part]));
  if (!parts.length) {
    return "";
  }
  const spanned = days.length > 1 ? `${day(days[0].day)} to ${day(days.at(-1).day)}` : day(days[0].day);
  return make("figure", {}, make("figcaption", {}, `${title}, ${spanned}; on one day ${highest(days, parts)} at most`), bars(days, parts), key(parts, names), table(title, days, parts, names));
};

// --- amiss ------------------------------------------------------------------------------------------------

const amiss = (one) => make("li", {},
  make("div", { css: "title" }, make("span", { css: "badge" }, one.reason ?? "thumb down"),
    make("span", { css: "quiet" }, joined(one.from === "staff" ? "staff" : "visitor", day((one.at ?? "").slice(0, 10)), LABELS[one.status])),
    mayEdit && one.question ? making([one.question]) : ""),
  one.question ? make("p", {}, one.question) : "", one.comment ? make("p", {}, `“${one.comment}”`) : "",
  one.sections?.length ? make("p", { css: "quiet" }, joined(...one.sections)) : "");

const showFeedback = async () => {
  try {
    const told = await call("owner/feedback");
    const asked = told.asked.map((one) => ({ day: one.day, counts: one.statuses }));
    const thumbs = told.days.toReversed().map(({ day: date, ...counts }) => ({ day: date, counts }));
    const charts = [chart("Questions by what became of them", asked, LABELS), chart("Thumbs and marks", thumbs, THUMBS)].filter(Boolean);
    by("charts").replaceChildren(...(charts.length ? charts : [make("p", { css: "quiet" }, "Nothing so far.")]));
    by("reasons").textContent = joined(...Object.entries(told.reasons).map(([reason, count]) => `${reason}: ${count}`)) || "Nothing so far.";
    by("amiss").replaceChildren(...told.amiss.map(amiss));
  } catch (error) {
    by("reasons").textContent = error.message;
  }
};

// --- contradictions ---------------------------------------------------------------------------------------

const side = (one) => make("div", {},
  make("h3", {}, one.publisher ?? one.title), make("p", { css: "place" }, joined(one.edition === "summary" ? `retold from ${one.title}` : one.title, one.section, day(one.updated) || "no date")),
  make("p", {}, one.text), one.link ? make("p", {}, outward(one.link, "source")) : "");
const pair = (one) => {
  const [first, second] = one.sides.map(({ says }) => STANCES[says] ?? says);
  return make("li", {}, make("div", { css: "title" }, make("h3", {}, `${one.about}: ${first} against ${second}`), make("span", { css: "badge" }, `sureness ${one.sure.toFixed(2)}`)),
    make("div", { css: "beside" }, ...one.sides.map(side)));
};
const showPairs = async () => {
  try {
    const { pairs } = await call("owner/contradictions");
    by("pairs").replaceChildren(...pairs.map(pair));
    by("pairs-said").textContent = pairs.length ? "Found by their figures, by what is put as a must in one and as a choice in the other, and by whom each says it is for. Both stay as their publishers have them; visitors see both." : "None was found.";
  } catch (error) {
    by("pairs-said").textContent = error.message;
  }
};

// --- the last change --------------------------------------------------------------------------------------

const changed = (one) => make("li", {},
  make("div", { css: "title" }, make("span", { css: `badge ${moved[one.turn] ?? ""}` }, one.turn), make("span", {}, one.question)),
  make("details", {}, make("summary", {}, "Before and after"), make("div", { css: "beside" },
    make("div", {}, make("h3", {}, "Before"), make("p", { css: "told" }, one.before)), make("div", {}, make("h3", {}, "After"), make("p", { css: "told" }, one.after)))));

const counted = (told) => {
  const of = (turn) => told.changed.filter((one) => one.turn === turn).length;
  if (!told.questions) {
    return "The change is in service.";
  }
  const turns = ["now right", "now wrong", "reads differently"].filter(of).map((turn) => `${of(turn)} ${turn}`).join(", ");
  return `The change is in service. Of ${told.questions} questions with known answers ${told.changed.length || "none"} changed${turns ? `: ${turns}` : ""}.`;
};

const showRenewal = (told) => {
  const words = { ...PHASES, failed: `The change is not in service: ${told.problem}`, done: joined(counted(told), told.problem), none: "" };
  by("renewal").hidden = told.phase === "none" && by("back").hidden;
  by("renewal").classList.toggle("failed", told.phase === "failed");
  if (by("phase").textContent !== words[told.phase]) { // told aloud once
    by("phase").textContent = words[told.phase] || "The questions as they were before the last change can be put back.";
  }
  by("bar").hidden = !Object.hasOwn(PHASES, told.phase);
  if (told.phase === "comparing") {
    by("bar").max = told.questions;
    by("bar").value = told.compared;
  } else {
    by("bar").removeAttribute("value");
  }
  if (by("changed").childElementCount !== told.changed.length) {
    by("changed").replaceChildren(...told.changed.map(changed));
  }
};

const look = async () => {
  try {
    const told = await call("owner");
    by("name").textContent = told.name;
    mayEdit = told.may_edit;
    articles = told.articles;
    by("back").hidden = !told.can_take_back;
    showRenewal(told.progress);
    const was = running;
    running = Object.hasOwn(PHASES, told.progress.phase);
    if (running) {
      setTimeout(look, AGAIN);
    }
    if (was && told.progress.phase !== "building") {
      showGaps();
    }
    return told;
  } catch (error) {
    by("renewal").hidden = false;
    by("phase").textContent = error.message;
    return null;
  }
};

document.addEventListener("amended", () => {
  running = true;
  look();
  by("renewal").scrollIntoView({ block: "nearest" });
});
by("back").addEventListener("click", takeBack);
look().then((told) => {
  if (told && !told.keeps) {
    by("gaps-said").textContent = by("reasons").textContent = "Nothing is kept here: the operator has named no journal.";
  } else if (told) {
    showGaps();
    showFeedback();
  }
  showPairs();
});
