// What the page adds to Gradio's conversation: the newest question comes into view, and takes the focus when a
// pressed suggestion has gone, messages are read as text, and a failed request is said aloud and can be tried
// again. It stores nothing and asks nothing of anybody.
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
      if (!document.activeElement?.closest("#composer")) {
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

  const send = window.fetch.bind(window);

  // After a request that got no reply Gradio takes no more questions and reloads the page, with the loss of all
  // that was said. To it, such a request is one that the server refused.
  window.fetch = async (resource, options) => {
    if (!new URL(resource.url ?? resource, document.baseURI).pathname.endsWith("/run/predict")) {
      return send(resource, options);
    }
    document.documentElement.dataset.asking = "";
    const reply = await send(resource, options).catch(() => Response.json({ error: {} }, { status: 503 }));
    delete document.documentElement.dataset.asking;
    const trouble = document.getElementById("trouble");
    if (!reply.ok) {
      const said = await reply.clone().json().catch(() => ({}));
      trouble.lastElementChild.textContent = said.error?.message ?? "";
    }
    trouble.hidden = reply.ok;
    return reply;
  };
})();
