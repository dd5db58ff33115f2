// What the page keeps on the device, in IndexedDB: forms with their media, records
// with their files, and a few settings. Page and service worker use it alike.
// Version 1 of the schema; a later one must carry every record over.

// Absent where the address is not https, as in a field office without a certificate;
// the form library needs it too.
if (!crypto.randomUUID)
  crypto.randomUUID = () => [...crypto.getRandomValues(new Uint8Array(16))].map((b, i) => (i === 6 ? (b & 15) | 64 : i === 8 ? (b & 63) | 128 : b))
    .map((b, i) => (i === 4 || i === 6 || i === 8 || i === 10 ? "-" : "") + b.toString(16).padStart(2, "0")).join("");

let opening;

function database() {
  return (opening ??= new Promise((resolve, reject) => {
    const o = indexedDB.open("dtm-entry", 1);
    o.onupgradeneeded = () => {
      const db = o.result;
      db.createObjectStore("setting");
      db.createObjectStore("form", { keyPath: "key" });
      db.createObjectStore("media");
      db.createObjectStore("record", { keyPath: "id" });
      db.createObjectStore("file"); // [record, name]
    };
    o.onsuccess = () => {
      const db = o.result;
      // Another tab opens a newer schema: make way, and open again when asked.
      db.onversionchange = () => { db.close(); opening = undefined; };
      db.onclose = () => { opening = undefined; };
      resolve(db);
    };
    o.onerror = () => { opening = undefined; reject(o.error); };
  }));
}

const result = (request) => new Promise((resolve, reject) => {
  request.onsuccess = () => resolve(request.result);
  request.onerror = () => reject(request.error);
});

/** Runs fn in one transaction; resolves when it is on disk. */
async function within(stores, mode, fn) {
  const db = await database();
  const tx = db.transaction(stores, mode, mode === "readwrite" ? { durability: "strict" } : undefined);
  const done = new Promise((resolve, reject) => {
    tx.oncomplete = resolve;
    tx.onabort = tx.onerror = () => reject(tx.error ?? new Error("the device could not save"));
  });
  const out = await fn(...stores.map((s) => tx.objectStore(s)));
  await done;
  return out;
}

export const setting = (key) => within(["setting"], "readonly", (s) => result(s.get(key)));
export const set = (key, value) => within(["setting"], "readwrite", (s) => result(s.put(value, key)));

export const forms = () => within(["form"], "readonly", (s) => result(s.getAll()));
export const form = (key) => within(["form"], "readonly", (s) => result(s.get(key)));
export const medium = (hash) => within(["media"], "readonly", (s) => result(s.get(hash)));
export const hasMedium = (hash) => within(["media"], "readonly", (s) => result(s.getKey(hash))).then((k) => k !== undefined);
export const putMedium = (hash, m) => within(["media"], "readwrite", (s) => result(s.put(m, hash)));

/** Replaces the current forms. Those that records still need stay, not current. */
export const replaceForms = (list) => within(["form", "record", "media"], "readwrite", async (fs, rs, ms) => {
  const fresh = new Set(list.map((f) => f.key));
  const used = new Set((await result(rs.getAll())).filter((r) => r.state === "draft" || r.state === "queued").map((r) => r.form));
  const kept = [...list];
  for (const old of await result(fs.getAll())) {
    if (fresh.has(old.key)) continue;
    if (used.has(old.key)) { old.current = false; kept.push(old); fs.put(old); } else fs.delete(old.key);
  }
  for (const f of list) fs.put(f);
  const needed = new Set(kept.flatMap((f) => f.media.map((m) => m.hash)));
  for (const hash of await result(ms.getAllKeys())) if (!needed.has(hash)) ms.delete(hash);
});

export const records = () => within(["record"], "readonly", (s) => result(s.getAll()));
export const record = (id) => within(["record"], "readonly", (s) => result(s.get(id)));

/** Changes one record in a transaction; fn gets it and returns what to keep, or
 *  nothing to leave it. Returns what is kept. */
export const change = (id, fn) => within(["record"], "readwrite", async (s) => {
  const old = await result(s.get(id));
  const now = old && fn(old);
  if (now) s.put(now);
  return now ?? old;
});

/** Keeps a record with its answers and files. files: [{name, type, data}], data
 *  an ArrayBuffer, or nothing when the file of that name is kept already. */
export const keep = (record, files) => within(["record", "file"], "readwrite", async (rs, fs) => {
  const old = await result(rs.get(record.id));
  if (old && old.state !== "draft") return false; // finished meanwhile, in another tab
  const names = new Set(files.map((f) => f.name));
  for (const f of old?.files ?? []) if (!names.has(f.name)) fs.delete([record.id, f.name]);
  for (const f of files) if (f.data) fs.put({ type: f.type, data: f.data }, [record.id, f.name]);
  rs.put({ ...record, files: files.map(({ name, type, size }) => ({ name, type, size })) });
  return true;
});

export const file = (id, name) => within(["file"], "readonly", (s) => result(s.get([id, name])));

/** Lets go of the files of a record that the office has. */
export const dropFiles = (id) => within(["file"], "readwrite", (s) => result(s.delete(IDBKeyRange.bound([id], [id, []]))));

export const remove = (id) => within(["record", "file"], "readwrite", async (rs, fs) => {
  fs.delete(IDBKeyRange.bound([id], [id, []]));
  await result(rs.delete(id));
});
