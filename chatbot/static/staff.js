// What the pages for staff share. Text goes in as text only.

export const LABELS = {
  answered: "Answered", sources_differ: "The sources differ", partly_answered: "Partly answered",
  not_covered: "Not in the articles", crisis: "Crisis", medical_advice: "For a health professional",
  small_talk: "Small talk", invalid: "Not a question yet",
};

export const by = (id) => document.getElementById(id);

const fill = (element, given, children) => {
  for (const [name, value] of Object.entries(given)) {
    if (name === "press") {
      element.addEventListener("click", value);
    } else if (value !== null && value !== undefined && value !== false) {
      element.setAttribute(name === "css" ? "class" : name, value === true ? "" : value);
    }
  }
  element.append(...children.filter((child) => child !== null && child !== undefined && child !== ""));
  return element;
};
export const make = (tag, given = {}, ...children) => fill(document.createElement(tag), given, children);
export const draw = (tag, given = {}, ...children) =>
  fill(document.createElementNS("http://www.w3.org/2000/svg", tag), given, children);
export const outward = (href, text) => make("a", { href, target: "_blank", rel: "noopener noreferrer" }, text);
export const day = (date) => (date ? new Date(`${date}T00:00`).toLocaleDateString("en-US", { dateStyle: "long" }) : "");
export const joined = (...parts) => parts.filter(Boolean).join(" · ");
export const button = (text, key, press, css) =>
  make("button", { type: "button", press, css }, text, key ? " " : "", key ? make("kbd", {}, key) : "");

// One request to the service. Whatever it refuses is an error with the status and the service's own words.
export const call = async (path, body, signal) => {
  const sent = body === undefined ? {} : { method: "POST", body: JSON.stringify(body), headers: { "Content-Type": "application/json" } };
  const reply = await fetch(new URL(`api/${path}`, import.meta.url), { ...sent, signal });
  if (reply.status === 401) {
    by("gone").hidden = false;
  }
  if (!reply.ok) {
    const told = await reply.json().catch(() => ({}));
    throw Object.assign(new Error(told.error?.message ?? "No answer came."), { status: reply.status });
  }
  return reply.json();
};
