// The outbox: records that are finished are sent, one sender at a time over all
// tabs and the service worker, until the server has each of them. The bytes of the
// answers are the same at every try, so that a try too many does no harm.

import * as store from "./store.js";
import { Failed, submit } from "./server.js";

// What ODK Collect sends in one request, too: larger submissions are split, so
// that a broken connection costs one part only.
const requestSize = 10_000_000;
const firstPause = 5_000, longestPause = 15 * 60_000;

const channel = new BroadcastChannel("dtm-entry");
/** Tells all tabs, this one included, that records changed or moved on. */
export function tell(what) {
  channel.postMessage(what);
  self.dispatchEvent(new CustomEvent("entry", { detail: what }));
}
channel.onmessage = (e) => self.dispatchEvent(new CustomEvent("entry", { detail: e.data }));

/** Runs fn when no other tab does; where the browser has no locks, at once. */
export const alone = (name, options, fn) => (navigator.locks ? navigator.locks.request(name, options, fn) : fn(true));

/** Sends all that is due; resolves to the time of the next try, or 0. */
export function sendAll(lang) {
  return alone("dtm-entry-send", {}, async () => {
    const [token, number] = [await store.setting("token"), await store.setting("number")];
    if (!token) return 0;
    for (;;) {
      const waiting = (await store.records()).filter((r) => r.state === "queued").sort((a, b) => a.finished - b.finished);
      const due = waiting.find((r) => r.next <= Date.now());
      if (!due) return waiting.length ? Math.min(...waiting.map((r) => r.next)) : 0;
      const ok = await sendOne(token, number, lang, due);
      if (!ok) {
        const left = (await store.records()).filter((r) => r.state === "queued");
        return left.length ? Math.max(Date.now() + 1000, Math.min(...left.map((r) => r.next))) : 0;
      }
    }
  });
}

/** Sends one record. false: nothing more can be sent now. */
async function sendOne(token, number, lang, r) {
  const open = r.files.filter((f) => !f.done);
  const total = open.reduce((n, f) => n + f.size, 0) + r.xml.length;
  let sent = 0;
  tell({ type: "progress", id: r.id, share: 0 });
  try {
    for (const part of parts(open)) {
      const files = [];
      for (const f of part.files) {
        const kept = await store.file(r.id, f.name);
        if (kept) files.push({ name: f.name, ...kept });
      }
      const size = part.files.reduce((n, f) => n + f.size, 0) + r.xml.length;
      await submit(token, number, lang, r.xml, files, part.last, (share) => tell({ type: "progress", id: r.id, share: Math.min(1, (sent + share * size) / total) }));
      sent += size;
      const names = new Set(part.files.map((f) => f.name));
      await store.change(r.id, (now) => ({ ...now, files: now.files.map((f) => (names.has(f.name) ? { ...f, done: true } : f)) }));
    }
    await store.change(r.id, (now) => ({ ...now, state: "sent", sent: Date.now(), error: null }));
    await store.set("refused", false);
    tell({ type: "sent", id: r.id });
    return true;
  } catch (e) {
    const f = e instanceof Failed ? e : new Failed("busy", 0, String(e?.message ?? e));
    await store.change(r.id, (now) => {
      const error = { kind: f.kind, status: f.status, said: f.said, lang, at: Date.now() };
      if (f.kind === "refused") return { ...now, state: "refused", tries: now.tries + 1, error };
      const tries = now.tries + 1;
      // Up to a fifth longer, so that phones that lost the network together do
      // not come back together.
      const pause = Math.min(longestPause, firstPause * 2 ** Math.min(tries - 1, 10)) * (1 + Math.random() / 5);
      return { ...now, tries, next: Date.now() + pause, error };
    });
    if (f.kind === "device") await store.set("refused", true);
    tell({ type: "failed", id: r.id });
    return f.kind === "refused"; // the next record may do better
  }
}

/** Files in requests of at most requestSize; a larger file travels alone. */
export function parts(files) {
  const out = [{ files: [], size: 0 }];
  for (const f of files) {
    const here = out.at(-1);
    if (here.files.length && here.size + f.size > requestSize) out.push({ files: [f], size: f.size });
    else { here.files.push(f); here.size += f.size; }
  }
  return out.map((p, i) => ({ files: p.files, last: i === out.length - 1 }));
}

/** Makes waiting records due now. */
export async function due(id) {
  for (const r of await store.records())
    if ((r.state === "queued" || r.state === "refused") && (id ? r.id === id : r.state === "queued"))
      await store.change(r.id, (now) => (now.state === "queued" || now.state === "refused" ? { ...now, state: "queued", next: 0 } : undefined));
}
