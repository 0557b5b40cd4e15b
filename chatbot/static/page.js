// What the page adds to Gradio's conversation: the newest question comes into view, focus is not lost when a
// pressed suggestion goes away, and messages are read as text. It stores nothing and asks nothing of anybody.
"use strict";

(() => {
  let shown = "";

  const tidy = () => {
    // Gradio repeats a message's source, tags and all, as its accessible name.
    for (const message of document.querySelectorAll("[data-testid=bot][aria-label], [data-testid=user][aria-label]")) {
      message.removeAttribute("aria-label");
    }
    for (const call of document.querySelectorAll("a.call[target]")) {
      call.removeAttribute("target");
    }
    const questions = document.querySelectorAll("#transcript .question");
    const newest = questions[questions.length - 1];
    const now = newest ? `${questions.length} ${newest.textContent}` : "";
    if (newest && now !== shown) {
      newest.tabIndex = -1;
      if (document.activeElement === document.body || document.activeElement === null) {
        newest.focus({ preventScroll: true });
      }
      newest.scrollIntoView({ block: "start" });
    }
    shown = now;
  };

  new MutationObserver(tidy).observe(document.documentElement, {
    subtree: true,
    childList: true,
    attributes: true,
    attributeFilter: ["aria-label", "target"],
  });
})();
