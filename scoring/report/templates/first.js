"use strict";
// Runs before the page is drawn: sets the language and the colours that this reader chose before;
// the colours of the system otherwise. Without scripts the page is light.
(() => {
  const root = document.documentElement;
  const kept = (name) => {
    try { return localStorage.getItem("kofinlaw-" + name); } catch { return null; }
  };
  root.dataset.lang = root.lang = kept("language") === "en" ? "en" : "ko";
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const colours = () => {
    const theme = kept("theme");
    root.dataset.theme = theme === "dark" || theme === "light" ? theme : dark.matches ? "dark" : "light";
  };
  dark.addEventListener("change", colours);
  colours();
})();
