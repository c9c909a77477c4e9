"use strict";
// What every page does: language, colours, sorting, menu, glossary and printing.
(() => {
  const root = document.documentElement;
  const all = (query) => [...document.querySelectorAll(query)];
  const keep = (name, value) => {
    try { localStorage.setItem("kofinlaw-" + name, value); } catch { /* not kept: no storage */ }
  };

  // A label that occurs many times is written once in each language, as the data of the page.
  const source = document.getElementById("words");
  const words = source ? JSON.parse(source.textContent) : {};

  const languages = all(".language button");
  const say = (language) => {
    root.dataset.lang = root.lang = language;
    for (const button of languages) button.setAttribute("aria-pressed", String(button.value === language));
    for (const node of all("[data-ko]")) {
      const text = node.dataset[language];
      if (node.tagName === "INPUT") node.placeholder = text;
      else if (node.tagName === "OPTION") node.textContent = text;
      else node.setAttribute("aria-label", text);
    }
    const at = language === "ko" ? 0 : 1;
    for (const node of all("[data-w]")) node.textContent = words[node.dataset.w][at];
    for (const node of all("[data-m]")) node.title = words[node.dataset.m][at];
    const title = root.dataset[language + "Title"];
    if (title) document.title = title;
    document.dispatchEvent(new Event("language"));
  };
  for (const button of languages) {
    button.addEventListener("click", () => { keep("language", button.value); say(button.value); });
  }

  const dark = matchMedia("(prefers-color-scheme: dark)");
  const switches = all("button.theme");
  const isDark = () => root.dataset.theme === "dark"; // first.js sets it, also when the system changes
  const mark = () => { for (const one of switches) one.setAttribute("aria-pressed", String(isDark())); };
  for (const one of switches) {
    one.addEventListener("click", () => {
      root.dataset.theme = isDark() ? "light" : "dark";
      keep("theme", root.dataset.theme);
      mark();
    });
  }
  dark.addEventListener("change", mark);
  mark();

  for (const table of all("table.sortable")) {
    const heads = [...table.tHead.rows[0].cells];
    heads.forEach((head, at) => {
      head.querySelector("button")?.addEventListener("click", () => {
        const down = head.getAttribute("aria-sort") !== "descending";
        for (const other of heads) if (other.hasAttribute("aria-sort")) other.setAttribute("aria-sort", "none");
        head.setAttribute("aria-sort", down ? "descending" : "ascending");
        const numbers = head.classList.contains("num");
        const worth = (row) => {
          const text = row.cells[at].dataset.sort;
          return text === "" || text === undefined ? null : numbers ? Number(text) : text;
        };
        const compared = (x, y) => (numbers ? x - y : x.localeCompare(y));
        const rows = [...table.tBodies[0].rows];
        rows.sort((a, b) => {
          const [x, y] = [worth(a), worth(b)];
          if (x === null || y === null) return (x === null) - (y === null);
          return down ? compared(y, x) : compared(x, y);
        });
        table.tBodies[0].append(...rows);
      });
    });
  }

  const links = all("nav.toc a[href^='#']");
  if (links.length && "IntersectionObserver" in window) {
    const nav = document.querySelector("nav.toc");
    const seen = new Set();
    const sections = links.map((link) => document.getElementById(link.hash.slice(1)));
    const watch = new IntersectionObserver((changes) => {
      for (const change of changes) {
        if (change.isIntersecting) seen.add(change.target);
        else seen.delete(change.target);
      }
      const now = sections.findIndex((section) => seen.has(section));
      links.forEach((link, at) => {
        if (at === now) link.setAttribute("aria-current", "true");
        else link.removeAttribute("aria-current");
      });
      if (now >= 0) nav.scrollLeft = links[now].offsetLeft - nav.offsetLeft - 40;
    }, { rootMargin: "-120px 0px -60% 0px" });
    for (const section of sections) if (section) watch.observe(section);
  }

  // The explanation of a term, while the pointer or the focus is on it; Escape hides it.
  const box = document.getElementById("tip");
  if (box) {
    let timer = 0;
    const hide = () => { box.hidden = true; };
    const show = (term) => {
      clearTimeout(timer);
      const text = document.getElementById(term.getAttribute("aria-describedby"));
      if (!text) return;
      box.textContent = text.textContent;
      box.lang = root.lang;
      box.hidden = false;
      const place = term.getBoundingClientRect();
      const [width, height] = [box.offsetWidth, box.offsetHeight];
      const left = Math.min(Math.max(8, place.left), root.clientWidth - width - 8);
      const below = place.bottom + 6 + height < root.clientHeight;
      box.style.left = `${left}px`;
      box.style.top = `${below ? place.bottom + 6 : Math.max(8, place.top - height - 6)}px`;
    };
    const later = () => { timer = setTimeout(hide, 150); };
    for (const term of all("a.term")) {
      term.addEventListener("mouseenter", () => show(term));
      term.addEventListener("focus", () => show(term));
      term.addEventListener("mouseleave", later);
      term.addEventListener("blur", hide);
    }
    box.addEventListener("mouseenter", () => clearTimeout(timer));
    box.addEventListener("mouseleave", later);
    addEventListener("keydown", (event) => { if (event.key === "Escape") hide(); });
    addEventListener("scroll", hide, { passive: true });
  }

  // A link to an item opens it.
  const openTarget = () => {
    const target = location.hash.length > 1 && document.getElementById(location.hash.slice(1));
    if (target && target.tagName === "DETAILS") { target.open = true; target.scrollIntoView(); }
  };
  addEventListener("hashchange", openTarget);
  openTarget();

  // A page of a run at work loads itself again, unless the reader pauses it.
  const pause = document.querySelector("button[data-reload]");
  if (pause) {
    const paused = () => pause.getAttribute("aria-pressed") === "true";
    const set = (on) => pause.setAttribute("aria-pressed", String(on));
    try { set(sessionStorage.getItem("kofinlaw-paused") === "true"); } catch { /* no storage */ }
    pause.addEventListener("click", () => {
      set(!paused());
      try { sessionStorage.setItem("kofinlaw-paused", String(paused())); } catch { /* no storage */ }
    });
    setInterval(() => { if (!paused()) location.reload(); }, 1000 * Number(pause.dataset.reload));
  }

  // In print the wrong items that are shown are open, and all further details stay closed.
  let opened = [];
  addEventListener("beforeprint", () => {
    opened = all(".item:not([hidden]):not([open])").slice(0, 8);
    for (const item of opened) item.open = true;
  });
  addEventListener("afterprint", () => { for (const item of opened) item.open = false; });

  say(root.lang === "en" ? "en" : "ko");
})();
