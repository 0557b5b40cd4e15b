// The question box with the choices that stand in this page's address.
"use strict";

{
  const element = document.createElement("ask-iop");
  const known = "lang theme accent position mode greeting suggestions helpline privacy-url persist open".split(" ");
  for (const [name, value] of new URLSearchParams(location.search)) {
    if (known.includes(name)) {
      element.setAttribute(name, value);
    }
  }
  document.getElementById("place").append(element);
}
