// Runs a program in the same npm package under node and prints its output.
//   node python_node.mjs PACKAGE_DIR PROGRAM.py
import fs from "node:fs";
import path from "node:path";
import { pathToFileURL } from "node:url";

const [dir, program] = process.argv.slice(2);
const { loadMicroPython } = await import(pathToFileURL(path.join(dir, "micropython.mjs")));
const mp = await loadMicroPython({
    heapsize: 4 * 1024 * 1024,
    stdout: (line) => console.log(line),
});
mp.runPython(fs.readFileSync(program, "utf8"));
