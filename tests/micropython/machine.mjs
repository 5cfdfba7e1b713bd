// Real MicroPython, its WebAssembly build: runs each line of input, a JSON text of code, and prints what came of it.
// node machine.mjs <folder of node_modules> <file to put on it>...
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { basename } from "node:path";
import { createInterface } from "node:readline";
import { pathToFileURL } from "node:url";

const [packages, ...files] = process.argv.slice(2);
const entry = createRequire(`${packages}/`).resolve("@micropython/micropython-webassembly-pyscript");
const { loadMicroPython } = await import(pathToFileURL(entry));
let printed = [];
const machine = await loadMicroPython({ linebuffer: true, stdout: (line) => printed.push(line) });
for (const file of files) machine.FS.writeFile(`/${basename(file)}`, readFileSync(file));
machine.runPython("import sys\nsys.path.append('/')");

for await (const line of createInterface({ input: process.stdin })) {
  printed = [];
  let error = null;
  try {
    machine.runPython(JSON.parse(line));
  } catch (fault) {
    error = String(fault.message ?? fault);
  }
  process.stdout.write(`${JSON.stringify({ printed: printed.join(""), error })}\n`);
}
