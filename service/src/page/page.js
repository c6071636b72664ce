// The emulator's page. Everything that comes from requests is put in as text, never as HTML.

const $ = (id) => document.getElementById(id);
const parts = (row) => (selector) => row.querySelector(selector);

/** The most requests that are shown. */
const REQUESTS = 200;

const state = {
  /** The emulator's time in ms at `at`, by performance.now(), and how fast it runs. */
  clock: { time_ms: 0, unix_ms: 0, rate: 1, at: 0 },
  hasClock: false,
  sessions: { active: 0, ended: 0, sessions: [] },
  faults: { count: 0, rules: [] },
  /** By number. */
  requests: new Map(),
  filter: "",
  search: "",
  paused: false,
  /** The number of the next request when the list was paused. */
  pausedAt: 0,
};

// Time

const now = () => state.clock.time_ms + (performance.now() - state.clock.at) * state.clock.rate;
const toUnix = (time) => state.clock.unix_ms - state.clock.time_ms + time;

function instant(unixMs) {
  const date = new Date(unixMs);
  return Number.isNaN(date.getTime()) ? null : date;
}

const readable = (date) => (date ? `${date.toISOString().slice(0, 19).replace("T", " ")} UTC` : "far away");

/** Such as "2 min 5 s": at most so many units. */
function span(ms, units = 2) {
  let left = Math.max(0, Math.floor(ms / 1000));
  if (left >= 3650 * 86400) return `${Math.floor(left / 86400 / 365.25).toLocaleString("en")} years`;
  const words = [];
  for (const [unit, length] of [["d", 86400], ["h", 3600], ["min", 60], ["s", 1]]) {
    const count = Math.floor(left / length);
    left -= count * length;
    if (count > 0) words.push(`${count} ${unit}`);
    else if (words.length > 0) break;
    if (words.length === units) break;
  }
  return words.join(" ") || "0 s";
}

const ago = (time) => (now() - time < 1000 ? "now" : `${span(now() - time, 1)} ago`);

function duration(ms) {
  if (ms === null) return "";
  if (ms < 10) return `${ms.toFixed(1)} ms`;
  return ms < 10000 ? `${Math.round(ms)} ms` : `${(ms / 1000).toFixed(1)} s`;
}

// Calls

let messageTimer = 0;

function tell(text, isProblem = false) {
  const message = $("message");
  message.textContent = text;
  message.classList.toggle("problem", isProblem);
  clearTimeout(messageTimer);
  messageTimer = setTimeout(() => { message.textContent = ""; }, isProblem ? 10000 : 4000);
}

/** Sends a control call. Reports what was done, or why it failed. */
async function call(method, path, body, done) {
  try {
    const reply = await fetch(`/emulator${path}`, {
      method,
      headers: body === undefined ? {} : { "Content-Type": "application/json" },
      body: body === undefined ? undefined : JSON.stringify(body),
    });
    if (!reply.ok) {
      const { error } = await reply.json().catch(() => ({}));
      throw new Error(error ?? `the emulator replied with ${reply.status}`);
    }
    tell(done);
    return true;
  } catch (error) {
    tell(error instanceof TypeError ? "The emulator does not answer." : `Refused: ${error.message}.`, true);
    return false;
  }
}

async function copy(text, button) {
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    // Without HTTPS, the page of another machine has no clipboard.
    const field = document.createElement("textarea");
    field.value = text;
    document.body.append(field);
    field.select();
    document.execCommand("copy");
    field.remove();
    button.focus();
  }
  button.classList.add("done");
  setTimeout(() => button.classList.remove("done"), 1500);
  tell("Copied.");
}

// Rows that stay as long as their items, so that the keyboard's focus stays too

function renderRows(body, items, key, make, update) {
  const rows = (body.rowsByKey ??= new Map());
  const keys = new Set(items.map(key));
  for (const [old, row] of rows) {
    if (keys.has(old)) continue;
    if (row.contains(document.activeElement)) body.closest("section").querySelector("h2").focus();
    row.remove();
    rows.delete(old);
  }
  for (const item of items) {
    let row = rows.get(key(item));
    if (!row) {
      row = make(item);
      rows.set(key(item), row);
    }
    if (row.item !== item) {
      row.item = item;
      update(row, item);
    }
  }
  // A row that is moved loses the focus.
  const focused = document.activeElement;
  let next = body.firstElementChild;
  for (const item of items) {
    const row = rows.get(key(item));
    if (row === next) next = next.nextElementSibling;
    else body.insertBefore(row, next);
  }
  if (body.contains(focused)) focused.focus({ preventScroll: true });
}

const fromTemplate = (id) => $(id).content.firstElementChild.cloneNode(true);

function show(table, empty, some) {
  table.hidden = !some;
  empty.hidden = some;
}

// Sessions

const FINAL = new Set(["Stopped", "Expired", "Error"]);
const shortId = (id) => (id.length > 13 ? `${id.slice(0, 8)}…` : id);

/** The buttons that a session in this state has. */
const ACTIONS = {
  Starting: ["extend", "stop", "expire", "fail"],
  Ready: ["extend", "stop", "expire", "fail"],
  Stopping: ["finish", "fail"],
};

function makeSession(session) {
  const row = fromTemplate("session-row");
  const part = parts(row);
  part(".id").textContent = session.id;
  part(".account code").textContent = session.account;
  part(".copy").setAttribute("aria-label", `Copy the id of session ${session.id}`);
  part(".copy").addEventListener("click", (event) => copy(session.id, event.currentTarget));
  for (const button of row.querySelectorAll("[data-action]")) {
    button.setAttribute("aria-label", `${button.textContent}: session ${session.id}`);
    button.addEventListener("click", () => act(row.item, button));
  }
  return row;
}

function updateSession(row, session) {
  const part = parts(row);
  const status = part(".state");
  status.textContent = session.status;
  status.dataset.state = session.status;
  part(".size").textContent = session.size;
  part(".host code").textContent = session.host ?? "none until it is ready";
  part(".host code").title = session.host ?? "";
  part(".reason").textContent = session.message ?? "";
  row.classList.toggle("ended", FINAL.has(session.status));
  const actions = ACTIONS[session.status] ?? [];
  const focused = document.activeElement;
  for (const button of row.querySelectorAll("[data-action]")) {
    button.hidden = button.dataset.action !== "filter" && !actions.includes(button.dataset.action);
  }
  part(".actions .joined").hidden = !actions.includes("extend");
  if (row.contains(focused) && focused.hidden) part("[data-action=filter]").focus();
}

/** What changes as time passes. */
function updateLease(row) {
  const { status, lease_ms, end_ms } = row.item;
  const part = parts(row);
  const left = end_ms === null ? lease_ms : end_ms - now();
  let text = "stopping";
  let whole = span(lease_ms);
  let share = 0;
  if (FINAL.has(status)) {
    text = end_ms === null ? "" : `ended ${ago(end_ms)}`;
    whole = "";
  } else if (status === "Starting") {
    text = `ready in ${span(left - lease_ms + 999)}`;
    share = 1;
  } else if (status === "Ready") {
    text = `${span(left)} left`;
    share = Math.min(1, Math.max(0, left / lease_ms));
  }
  if (part(".left").textContent !== text) part(".left").textContent = text;
  if (part(".whole").textContent !== whole) part(".whole").textContent = whole;
  const fill = part(".fill");
  // Coarse, so that the bar of a long lease is drawn rarely.
  const transform = `scaleX(${share.toFixed(3)})`;
  if (fill.style.transform !== transform) fill.style.transform = transform;
  const level = status !== "Ready" || share > 0.2 ? "" : share > 0.05 ? "low" : "critical";
  if (fill.dataset.level !== level) fill.dataset.level = level;
}

function act(session, button) {
  const path = `/sessions/${encodeURIComponent(session.id)}`;
  const name = `Session ${shortId(session.id)}`;
  const force = (status, message) => call("POST", path, message ? { status, message } : { status }, `${name} is now ${status}.`);
  switch (button.dataset.action) {
    case "extend": {
      const minutes = Number(button.dataset.minutes);
      const lease_minutes = Math.floor(session.lease_ms / 60000) + minutes;
      return call("POST", path, { lease_minutes }, `${name}: the lease is ${span(minutes * 60000)} longer.`);
    }
    case "stop": return call("DELETE", path, undefined, `${name} was stopped.`);
    case "finish": return force("Stopped");
    case "expire": return force("Expired");
    case "fail": return force("Error", "The session was made to fail on the emulator's page.");
    default: return setFilter(state.filter === session.id ? "" : session.id);
  }
}

function renderSessions() {
  const { active, ended, sessions } = state.sessions;
  const shown = $("show-ended").checked ? sessions : sessions.filter((session) => !FINAL.has(session.status));
  const table = $("sessions").querySelector("table");
  renderRows(table.tBodies[0], shown, (session) => session.number, makeSession, updateSession);
  for (const row of table.tBodies[0].rows) {
    updateLease(row);
    row.querySelector("[data-action=filter]").setAttribute("aria-pressed", String(row.item.id === state.filter));
  }
  show(table, $("no-sessions"), shown.length > 0 || active + ended > 0);
  if (shown.length === 0) table.hidden = true;
  $("session-count").textContent = active + ended > 0 ? `${active} active, ${ended} ended` : "";
  const more = active + ended - sessions.length;
  $("more-sessions").hidden = more === 0 && shown.length > 0 || active + ended === 0;
  $("more-sessions").textContent = more > 0 ? `${more} more are not shown.` : "None is active.";
  renderFilter(sessions);
}

// Requests

function renderFilter(sessions) {
  const select = $("filter");
  const options = [["", "All sessions"]];
  const ids = new Set(sessions.map(({ id }) => id));
  for (const { id, status } of sessions) options.push([id, `${shortId(id)} (${status})`]);
  for (const { session } of state.requests.values()) {
    if (session && !ids.has(session)) {
      ids.add(session);
      options.push([session, shortId(session)]);
    }
  }
  if (state.filter && !ids.has(state.filter)) options.push([state.filter, shortId(state.filter)]);
  const key = JSON.stringify(options);
  if (select.key !== key) {
    select.key = key;
    select.replaceChildren(...options.map(([value, text]) => new Option(text, value)));
  }
  select.value = state.filter;
}

function setFilter(session) {
  state.filter = session;
  render();
}

/** The path with long ids, which CSS shortens, apart. */
function pathNodes(path) {
  return path.split(/([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})/i).map((piece, index) => {
    if (index % 2 === 0) return document.createTextNode(piece);
    const id = document.createElement("i");
    id.textContent = piece;
    return id;
  });
}

function makeRequest() {
  return fromTemplate("request-row");
}

function updateRequest(row, request) {
  const part = parts(row);
  part(".method").textContent = request.method;
  const date = instant(toUnix(request.time_ms));
  part("time").title = readable(date);
  if (date) part("time").dateTime = date.toISOString();
  part(".path").replaceChildren(...pathNodes(request.path));
  part(".path").title = request.path;
  part(".fault").hidden = request.fault === null;
  part(".fault").textContent = `fault: ${request.fault}`;
  const status = part(".status");
  const isOpen = request.status === 0 && request.duration_ms === null;
  status.textContent = request.status || (isOpen ? "in progress" : "cut off");
  status.dataset.class = isOpen ? "open" : request.status ? String(request.status)[0] : "cut";
  part(".number").textContent = duration(request.duration_ms);
  part(".cv").textContent = request.ms_cv ?? "";
}

function updateWhen(row) {
  const text = ago(row.item.time_ms);
  const time = row.querySelector("time");
  if (time.textContent !== text) time.textContent = text;
}

const haystack = ({ method, path, status, ms_cv, fault }) => `${method} ${path} ${status || "cut off"} ${ms_cv ?? ""} ${fault ?? ""}`;

function renderRequests() {
  const all = [...state.requests.values()].sort((one, other) => other.number - one.number);
  const wanted = state.search.trim().toLowerCase();
  const shown = all.filter((request) => (!state.filter || request.session === state.filter)
    && (!wanted || haystack(request).toLowerCase().includes(wanted))
    && (!state.paused || request.number < state.pausedAt));
  const table = $("requests").querySelector("table");
  renderRows(table.tBodies[0], shown, (request) => request.number, makeRequest, updateRequest);
  for (const row of table.tBodies[0].rows) updateWhen(row);
  show(table, $("no-requests"), shown.length > 0);
  $("no-requests").textContent = all.length === 0
    ? "No requests yet. Those of your application appear here as they come."
    : "No request matches. Clear the search, or choose all sessions.";
  const waiting = state.paused ? all.filter((request) => request.number >= state.pausedAt).length : 0;
  $("request-count").textContent = all.length === 0 ? "" : shown.length === all.length ? `${all.length}` : `${shown.length} of ${all.length}`;
  $("pause").textContent = state.paused ? `Resume${waiting > 0 ? ` (${waiting} new)` : ""}` : "Pause";
  $("pause").setAttribute("aria-pressed", String(state.paused));
}

function receiveRequests({ first, requests }) {
  for (const request of requests) state.requests.set(request.number, request);
  const numbers = [...state.requests.keys()].sort((one, other) => one - other);
  const surplus = numbers.length - REQUESTS;
  numbers.forEach((number, index) => {
    if (number < first || index < surplus) state.requests.delete(number);
  });
}

// Faults

const field = (name, label, attributes = {}) => ({ name, label, attributes });
const number = (name, label, value, min = 0) => field(name, label, { type: "number", value, min, max: 4294967295, required: true });

/** The types of docs/emulator.md, "Faults". `executes`: whether the call is carried out first, unless it is changed. */
const FAULTS = {
  status: { help: "Answers with this status instead of the reply.", fields: [number("status", "Status", 503, 200), field("retry_after", "Retry-After", { placeholder: "none" })] },
  delay: { help: "Waits, then continues normally. In real time.", fields: [number("ms", "Milliseconds", 1000)] },
  close: { help: "Closes the connection without a reply.", fields: [] },
  reset: { help: "Resets the connection (TCP RST).", fields: [] },
  stall: { help: "Sends nothing until the client leaves.", fields: [] },
  truncate: { help: "Sends only the beginning of the reply’s body, then closes.", executes: true, fields: [number("bytes", "Bytes of the body", 0)] },
  drip: { help: "Sends the reply byte by byte.", executes: true, fields: [number("interval_ms", "Milliseconds a byte", 100)] },
  content_type: { help: "Mislabels the reply, as sign-in pages of networks do.", executes: true, fields: [field("content_type", "Content-Type", { value: "text/html", required: true })] },
  garbage: { help: "Sends bytes that are not HTTP, then closes.", fields: [] },
  oversize: { help: "Sends a JSON body of this size.", fields: [number("bytes", "Bytes", 16777216)] },
  redirect: { help: "Redirects to a place where no token should follow.", fields: [number("status", "Status", 302, 200), field("location", "Location", { value: "https://example.org/", required: true })] },
  close_on_accept: { help: "Closes the next connections as soon as they are accepted.", connections: true, fields: [] },
};

const CALLS = [
  ["Every call", "*", "**"],
  ["Token", "GET", "/accounts/*/token"],
  ["Every call for a session", "*", "**/sessions/**"],
  ["REST v1", [
    ["Create", "POST", "/v1/accounts/*/sessions/create"],
    ["Properties", "GET", "/v1/accounts/*/sessions/*/properties"],
    ["List", "GET", "/v1/accounts/*/sessions"],
    ["Update", "PATCH", "/v1/accounts/*/sessions/*"],
    ["Stop", "DELETE", "/v1/accounts/*/sessions/*"],
  ]],
  ["REST 2021-01-01", [
    ["Create", "PUT", "/accounts/*/sessions/*"],
    ["Properties", "GET", "/accounts/*/sessions/*"],
    ["List", "GET", "/accounts/*/sessions"],
    ["Update", "PATCH", "/accounts/*/sessions/*"],
    ["Stop", "POST", "/accounts/*/sessions/*/:stop"],
  ]],
  ["Other …", null, null],
];

const form = $("inject");
const control = (name) => form.elements.namedItem(name);

function prepareForm() {
  control("type").replaceChildren(...Object.keys(FAULTS).map((type) => new Option(type.replaceAll("_", " "), type)));
  const option = ([label, method, path]) => new Option(label, method === null ? "other" : `${method} ${path}`);
  control("calls").replaceChildren(...CALLS.map((entry) => {
    if (!Array.isArray(entry[1])) return option(entry);
    const group = document.createElement("optgroup");
    group.label = entry[0];
    group.append(...entry[1].map(option));
    return group;
  }));
  control("type").addEventListener("change", updateForm);
  control("calls").addEventListener("change", updatePattern);
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    inject();
  });
  updateForm();
}

function updateForm() {
  const { help, fields, executes = false, connections = false } = FAULTS[control("type").value];
  $("fault-help").textContent = help;
  $("fault-fields").replaceChildren(...fields.map(({ name, label, attributes }) => {
    const outer = document.createElement("label");
    const input = document.createElement("input");
    Object.assign(input, { name: `field-${name}`, ...attributes });
    outer.append(`${label} `, input);
    return outer;
  }));
  control("execute").checked = executes;
  for (const name of ["calls", "execute"]) control(name).disabled = connections;
  control("times").min = connections ? 1 : 0;
  control("times").max = connections ? 1000 : 1000000;
  $("times-help").textContent = connections ? "It ends by itself, after at most 1000 times." : "0 times is until you remove it.";
  updatePattern();
}

function updatePattern() {
  $("pattern-fields").hidden = control("calls").value !== "other" || control("calls").disabled;
}

async function inject() {
  const type = control("type").value;
  const { fields, connections } = FAULTS[type];
  const action = { type };
  for (const { name, attributes } of fields) {
    const { value } = control(`field-${name}`);
    if (name === "retry_after") {
      if (value.trim()) action.headers = { "Retry-After": value.trim() };
    } else {
      action[name] = attributes.type === "number" ? Number(value) : value;
    }
  }
  const rule = { times: Number(control("times").value), skip: Number(control("skip").value), action };
  if (!connections) {
    action.execute = control("execute").checked;
    const calls = control("calls").value;
    const space = calls.indexOf(" ");
    rule.method = calls === "other" ? control("method").value : calls.slice(0, space);
    rule.path = calls === "other" ? control("path").value : calls.slice(space + 1);
  }
  await call("POST", "/faults", { rules: [rule] }, `The fault “${type.replaceAll("_", " ")}” is active.`);
}

/** The action's own values, in words. */
function detail({ type, execute, ...values }) {
  const words = Object.entries(values).filter(([name, value]) => value !== "" && name !== "headers").map(([name, value]) => {
    if (name === "ms") return `${value} ms`;
    if (name === "interval_ms") return `${value} ms a byte`;
    return name === "bytes" ? `${Number(value).toLocaleString("en")} bytes` : String(value);
  });
  const executes = Boolean(FAULTS[type]?.executes);
  if (execute !== undefined && execute !== executes) words.push(execute ? "after carrying out the call" : "without carrying out the call");
  return words.join(", ");
}

function makeFault({ id }) {
  const item = fromTemplate("fault-item");
  item.querySelector("button").addEventListener("click", () => {
    call("DELETE", `/faults/${id}`, undefined, "The fault is removed.");
  });
  return item;
}

function updateFault(item, rule) {
  const part = parts(item);
  const type = rule.action.type.replaceAll("_", " ");
  part(".kind").textContent = type;
  part(".detail").textContent = detail(rule.action);
  part(".on").textContent = rule.action.type === "close_on_accept" ? "" : `${rule.method} ${rule.path}`;
  const skips = rule.skip > rule.matched ? `skips ${rule.skip - rule.matched}, then ` : "";
  const left = rule.left === null ? "until removed" : `${rule.left} left`;
  part(".left").textContent = `${skips}${left}; matched ${rule.matched}`;
  part("button").setAttribute("aria-label", `Remove: ${type} on ${rule.method} ${rule.path}`);
}

function renderFaults() {
  const { count, rules } = state.faults;
  renderRows($("fault-list"), rules, (rule) => rule.id, makeFault, updateFault);
  $("fault-list").hidden = count === 0;
  $("no-faults").hidden = count > 0;
  $("remove-faults").hidden = count === 0;
  $("fault-count").textContent = count === 0 ? "" : count > rules.length ? `${count}, ${rules.length} shown` : `${count} active`;
}

// The whole page

function renderClock() {
  if (!state.hasClock) return;
  const date = instant(toUnix(now()));
  if ($("clock").textContent !== readable(date)) $("clock").textContent = readable(date);
  if (date) $("clock").dateTime = date.toISOString();
  const { rate } = state.clock;
  $("rate").hidden = rate === 1;
  $("rate").textContent = rate === 0 ? "moves only when moved" : `${rate} times as fast`;
}

let rendering = 0;

function render() {
  rendering ||= requestAnimationFrame(() => {
    rendering = 0;
    if (!state.hasClock) return;
    renderSessions();
    renderRequests();
    renderFaults();
    renderClock();
  });
}

/** What changes as time passes. */
function tick() {
  renderClock();
  for (const row of $("sessions").querySelectorAll("tbody tr")) updateLease(row);
  for (const row of $("requests").querySelectorAll("tbody tr")) updateWhen(row);
}

// Events

let source = null;
let lastEvent = 0;
let pause = 1000;
let retryTimer = 0;

function setConnection(name, text = name) {
  if ($("connection").textContent === text) return;
  $("connection").dataset.state = name;
  $("connection").textContent = text;
}

function disconnect() {
  clearTimeout(retryTimer);
  source?.close();
  source = null;
}

function connect() {
  disconnect();
  lastEvent = performance.now();
  source = new EventSource("/emulator/events");
  const on = (name, receive) => source.addEventListener(name, (event) => {
    lastEvent = performance.now();
    receive(JSON.parse(event.data));
    render();
  });
  on("hello", ({ version, urls }) => {
    pause = 1000;
    setConnection("live");
    $("version").textContent = version;
    const others = urls.filter((url) => url !== location.origin);
    $("devices").textContent = others.length > 0 ? `for devices: ${others.join(", ")}` : "";
    state.requests.clear();
    state.paused = false;
  });
  on("clock", (clock) => {
    state.clock = { ...clock, at: performance.now() };
    state.hasClock = true;
  });
  on("sessions", (sessions) => { state.sessions = sessions; });
  on("faults", (faults) => { state.faults = faults; });
  on("requests", receiveRequests);
  source.addEventListener("error", () => {
    // The browser retries, unless it was refused: perhaps because too many pages are open.
    const isRefused = source?.readyState === EventSource.CLOSED;
    setConnection("reconnecting", isRefused ? "reconnecting: refused" : "reconnecting");
    if (!isRefused) return;
    retryTimer = setTimeout(connect, pause);
    pause = Math.min(2 * pause, 10000);
  });
}

/** The emulator sends something every 10 s. A connection that was cut in silence is replaced. */
function watch() {
  if (source && performance.now() - lastEvent > 25000) {
    setConnection("reconnecting");
    connect();
  }
}

let hiddenTimer = 0;

/** A hidden page gives its connection back: browsers allow only six. */
function changeVisibility() {
  clearTimeout(hiddenTimer);
  if (document.hidden) hiddenTimer = setTimeout(disconnect, 30000);
  else if (!source) connect();
}

// Start

function start() {
  $("address").textContent = location.origin;
  const curl = location.protocol === "https:" ? 'curl --cacert "$ARR_CA_FILE"' : "curl";
  $("example").textContent = [
    `TOKEN=$(${curl} -s -H "Authorization: Bearer $ARR_ACCOUNT_ID:$ARR_ACCOUNT_KEY" \\`,
    `  ${location.origin}/accounts/$ARR_ACCOUNT_ID/token | cut -d'"' -f4)`,
    `${curl} -H "Authorization: Bearer $TOKEN" -d '{"maxLeaseTime": "1:0:0", "size": "standard"}' \\`,
    `  ${location.origin}/v1/accounts/$ARR_ACCOUNT_ID/sessions/create`,
  ].join("\n");
  $("copy-address").addEventListener("click", (event) => copy(location.origin, event.currentTarget));
  $("copy-example").addEventListener("click", (event) => copy($("example").textContent, event.currentTarget));
  for (const button of document.querySelectorAll("[data-advance]")) {
    const advance_ms = Number(button.dataset.advance);
    button.addEventListener("click", () => call("POST", "/clock", { advance_ms }, `The clock has moved by ${span(advance_ms)}.`));
  }
  $("show-ended").addEventListener("change", render);
  $("filter").addEventListener("change", (event) => setFilter(event.target.value));
  $("search").addEventListener("input", (event) => {
    state.search = event.target.value;
    render();
  });
  $("full-paths").addEventListener("change", (event) => $("requests").classList.toggle("full", event.target.checked));
  $("pause").addEventListener("click", () => {
    state.paused = !state.paused;
    state.pausedAt = Math.max(-1, ...state.requests.keys()) + 1;
    render();
  });
  $("clear").addEventListener("click", () => call("DELETE", "/requests", undefined, "The record is cleared."));
  $("remove-faults").addEventListener("click", () => call("DELETE", "/faults", undefined, "All faults are removed."));
  prepareForm();
  $("inject-details").open = matchMedia("(min-width: 1081px)").matches;
  document.addEventListener("visibilitychange", changeVisibility);
  setInterval(() => {
    watch();
    if (!document.hidden) tick();
  }, 500);
  connect();
}

start();
