"use strict";
// All texts of the server enter the page as text nodes: nothing in an example becomes markup.
const LANGUAGE = "kofinlaw-language";
const $ = (id) => document.getElementById(id);

function stored() {
  try { return JSON.parse(localStorage.getItem(LANGUAGE)); } catch { return null; }
}

let language = stored() === "en" ? "en" : "ko";
let state = null, example = null, differ = [], busy = false;
// The last message and the last error: functions, so that they change with the page's language.
let status = () => "", fault = () => "";

function node(name, text, parent, style) {
  const made = document.createElement(name);
  if (text) made.textContent = text;
  if (style) made.className = style;
  if (parent) parent.append(made);
  return made;
}

function words(name, values = {}) {
  return filled(WORDS[language][name], values);
}

function failed(text) {
  return Object.assign(new Error(text()), { text });
}

async function call(path, body) {
  const headers = { "Content-Type": "application/json" };
  if ($("token").value) headers.Authorization = `Bearer ${$("token").value}`;
  const options = body === undefined ? { headers } : { method: "POST", headers, body: JSON.stringify(body) };
  let got;
  try {
    got = await fetch(path, options);
  } catch {
    throw failed(() => words("lost"));
  }
  if (got.status === 401) {
    $("token-label").hidden = false;
    $("token").focus();
    throw failed(() => words("locked"));
  }
  const value = await got.json().catch(() => null);
  if (!got.ok || !value) throw failed(() => reasonOf(value?.error ?? { message: `HTTP ${got.status}` }));
  return value;
}

// What the server refused, in the page's language where the page knows the reason.
function reasonOf(error) {
  const known = WORDS[language].errors[error.code];
  if (known) return filled(known, error.values ?? {});
  return words("answered", { text: [error.where, error.message].filter(Boolean).join(": ") });
}

// Only one request at a time: a key that is pressed twice must not judge the next example.
async function busily(work) {
  if (busy) return;
  busy = true;
  fault = () => "";
  showMessages();
  try {
    await work();
  } catch (error) {
    fault = error.text ?? (() => error.message);
  }
  showMessages();
  busy = false;
}

function share(value) {
  return value === null ? "–" : `${(100 * value).toFixed(1)} %`;
}

function showProgress() {
  $("columns").replaceChildren();
  for (const name of WORDS[language].columns) node("th", name, $("columns")).scope = "col";
  $("kinds").replaceChildren();
  for (const [kind, row] of Object.entries(state.kinds)) {
    const line = node("tr", "", $("kinds"), row.verdict);
    node("th", kind, line).scope = "row";
    const counts = [row.examples, state.own[kind], row.read, row.wrong, row.unclear];
    for (const value of counts) node("td", String(value), line);
    for (const value of [row.least, row.most]) node("td", share(value), line);
    const at = row.decided_at ? ` ${words("after", { n: row.decided_at })}` : "";
    node("td", row.read ? words(row.verdict) + at : words("none"), line);
  }
  const readers = $("readers");
  readers.replaceChildren();
  for (const one of state.agreement) {
    let kappa = one.kappa === null ? words("undefined") : one.kappa.toFixed(2);
    if (one.low !== null) kappa += words("interval", { low: one.low.toFixed(2), high: one.high.toFixed(2) });
    node("p", words("agreement", { a: one.readers[0], b: one.readers[1], n: one.n, equal: one.equal, kappa }), readers);
  }
  const { left_out: out, edited } = state.changes;
  if (out || edited) node("p", words("changes", { out, edited }), readers);
  if (state.to_settle.length) node("h3", words("settle"), readers);
  for (const id of state.to_settle) {
    const button = node("button", id, readers);
    button.type = "button";
    button.addEventListener("click", () => busily(() => settle(id)));
  }
}

function showMessages() {
  $("status").textContent = status();
  $("fault").textContent = fault();
}

function show() {
  document.documentElement.lang = language;
  for (const one of document.querySelectorAll("[data-text]")) one.textContent = words(one.dataset.text);
  $("language").textContent = words("other");
  $("language").lang = language === "ko" ? "en" : "ko";
  showMessages();
  if (!state) return;
  $("name").textContent = `kofinlaw review · ${state.run}`;
  $("reader").textContent = words("reader", { name: state.reader });
  const chosen = $("kind").value;
  $("kind").replaceChildren();
  for (const name of ["", ...Object.keys(state.kinds)]) node("option", name || words("every"), $("kind")).value = name;
  $("kind").value = chosen;
  showExample();
  showProgress();
}

async function next() {
  const kind = $("kind").value;
  example = (await call(`/api/next?kind=${encodeURIComponent(kind)}`)).example;
  differ = [];
  if (!example) status = () => words(kind ? "doneKind" : "done");
  fillFields();
  show();
  $("title").focus({ preventScroll: true });
  window.scrollTo(0, 0);
}

async function settle(id) {
  const got = await call(`/api/example/${encodeURIComponent(id)}`);
  if (!got.differ.length) { // another reader was faster
    state = await call("/api/state");
    status = () => words("agreed");
    show();
    return;
  }
  example = got.example;
  differ = got.differ;
  fillFields();
  show();
  $("title").focus();
}

async function judge(verdict) {
  if (!example) return;
  const fixed = verdict === "wrong" ? correction() : null;
  state = await call("/api/verdict", {
    id: example.id, sha256: example.sha256, verdict, reason: $("reason").value, correction: fixed,
    settles: differ.length > 0,
  });
  const { id } = example;
  status = () => words("saved", { text: `${id}, ${WORDS[language].kinds[verdict]}` });
  await next();
}

async function undo() {
  const got = await call("/api/undo", {});
  state = got;
  status = () => words(got.example ? "undone" : "nothing");
  if (got.example) {
    example = got.example;
    differ = got.differ;
    fillFields();
  }
  show();
  if (example) $("title").focus();
}

function openWrong() {
  if (!example) return;
  $("save").hidden = false;
  $("reason").focus();
}

function openCorrection() {
  if (!example) return;
  $("correction").open = true;
  $("save").hidden = false;
  $("field-question").focus();
}

const KEYS = {
  1: () => busily(() => judge("right")), 2: openWrong, 3: () => busily(() => judge("unclear")),
  u: () => busily(undo), Backspace: () => busily(undo), r: () => $("reason").focus(), c: openCorrection,
};

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
  if (event.target.matches("input, textarea, select")) {
    if (event.key === "Escape") $("title").focus();
    return;
  }
  // Keys by their place too: with a Korean layout `u` types a letter of Hangul.
  const place = { KeyU: "u", KeyR: "r", KeyC: "c", Numpad1: "1", Numpad2: "2", Numpad3: "3" }[event.code];
  const act = KEYS[event.key] ?? KEYS[place];
  if (!act || event.repeat) return;
  event.preventDefault();
  act();
});
$("reason").addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
  event.preventDefault();
  if (!$("save").hidden) busily(() => judge("wrong"));
});
$("form").addEventListener("submit", (event) => {
  event.preventDefault();
  busily(() => judge("wrong"));
});
$("correction").addEventListener("toggle", () => { if ($("correction").open) $("save").hidden = false; });
$("right").addEventListener("click", KEYS[1]);
$("wrong").addEventListener("click", openWrong);
$("unclear").addEventListener("click", KEYS[3]);
$("undo").addEventListener("click", KEYS.u);
$("kind").addEventListener("change", () => busily(next));
$("token").addEventListener("change", () => busily(start));
$("language").addEventListener("click", () => {
  language = language === "ko" ? "en" : "ko";
  try { localStorage.setItem(LANGUAGE, JSON.stringify(language)); } catch { /* storage is off */ }
  show();
});

async function start() {
  state = await call("/api/state");
  show();
  await next();
}

show();
busily(start);
