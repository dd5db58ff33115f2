// The service worker: keeps the page's own files, so that it opens without network,
// and sends the outbox when the browser finds network while no tab is open.
// SHELL is {version, files}, put in front by build.mjs.

import * as store from "./store.js";
import { due, sendAll } from "./send.js";
import { preferred } from "./text.js";

const cacheName = "dtm-entry-" + SHELL.version;

async function fetchAll() {
  const cache = await caches.open(cacheName);
  for (const url of SHELL.files) {
    if (await cache.match(url)) continue;
    // A name holds the hash of the content: an earlier version's copy will do.
    const old = url.startsWith("/entry/asset/") && (await caches.match(url));
    const r = old || (await fetch(url, { cache: "reload", credentials: "omit" }));
    if (!r.ok) throw new Error(url + ": " + r.status);
    await cache.put(url, r);
  }
}

self.addEventListener("install", (e) => e.waitUntil(fetchAll()));

// Nothing but caches of the page's own files is deleted: records are in IndexedDB.
self.addEventListener("activate", (e) => e.waitUntil((async () => {
  for (const name of await caches.keys()) if (name.startsWith("dtm-entry-") && name !== cacheName) await caches.delete(name);
  await self.clients.claim();
})()));

self.addEventListener("message", (e) => { if (e.data === "now") self.skipWaiting(); });

self.addEventListener("fetch", (e) => {
  const url = new URL(e.request.url);
  if (e.request.method !== "GET" || url.origin !== location.origin) return;
  if (url.pathname === "/entry/" || SHELL.files.includes(url.pathname))
    e.respondWith((async () => {
      const cache = await caches.open(cacheName);
      return (await cache.match(url.pathname)) ?? fetch(e.request);
    })());
});

self.addEventListener("sync", (e) => {
  if (e.tag !== "dtm-entry-send") return;
  e.waitUntil((async () => {
    await due();
    // Not all went: the browser tries again.
    if (await sendAll((await store.setting("lang")) ?? preferred())) throw new Error("not all was sent");
  })());
});
