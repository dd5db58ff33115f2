// What is said to the server, and nothing else. Every address is of the server
// that the page came from. Failed is what goes wrong, in terms of what to do.

export class Failed extends Error {
  /** kind: "network" (try later), "busy" (try later), "device" (not admitted),
   *  "refused" (the server says no for good). message: the server's own words. */
  constructor(kind, status = 0, message = "") {
    super(message || kind);
    Object.assign(this, { kind, status, said: message });
  }
}

export const tokenShape = /^[A-Za-z0-9\-_!$]{64}$/;
const base = (token) => `/v1/key/${encodeURIComponent(token)}/projects/1`;

export const kindOf = (status) =>
  status === 401 || status === 403 ? "device" : status === 408 || status === 425 || status === 429 || status >= 500 || status < 400 ? "busy" : "refused";

async function ask(url, options = {}) {
  let r;
  try {
    r = await fetch(url, { cache: "no-cache", credentials: "omit", redirect: "error", ...options });
  } catch {
    throw new Failed("network");
  }
  if (!r.ok) throw new Failed(kindOf(r.status), r.status, message(await r.text().catch(() => "")));
  return r;
}

const entities = { amp: "&", lt: "<", gt: ">", quot: '"', apos: "'" };

/** The message of an OpenRosaResponse; a service worker has no DOM to read it. */
export function message(xml) {
  const m = /<message\b[^>]*>([\s\S]*?)<\/message>/.exec(xml);
  return m ? m[1].replace(/&(#x?[0-9a-fA-F]+|\w+);/g, (all, e) =>
    e[0] !== "#" ? entities[e] ?? all : String.fromCodePoint(e[1] === "x" ? parseInt(e.slice(2), 16) : parseInt(e.slice(1), 10))).trim() : "";
}

/** Who the device is: {name, point, operation}. */
export const device = async (token, lang) =>
  (await ask("/entry/device", { headers: { Authorization: `Bearer ${token}`, "Accept-Language": lang } })).json();

/** What became of records: {records: [{id, state, received, remarks, missing}]}. */
export const fate = async (token, lang, ids) =>
  (await ask("/entry/records", {
    method: "POST",
    headers: { Authorization: `Bearer ${token}`, "Accept-Language": lang, "Content-Type": "application/json" },
    body: JSON.stringify({ ids }),
  })).json();

/** What the office asks, and how this device does: {questions, own, team}. */
export const desk = async (token, lang) =>
  (await ask("/entry/desk", { headers: { Authorization: `Bearer ${token}`, "Accept-Language": lang } })).json();

export const answer = (token, lang, seq, text) =>
  ask("/entry/answers", {
    method: "POST",
    headers: { Authorization: `Bearer ${token}`, "Accept-Language": lang, "Content-Type": "application/json" },
    body: JSON.stringify({ seq, answer: text }),
  });

// Addresses in lists are absolute and may name the server otherwise than the
// address that the page was opened at; it is the same server.
const local = (url) => { const u = new URL(url, location.origin); return u.pathname + u.search; };

export const formList = (token) => formListOf(base(token));
/** The same of any OpenRosa base: the forms, with their titles in every language. */
export const formListOf = async (base) => (await ask(base + "/formList?titles=all")).text();
export const text = async (url) => (await ask(local(url))).text();
export async function bytes(url) {
  const r = await ask(local(url));
  return { type: (r.headers.get("Content-Type") ?? "").split(";")[0], data: await r.arrayBuffer() };
}

/** Sends one request of a submission: the answers and some files. last is false
 *  when more follow. progress is told the share of this request, where known. */
export const submit = (token, ...what) => submitTo(base(token), ...what);

/** The same to any OpenRosa base. */
export function submitTo(base, number, lang, xml, files, last, progress) {
  const body = new FormData();
  body.append("xml_submission_file", new File([xml], "xml_submission_file", { type: "text/xml" }));
  for (const f of files) body.append(f.name, new File([f.data], f.name, { type: f.type }));
  if (!last) body.append("*isIncomplete*", "yes");
  const url = base + "/submission" + (number ? "?deviceID=" + encodeURIComponent("dtm-entry:" + number) : ""), headers = { "X-OpenRosa-Version": "1.0", "Accept-Language": lang };
  if (typeof XMLHttpRequest === "undefined") // in the service worker
    return ask(url, { method: "POST", headers, body }).then(async (r) => accepted(r.status, await r.text()));
  return new Promise((resolve, reject) => {
    const x = new XMLHttpRequest();
    x.open("POST", url);
    for (const [k, v] of Object.entries(headers)) x.setRequestHeader(k, v);
    // No limit on the whole, which may take an hour; but on a silence.
    let silence;
    const alive = () => { clearTimeout(silence); silence = setTimeout(() => x.abort(), 120_000); };
    x.upload.onprogress = (e) => { alive(); if (e.lengthComputable) progress?.(e.loaded / e.total); };
    x.onload = () => { clearTimeout(silence); try { resolve(accepted(x.status, x.responseText)); } catch (e) { reject(e); } };
    x.onerror = x.onabort = () => { clearTimeout(silence); reject(new Failed("network")); };
    alive();
    x.send(body);
  });
}

/** Only 201 and 202 mean that the server has it. */
function accepted(status, body) {
  if (status === 201 || status === 202) return message(body);
  throw new Failed(kindOf(status), status, message(body));
}
