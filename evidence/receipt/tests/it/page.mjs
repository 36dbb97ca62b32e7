// Runs the script of verify.html outside a browser: `node page.mjs PAGE CASES`, where CASES is JSON
// `[{ bundle, originals: [path], trust: path | null }]`. Prints the reports as one JSON array.
import { readFileSync } from "node:fs";
import { runInThisContext } from "node:vm";

const [page, cases] = process.argv.slice(2).map((path) => readFileSync(path, "utf8"));
runInThisContext(page.slice(page.indexOf("<script>") + 8, page.lastIndexOf("</script>")));
const bytes = (path) => new Uint8Array(readFileSync(path));
const reports = [];
for (const { bundle, originals, trust } of JSON.parse(cases)) {
  const files = originals.map((path) => ({ name: path, data: bytes(path) }));
  const started = performance.now();
  const text = trust === null ? null : readFileSync(trust, "utf8");
  const report = await globalThis.changbaiVerify({ bundle: bytes(bundle), originals: files, trust: text });
  reports.push({ ...report, milliseconds: performance.now() - started });
}
console.log(JSON.stringify(reports));
