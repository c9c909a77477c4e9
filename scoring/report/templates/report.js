"use strict";
// The items of the report: filters, search and "more".
(() => {
  const root = document.documentElement;
  const items = [...document.querySelectorAll(".item")].map((node) => ({
    node,
    marks: node.dataset.marks, // a digit a system, in the order of the list
    slices: node.dataset.slices.split(" "),
    text: null,
  }));
  const field = (id) => document.getElementById(id);
  const [first, page] = [8, 24];
  let shown = first;
  const textOf = (item) => (item.text ??= item.node.textContent.toLowerCase());
  const passes = (item, system, other, state) => {
    const now = item.marks[system];
    const before = item.marks[other];
    if (state === "wrong") return now === "0";
    if (state === "right") return now === "1";
    if (state === "gained") return now === "1" && before === "0";
    if (state === "lost") return now === "0" && before === "1";
    return true;
  };
  const show = () => {
    const [system, other] = [field("system").selectedIndex, field("other").selectedIndex];
    const [state, slice] = [field("state").value, field("slice").value];
    const wanted = field("search").value.trim().toLowerCase().split(/\s+/).filter(Boolean);
    let hits = 0;
    for (const item of items) {
      const hit = passes(item, system, other, state)
        && (!slice || item.slices.includes(slice))
        && wanted.every((word) => textOf(item).includes(word));
      hits += hit;
      item.node.hidden = !hit || hits > shown;
    }
    const more = field("more");
    more.hidden = hits <= shown;
    field("left").textContent = String(Math.max(0, hits - shown));
    field("count").textContent = root.lang === "ko"
      ? `${items.length}문항 가운데 ${hits}문항`
      : `${hits} of ${items.length} items`;
  };
  if (items.length) {
    for (const id of ["system", "other", "state", "slice", "search"]) {
      field(id).addEventListener("input", () => { shown = first; show(); });
    }
    field("more").addEventListener("click", () => { shown += page; show(); });
  }
  document.addEventListener("language", () => {
    for (const item of items) item.text = null;
    if (items.length) show();
  });
})();
