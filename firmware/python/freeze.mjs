// Makes the C array of the board's modules: node freeze.mjs OUT.c FILE...
//
// Comment lines and trailing blanks are dropped to save flash; line ends
// stay, so that tracebacks name the right line.

import {readFileSync, writeFileSync} from 'node:fs';
import {basename} from 'node:path';

const [output, ...files] = process.argv.slice(2);
let arrays = '', table = '';
files.sort().forEach((file, i) => {
    const text = Buffer.from(readFileSync(file, 'utf8').split('\n')
        .map((line) => /^\s*#/.test(line) ? '' : line.trimEnd()).join('\n'));
    const bytes = [...text].map((b, at) => (at % 20 ? '' : '\n') + b + ',');
    arrays += `static const uint8_t text_${i}[] = {${bytes.join('')}};\n`;
    table += `    {"${basename(file)}", text_${i}, sizeof text_${i}},\n`;
});
writeFileSync(output, `/* Made by freeze.mjs from firmware/modules. */
#include "firmware/python/inside.h"

${arrays}
const struct frozen_file frozen_files[] = {
${table}    {0},
};
`);
