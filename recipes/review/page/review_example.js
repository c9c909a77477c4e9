"use strict";
// Show the example that is read, and its fields for a correction.

function showMarked(passage, parent) {
  const block = node("div", "", parent, "passage");
  if (passage.name) node("h4", passage.name, block);
  const text = node("p", "", block);
  block.lang = "ko";
  const letters = Array.from(passage.text); // ranges count characters, not UTF-16 units
  let end = 0;
  for (const [start, stop] of passage.marks) {
    text.append(letters.slice(end, start).join(""));
    node("mark", letters.slice(start, stop).join(""), text);
    end = stop;
  }
  text.append(letters.slice(end).join(""));
}

function showExample() {
  $("reading").hidden = !example;
  if (!example) return;
  $("title").textContent = `${example.kind} · ${example.id}`;
  $("earlier").replaceChildren();
  if (example.earlier.length) node("h3", words("earlier"), $("earlier"));
  for (const turn of example.earlier) node("p", turn.content, $("earlier"), "soft");
  $("question").textContent = example.question;
  $("options").replaceChildren();
  example.options.forEach((text, index) => {
    const right = String(index + 1) === example.answer;
    const item = node("li", "", $("options"), right ? "answer" : "");
    node("span", text, item).lang = "ko";
    if (right) node("span", ` ← ${words("answer")}`, item, "said");
  });
  const shown = example.options.length ? example.target : [example.answer, example.target].filter(Boolean).join("\n");
  $("target").textContent = shown ? `${words(example.options.length ? "reasoning" : "answer")}: ${shown}` : "";
  $("differ").replaceChildren();
  if (differ.length) node("p", words("differ"), $("differ"), "warn");
  for (const one of differ) {
    const said = words("said", { name: one.reader, verdict: WORDS[language].kinds[one.verdict] });
    node("p", one.reason ? `${said}. ${one.reason}` : said, $("differ"));
    if (one.correction) node("p", corrections(one.correction).join("\n"), $("differ"), "soft");
  }
  const sources = $("sources");
  sources.replaceChildren();
  node("h3", words(example.evidence.length ? "evidence" : "bare"), sources);
  for (const one of example.evidence) showMarked(one, sources);
  node("h3", words(example.articles.length ? "articles" : "unknown"), sources);
  for (const one of example.articles) showMarked(one, sources);
  for (const label of document.querySelectorAll("#fields label")) {
    label.textContent = words(label.dataset.word, label.dataset);
  }
}

// What a correction changes, a line each.
function corrections(given) {
  const choice = example.options.length > 0;
  const lines = [[words("question"), given.question, example.question]];
  example.options.forEach((text, index) => {
    lines.push([words("option", { n: index + 1 }), given.options[index], text]);
  });
  lines.push([words("answer"), given.answer, example.answer]);
  lines.push([words(choice ? "reasoning" : "target"), given.target, example.target]);
  return lines.filter(([, now, before]) => now !== before).map(([name, now]) => `${name}: ${now}`);
}

function field(name, word, value, n = "") {
  const id = `field-${name}${n}`;
  const label = node("label", words(word, { n }), $("fields"));
  label.htmlFor = id;
  Object.assign(label.dataset, { word, n });
  const input = node("textarea", "", $("fields"));
  input.id = id;
  input.rows = Math.min(8, 1 + Math.floor(value.length / 60) + value.split("\n").length - 1);
  input.value = value;
}

function choose(values) {
  const label = node("label", words("answer"), $("fields"));
  label.htmlFor = "field-answer";
  label.dataset.word = "answer";
  const select = node("select", "", $("fields"));
  select.id = "field-answer";
  for (const value of values) node("option", value, select).value = value;
  select.value = example.answer;
}

function fillFields() {
  $("fields").replaceChildren();
  $("reason").value = "";
  $("save").hidden = true;
  $("correction").open = false;
  if (!example) return;
  field("question", "question", example.question);
  example.options.forEach((text, index) => field("option", "option", text, String(index + 1)));
  if (example.options.length) choose(example.options.map((_, index) => String(index + 1)));
  if (example.form === "statement") choose(["맞음", "틀림", "알 수 없음"]);
  if (example.target) field("target", example.options.length ? "reasoning" : "target", example.target);
}

function correction() {
  if (!$("correction").open) return null;
  const value = (id) => $(id)?.value.trim() ?? "";
  const found = {
    question: value("field-question"),
    options: example.options.map((_, index) => value(`field-option${index + 1}`)),
    answer: value("field-answer"),
    target: value("field-target"),
  };
  const same = (a, b) => JSON.stringify(a) === JSON.stringify(b);
  const trimmed = {
    question: example.question.trim(), options: example.options.map((one) => one.trim()),
    answer: example.answer, target: example.target.trim(),
  };
  return same(found, trimmed) ? null : found;
}
