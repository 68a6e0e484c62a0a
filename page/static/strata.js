// Follows what happens: takes parts of the page from /follow and puts them in place,
// without touching what is the same, so that focus and what is folded stay.
"use strict";

const relative = new Intl.RelativeTimeFormat("en", { numeric: "auto" });

// inUnits is a time from now in the largest unit that it has one of.
function inUnits(date) {
  const seconds = Math.round((date - Date.now()) / 1000);
  for (const [unit, size] of [["day", 86400], ["hour", 3600], ["minute", 60]]) {
    if (Math.abs(seconds) >= size) return [Math.trunc(seconds / size), unit];
  }
  return [seconds, "second"];
}

// ago is how long ago, or in how long, something is; lasting, for how long it has been.
const ago = (date) => relative.format(...inUnits(date));
function lasting(date) {
  const [count, unit] = inUnits(date);
  return "for " + new Intl.NumberFormat("en", { style: "unit", unit, unitDisplay: "long" }).format(Math.max(0, -count));
}

// times shows times as people read them, and the exact one on demand.
function times(root) {
  for (const t of root.querySelectorAll("time")) {
    const date = new Date(t.dateTime);
    const text = t.className === "since" ? lasting(date) : ago(date);
    if (t.textContent !== text) t.textContent = text;
    t.title = date.toLocaleString();
  }
}

// same reports whether an element may become another one: it stays itself.
const same = (a, b) => a.nodeType === b.nodeType && a.nodeName === b.nodeName && (a.id || "") === (b.id || "");

// become makes an element be as another one.
function become(is, want) {
  if (is.nodeType !== Node.ELEMENT_NODE) {
    if (is.nodeValue !== want.nodeValue) is.nodeValue = want.nodeValue;
    return;
  }
  for (const a of [...is.attributes]) {
    if (!want.hasAttribute(a.name) && !(is.nodeName === "DETAILS" && a.name === "open")) is.removeAttribute(a.name);
  }
  for (const a of want.attributes) {
    if (is.getAttribute(a.name) !== a.value && !(is.nodeName === "DETAILS" && a.name === "open")) is.setAttribute(a.name, a.value);
  }
  if (is.nodeName === "TIME" && is.dateTime === want.dateTime && is.title) return;
  const named = new Map([...is.children].filter((c) => c.id).map((c) => [c.id, c]));
  let at = is.firstChild;
  for (const child of [...want.childNodes]) {
    const known = child.id && named.get(child.id);
    if (known && known !== at) is.insertBefore(known, at);
    const here = known || at;
    if (here && same(here, child)) {
      become(here, child);
      at = here.nextSibling;
    } else {
      is.insertBefore(child, at);
    }
  }
  while (at) {
    const next = at.nextSibling;
    at.remove();
    at = next;
  }
}

function parse(html) {
  const template = document.createElement("template");
  template.innerHTML = html;
  return template.content.firstElementChild;
}

function apply(change) {
  const { version } = document.body.dataset;
  if (version !== change.version) { // another strata serves now, and its page is another
    location.reload();
    return;
  }
  document.title = change.title;
  for (const [id, html] of Object.entries(change.parts)) {
    const want = parse(html);
    const is = document.getElementById(id);
    if (is) become(is, want);
    else waiting.set(id, want);
  }
  for (const [list, ids] of Object.entries(change.lists)) {
    const parent = document.getElementById(list);
    let at = parent.firstElementChild;
    for (const id of ids) {
      const item = document.getElementById(id) || waiting.get(id);
      waiting.delete(id);
      if (!item) continue;
      if (item === at) at = at.nextElementSibling;
      else parent.insertBefore(item, at);
    }
    while (at) {
      const next = at.nextElementSibling;
      at.remove();
      at = next;
    }
    const empty = document.querySelector(`[data-empty="${list}"]`);
    if (empty) empty.hidden = ids.length > 0;
  }
  times(document);
}

// waiting are parts that have no place yet.
const waiting = new Map();

function follow() {
  const source = new EventSource("/follow" + location.search);
  source.onmessage = (event) => {
    document.body.dataset.live = "yes";
    apply(JSON.parse(event.data));
  };
  source.onopen = () => { document.getElementById("line").hidden = true; };
  source.onerror = () => {
    document.body.dataset.live = "no";
    document.getElementById("line").hidden = false;
    if (source.readyState === EventSource.CLOSED) setTimeout(follow, 5000);
  };
}

times(document);
setInterval(() => times(document), 1000);
follow();
