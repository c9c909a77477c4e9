"use strict";
// Runs before the page is drawn: sets the language and the colours that this reader chose before.
(() => {
  const root = document.documentElement;
  const kept = (name) => {
    try { return localStorage.getItem("kofinlaw-" + name); } catch { return null; }
  };
  root.dataset.lang = root.lang = kept("language") === "en" ? "en" : "ko";
  const theme = kept("theme");
  if (theme === "dark" || theme === "light") root.dataset.theme = theme;
})();
