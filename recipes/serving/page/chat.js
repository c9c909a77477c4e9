"use strict";
// All texts of the server enter the page as text nodes: nothing in a statute becomes markup.
const WORDS = {
  ko: {
    day: "기준일", token: "토큰", clear: "기록 지우기", question: "질문", send: "묻기", stop: "중지",
    hint: "Enter: 묻기, Shift+Enter: 줄 바꿈. 기록은 이 브라우저에만 남습니다.",
    waiting: "답하는 중…", done: "답이 나왔습니다", evidence: "근거", none: "근거 없음", whole: "조문 전체",
    verified: "인용한 글자가 조문과 같음", unverified: "인용이 조문과 다름", decides: "결정 근거",
    abstained: "문서가 이 질문을 다루지 않아 답하지 않았습니다", nearest: "가장 가까운 조문",
    quotation: "모델의 답 대신 조문을 그대로 인용했습니다", asked: "기준일 {day}", refuted: "말뭉치와 맞지 않는 인용: {text}",
    stopped: "중지했습니다", lost: "서버에 연결할 수 없습니다", locked: "토큰을 입력하고 다시 물으세요",
    other: "English",
  },
  en: {
    day: "Law as of", token: "Token", clear: "Clear history", question: "Question", send: "Ask", stop: "Stop",
    hint: "Enter asks, Shift+Enter starts a new line. The history stays in this browser.",
    waiting: "Answering…", done: "The answer is ready", evidence: "Evidence", none: "No evidence",
    whole: "Whole passage", verified: "quoted letter by letter", unverified: "quotation differs from the text",
    decides: "decides", abstained: "Not answered: the documents do not bear on this question",
    nearest: "Nearest passages", quotation: "The law is quoted in place of the model's text",
    asked: "law as of {day}", refuted: "the corpus refutes this reference: {text}",
    stopped: "Stopped", lost: "The server cannot be reached",
    locked: "Enter the token and ask again", other: "한국어",
  },
};
const REFUTED = ["differs", "not_in_force", "repealed", "absent"];
const KEY = "kofinlaw-chat", LANGUAGE = "kofinlaw-language", MOST = 50;
const $ = (id) => document.getElementById(id);

function read(key, other) {
  try { return JSON.parse(localStorage.getItem(key)) ?? other; } catch { return other; }
}

function write(key, value) {
  try { localStorage.setItem(key, JSON.stringify(value)); } catch { /* storage is full or off */ }
}

let language = read(LANGUAGE, "ko") === "en" ? "en" : "ko";
let history = read(KEY, []);
if (!Array.isArray(history)) history = [];
let running = null, model = "", status = "";

function node(name, text, parent, style) {
  const made = document.createElement(name);
  if (text) made.textContent = text;
  if (style) made.className = style;
  if (parent) parent.append(made);
  return made;
}

function showCitation(one, parent) {
  const words = WORDS[language];
  const block = node("div", "", parent, one.decides ? "cited decides" : "cited");
  node("h4", one.unit, block);
  const checked = one.verified ? words.verified : words.unverified;
  const facts = [one.version, one.decides && words.decides, one.verified && checked];
  node("p", facts.filter(Boolean).join(" · "), block, "soft");
  if (!one.verified) node("p", checked, block, "warn");
  const quoted = node("blockquote", "", block);
  const letters = Array.from(one.quoted); // ranges count characters, not UTF-16 units
  let end = 0;
  for (const [start, stop] of one.marks || []) {
    quoted.append(letters.slice(end, start).join(""));
    node("mark", letters.slice(start, stop).join(""), quoted);
    end = stop;
  }
  quoted.append(letters.slice(end).join(""));
  const whole = node("details", "", block);
  node("summary", words.whole, whole);
  node("p", one.text, whole);
}

function showTurn(turn) {
  const words = WORDS[language];
  const article = node("article", "", $("log"));
  node("h2", turn.question, article);
  const left = node("div", "", article), right = node("div", "", article, "evidence");
  if (turn.day) node("p", words.asked.replace("{day}", turn.day), left, "soft");
  if (turn.fault) node("p", words[turn.fault] || turn.fault, left, "warn");
  if (turn.answer === undefined) return;
  node("p", turn.answer, left, "answer");
  if (turn.abstained) node("p", words.abstained, left, "soft");
  if (turn.origin === "quotation" || turn.origin === "fallback") node("p", words.quotation, left, "soft");
  for (const one of turn.references || []) {
    if (REFUTED.includes(one.verdict)) node("p", words.refuted.replace("{text}", one.text), left, "warn");
  }
  if (turn.origin === undefined) return; // the chat is continued without an index
  const cited = turn.citations || [], nearest = turn.nearest || [];
  node("h3", nearest.length ? words.nearest : cited.length ? words.evidence : words.none, right);
  for (const one of cited) showCitation(one, right);
  for (const one of nearest) node("p", one, right);
}

function show() {
  const words = WORDS[language];
  document.documentElement.lang = language;
  for (const one of document.querySelectorAll("[data-text]")) one.textContent = words[one.dataset.text];
  $("language").textContent = words.other;
  $("language").lang = language === "ko" ? "en" : "ko";
  $("status").textContent = words[status] || "";
  $("log").replaceChildren();
  history.forEach(showTurn);
}

function busy(on) {
  $("stop").hidden = !on;
  $("send").disabled = on;
  $("clear").disabled = on;
}

async function call(path, options) {
  const token = $("token").value;
  const headers = { "Content-Type": "application/json" };
  if (token) headers.Authorization = `Bearer ${token}`;
  const got = await fetch(path, { ...options, headers });
  if (got.status === 401) {
    $("token-label").hidden = false;
    throw new Error("locked");
  }
  const body = await got.json().catch(() => null);
  if (!got.ok || !body) throw new Error(body?.error?.message || `HTTP ${got.status}`);
  return body;
}

async function ask(question, day) {
  const turn = { question, day };
  history = [...history, turn].slice(-MOST);
  running = new AbortController();
  busy(true);
  status = "waiting";
  show();
  $("log").lastElementChild.scrollIntoView({ block: "start" });
  try {
    if (!model) model = (await call("/v1/models", { signal: running.signal })).data[0].id;
    const body = { model, messages: [{ role: "user", content: question }] };
    if (day) body.as_of = day;
    const options = { method: "POST", body: JSON.stringify(body), signal: running.signal };
    const got = await call("/v1/chat/completions", options);
    turn.answer = got.choices[0].message.content;
    for (const name of ["citations", "references", "nearest", "abstained", "origin"]) turn[name] = got[name];
  } catch (error) {
    turn.fault = error.name === "AbortError" ? "stopped" : error instanceof TypeError ? "lost" : error.message;
  }
  busy(false);
  write(KEY, history);
  status = turn.fault ? "" : "done";
  show();
  $("log").lastElementChild?.scrollIntoView({ block: "start" });
  if (turn.fault === "locked") {
    $("question").value = question;
    $("token").focus();
  } else {
    $("question").focus({ preventScroll: true });
  }
}

$("form").addEventListener("submit", (event) => {
  event.preventDefault();
  const question = $("question").value.trim();
  if (!question || $("send").disabled) return;
  $("question").value = "";
  ask(question, $("day").value);
});
$("question").addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
  event.preventDefault();
  $("form").requestSubmit();
});
$("stop").addEventListener("click", () => running?.abort());
$("clear").addEventListener("click", () => {
  history = [];
  status = "";
  write(KEY, history);
  show();
  $("question").focus();
});
$("language").addEventListener("click", () => {
  language = language === "ko" ? "en" : "ko";
  write(LANGUAGE, language);
  show();
});
show();
