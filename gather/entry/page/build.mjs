// Builds the page into ../asset, which the program embeds. Run by make assets, after
// npm ci, from any folder. Names hold a hash of the content.

import { build } from "esbuild";
import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const page = dirname(fileURLToPath(import.meta.url)), out = join(page, "..", "asset"), root = join(page, "..", "..", "..");
const modules = join(root, "node_modules");

// What is changed in the form library, each of it exactly once, or the build fails:
// a newer library must be looked at before it is used.
const changes = {
  "index.js": [
    { why: "fonts of 900 kB, none of them Arabic; the page has its own", find: /@font-face\{[^{}]*\}/g, put: "", many: true },
    { why: "its styles know left and right only: start and end instead, for Arabic", find: /(?<=[;{])(margin|padding|border)-(left|right)(?=[:-])/g, put: (_, p, side) => `${p}-inline-${side === "left" ? "start" : "end"}`, many: true },
    { why: "the same for places (what is centred stays)", find: /(?<=[;{])(left|right)(?=:(?!50%))/g, put: (side) => `inset-inline-${side === "left" ? "start" : "end"}`, many: true },
    { why: "the same for text", find: /(?<=text-align:)(left|right)/g, put: (side) => (side === "left" ? "start" : "end"), many: true },
  ],
  "index-DlGh9P5C.js": [
    { why: "WebAssembly as files: smaller, cached, and no data: address for the content security policy to allow",
      find: /const xpathLanguage = "data:application\/wasm;base64,([^"]+)", webTreeSitter = "data:application\/wasm;base64,([^"]+)"/,
      put: () => 'import xpathLanguage from "entry:xpath.wasm"; import webTreeSitter from "entry:tree-sitter.wasm"; const wasmAreFiles = true' },
    { why: "a draft that is opened again stays the record that it was; the component only knows editing, which makes a new one",
      find: "oA = await AA.editInstance(rA, nA);",
      put: "oA = await (tA.editInstance.restore ? AA.restoreInstance({ data: tA.editInstance.restore() }, nA) : AA.editInstance(rA, nA));" },
    { why: "the same: what restores a draft has no attachments to name", find: "AA.map((rA) => [rA, () => nA(rA)])", put: "(AA ?? []).map((rA) => [rA, () => nA(rA)])" },
  ],
};

const library = {
  name: "form library",
  setup(b) {
    const wasm = {};
    // The map draws tiles of a foreign host: positions as numbers instead.
    b.onResolve({ filter: /\/MapBlock-/ }, () => ({ path: join(page, "position.js") }));
    b.onResolve({ filter: /^entry:/ }, (a) => ({ path: a.path.slice(6), namespace: "entry" }));
    b.onLoad({ filter: /.*/, namespace: "entry" }, (a) => ({ contents: wasm[a.path], loader: "file" }));
    b.onLoad({ filter: /@getodk\/web-forms\/dist\/.*\.js$/ }, (a) => {
      let text = readFileSync(a.path, "utf8");
      for (const c of changes[basename(a.path)] ?? []) {
        const n = typeof c.find === "string" ? text.split(c.find).length - 1 : (text.match(c.find) ?? []).length;
        if (typeof c.find !== "string" && !c.many) {
          const m = c.find.exec(text);
          if (m) { wasm["xpath.wasm"] = Buffer.from(m[1], "base64"); wasm["tree-sitter.wasm"] = Buffer.from(m[2], "base64"); }
          if (!m) throw new Error(`${basename(a.path)}: not found: ${c.why}`);
        } else if (c.many ? n === 0 : n !== 1) throw new Error(`${basename(a.path)}: found ${n} times: ${c.why}`);
        text = text.replace(c.find, c.put);
      }
      return { contents: text, loader: "js" };
    });
  },
};

const common = { absWorkingDir: page, bundle: true, minify: true, legalComments: "none", charset: "utf8", logLevel: "warning", nodePaths: [modules], target: ["chrome89", "firefox89", "safari15"],
  define: { __VUE_OPTIONS_API__: "true", __VUE_PROD_DEVTOOLS__: "false", __VUE_PROD_HYDRATION_MISMATCH_DETAILS__: "false", "process.env.NODE_ENV": '"production"' } };

mkdirSync(out, { recursive: true });
for (const name of readdirSync(out)) if (name !== ".gitignore" && name !== "README.md") rmSync(join(out, name), { recursive: true });

const made = await build({ ...common, entryPoints: [join(page, "main.js"), join(page, "try.js"), join(page, "style.css")], outdir: out, format: "esm", splitting: true, metafile: true,
  entryNames: "[name]-[hash]", chunkNames: "[name]-[hash]", assetNames: "[name]-[hash]", publicPath: "/entry/asset", plugins: [library],
  loader: { ".woff2": "file", ".png": "file" }, external: ["fs", "path", "fs/promises", "module"] });

const of = (name) => "/entry/asset/" + basename(Object.entries(made.metafile.outputs).find(([, o]) => o.entryPoint === name)[0]);
const icons = {};
for (const size of ["192", "512", "maskable"]) {
  const data = readFileSync(join(page, `icon-${size}.png`));
  icons[size] = `icon-${size}-${createHash("sha256").update(data).digest("hex").slice(0, 8)}.png`;
  writeFileSync(join(out, icons[size]), data);
}
writeFileSync(join(out, "index.html"), readFileSync(join(page, "index.html"), "utf8").replaceAll("{icon}", "/entry/asset/" + icons["192"]).replace("{style}", of("style.css")).replace("{main}", of("main.js")));
// The page that tries a draft: no part of what is kept for work without network.
writeFileSync(join(out, "try.html"), readFileSync(join(page, "try.html"), "utf8").replaceAll("{icon}", "/entry/asset/" + icons["192"]).replace("{style}", of("style.css")).replace("{try}", of("try.js")));
writeFileSync(join(out, "icons.json"), JSON.stringify(icons));

const keep = readdirSync(out).filter((n) => /\.(js|css|wasm|woff2|png)$/.test(n) && !n.startsWith("try-")).sort();
const version = createHash("sha256");
for (const n of [...keep, "index.html"]) version.update(n).update(readFileSync(join(out, n)));
const shell = { version: version.digest("hex").slice(0, 16), files: ["/entry/", ...keep.map((n) => "/entry/asset/" + n)] };
await build({ ...common, entryPoints: [join(page, "worker.js")], outfile: join(out, "sw.js"), format: "iife", banner: { js: `const SHELL=${JSON.stringify(shell)};` } });
