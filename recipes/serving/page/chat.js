"use strict";
// All texts of the server enter the page as text nodes: nothing in a statute becomes markup.
const WORDS = {
  ko: { day: "기준일", token: "토큰", clear: "기록 지우기", question: "질문", send: "묻기", stop: "중지", waiting: "답하는 중…", evidence: "근거", none: "근거 없음", whole: "조문 전체", verified: "인용 확인됨", unverified: "인용 확인 안 됨", stopped: "중지했습니다", lost: "서버에 연결할 수 없습니다", other: "English" },
  en: { day: "As of", token: "Token", clear: "Clear history", question: "Question", send: "Ask", stop: "Stop", waiting: "Answering…", evidence: "Evidence", none: "No evidence", whole: "Whole passage", verified: "quotation verified", unverified: "quotation not verified", stopped: "Stopped", lost: "The server cannot be reached", other: "한국어" },
};
const KEY = "kofinlaw-chat", LANGUAGE = "kofinlaw-language", MOST = 50;
const $ = (id) => document.getElementById(id);
const read = (key, other) => { try { return JSON.parse(localStorage.getItem(key)) ?? other; } catch { return other; } };
const write = (key, value) => { try { localStorage.setItem(key, JSON.stringify(value)); } catch { /* full or off */ } };
let language = read(LANGUAGE, "ko") === "en" ? "en" : "ko";
let history = read(KEY, []);
if (!Array.isArray(history)) history = [];
let running = null, model = "";

function node(name, text, parent, style) {
  const made = document.createElement(name);
  if (text) made.textContent = text;
  if (style) made.className = style;
  if (parent) parent.append(made);
  return made;
}

function quote(citation, parent) {
  const block = node("blockquote", "", parent);
  let end = 0;
  const letters = Array.from(citation.quoted);  // ranges count characters, not UTF-16 units
  for (const [start, stop] of citation.marks || []) {
    block.append(letters.slice(end, start).join(""));
    node("mark", letters.slice(start, stop).join(""), block);
    end = stop;
  }
  block.append(letters.slice(end).join(""));
}

function show() {
  const words = WORDS[language], log = $("log");
  document.documentElement.lang = language;
  for (const one of document.querySelectorAll("[data-text]")) one.textContent = words[one.dataset.text];
  $("language").textContent = words.other;
  $("language").lang = language === "ko" ? "en" : "ko";
  log.replaceChildren();
  for (const turn of history) {
    const article = node("article", "", log);
    node("h2", turn.question + (turn.day ? ` (${turn.day})` : ""), article);
    const left = node("div", "", article), right = node("div", "", article);
    node("p", turn.answer || (turn.fault ? words[turn.fault] || turn.fault : words.waiting), left, turn.answer ? "" : "soft");
    if (!turn.answer) continue;
    const cited = turn.citations || [];
    node("p", cited.length ? words.evidence : words.none, right, "soft");
    for (const one of cited) {
      node("p", [one.unit, one.version, one.verified ? words.verified : words.unverified].filter(Boolean).join(" · "), right);
      quote(one, right);
      const whole = node("details", "", right);
      node("summary", words.whole, whole);
      node("p", one.text, whole);
    }
    for (const one of turn.nearest || []) node("p", one, right, "soft");
  }
}

function headers() {
  const token = $("token").value;
  return { "Content-Type": "application/json", ...(token ? { Authorization: `Bearer ${token}` } : {}) };
}

async function call(path, options) {
  const got = await fetch(path, { ...options, headers: headers() });
  if (got.status === 401) { $("token-label").hidden = false; $("token").focus(); }
  const body = await got.json();
  if (!got.ok) throw new Error(body.error.message);
  return body;
}

async function ask(question, day) {
  const turn = { question, day };
  history = [...history, turn].slice(-MOST);
  running = new AbortController();
  $("stop").hidden = false; $("send").disabled = true;
  show();
  try {
    if (!model) model = (await call("/v1/models", {})).data[0].id;
    const body = { model, messages: [{ role: "user", content: question }], ...(day ? { as_of: day } : {}) };
    const got = await call("/v1/chat/completions", { method: "POST", body: JSON.stringify(body), signal: running.signal });
    turn.answer = got.choices[0].message.content || " ";
    turn.citations = got.citations; turn.nearest = got.nearest;
  } catch (error) {
    turn.fault = error.name === "AbortError" ? "stopped" : error instanceof TypeError ? "lost" : error.message;
  }
  $("stop").hidden = true; $("send").disabled = false;
  write(KEY, history);
  show();
  $("question").focus();
}

$("form").addEventListener("submit", (event) => {
  event.preventDefault();
  const question = $("question").value.trim();
  if (!question || $("send").disabled) return;
  $("question").value = "";
  ask(question, $("day").value);
});
$("question").addEventListener("keydown", (event) => {
  if (event.key === "Enter" && !event.shiftKey && !event.isComposing) { event.preventDefault(); $("form").requestSubmit(); }
});
$("stop").addEventListener("click", () => running?.abort());
$("clear").addEventListener("click", () => { history = []; write(KEY, history); show(); });
$("language").addEventListener("click", () => { language = language === "ko" ? "en" : "ko"; write(LANGUAGE, language); show(); });
show();
