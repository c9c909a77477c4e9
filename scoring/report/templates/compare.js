"use strict";
(() => {
  const root = document.documentElement;
  const buttons = [...document.querySelectorAll(".language button")];
  for (const button of buttons) {
    button.addEventListener("click", () => {
      root.lang = root.dataset.lang = button.value;
      for (const other of buttons) other.setAttribute("aria-pressed", String(other === button));
      for (const node of document.querySelectorAll("[data-ko]")) {
        node.setAttribute("aria-label", node.dataset[button.value]);
      }
    });
  }
  for (const table of document.querySelectorAll("table.sortable")) {
    const heads = [...table.tHead.rows[0].cells];
    heads.forEach((head, at) => {
      head.querySelector("button")?.addEventListener("click", () => {
        const down = head.getAttribute("aria-sort") !== "descending";
        for (const other of heads.slice(1)) other.setAttribute("aria-sort", "none");
        head.setAttribute("aria-sort", down ? "descending" : "ascending");
        const worth = (row) => {
          const text = row.cells[at].dataset.sort;
          return text === "" ? null : Number(text);
        };
        const rows = [...table.tBodies[0].rows];
        rows.sort((a, b) => {
          const [x, y] = [worth(a), worth(b)];
          if (x === null || y === null) return (x === null) - (y === null);
          return down ? y - x : x - y;
        });
        table.tBodies[0].append(...rows);
      });
    });
  }
})();
