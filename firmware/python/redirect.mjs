// Turns wasm2c's output of MicroPython into what the firmware hosts.
//
//   node redirect.mjs IN.c OUT.c
//
// MicroPython's WebAssembly build is made for a browser's event loop: it
// never collects garbage while code runs, waits by spinning and reads the
// keyboard as a constant. The functions below are redirected to the host
// (firmware/python/inside.h), and some internal ones are made callable for it.
//
// wasm2c names functions by number, so the numbers hold for one module only:
// the build pins its digest (cmake/check-wasm.cmake), and this script checks
// each signature and what little of a body identifies the function.

import {readFileSync, writeFileSync} from 'node:fs';

// name: [number, result, parameters, what the body must contain]
// The body becomes a call of host_NAME.
const redirected = {
    gc_collect: [1278, 'void', 0, '186124'], // sets a flag for later
    gc_get_max_new_split: [1277, 'u32', 0, '134217728u'], // 128 MiB
    mp_hal_delay_ms: [1286, 'void', 1, 'mp_js_ticks_ms'], // spins
    mp_hal_delay_us: [1288, 'void', 1, 'mp_js_ticks_ms'], // spins
    mp_hal_ticks_us: [1289, 'u32', 0, 'mp_js_ticks_ms'], // whole ms only
    mp_event_wait_indefinite: [433, 'void', 0, 'w2c_f432('], // does not wait
    mp_event_wait_ms: [434, 'void', 1, 'w2c_f432('], // does not wait
    readline: [1262, 'u32', 2, 'w2c_f1261('], // reads zeros for ever
    mp_cstack_check: [440, 'void', 0, 'w2c_f424('], // knows one of two stacks
    mp_hal_set_interrupt_char: [1246, 'void', 1, '178872'], // tells nobody
    nlr_jump_fail: [1279, 'void', 1, 'goto w2c_L0'], // hangs
};

// The same, but host_NAME is called first and the body stays.
const preceded = {
    mp_handle_pending: [432, 'void', 1, '185108'],
};

// Made callable for the host as mpi_NAME.
const exported = {
    nlr_jump: [66, 'void', 1, 'w2c_f1279('],
    gc_collect_start: [78, 'void', 0, '185108'],
    gc_mark_subtree: [79, 'void', 2, '384u'],
    gc_collect_end: [80, 'void', 0, '185108'],
    gc_alloc: [82, 'u32', 2, 'w2c_f83('],
    mp_raise_OSError: [423, 'void', 1, ''],
    mp_raise_recursion_depth: [424, 'void', 0, ''],
    mp_sched_schedule: [431, 'u32', 2, '254u'],
    mp_handle_pending: [432, 'void', 1, '185108'],
    mp_cstack_init_with_sp_here: [438, 'void', 1, '185108'],
    mp_obj_new_bytes: [798, 'u32', 2, ''],
    readline_process_char: [1256, 'u32', 1, ''],
    readline_init: [1261, 'void', 2, ''],
};

const [input, output] = process.argv.slice(2);
let source = readFileSync(input, 'utf8');
const instance = 'Z_micropython_instance_t* instance';

function fail(name, why) {
    console.error(`redirect.mjs: ${name}: ${why}.
The table of this script belongs to another MicroPython than ${input}; see
docs/DESIGN.md, "Moving to another MicroPython".`);
    process.exit(1);
}

const parameters = (count) =>
    Array.from({length: count}, (_, i) => `, u32 w2c_p${i}`).join('');
const values = (count) =>
    Array.from({length: count}, (_, i) => `, w2c_p${i}`).join('');

// Start and end of the definition of function `number`, signature checked.
function definition(name, [number, result, count, mark]) {
    const head = `static ${result} w2c_f${number}(${instance}` +
        `${parameters(count)}) {\n`;
    const start = source.indexOf(head);
    if (start < 0)
        fail(name, `there is no w2c_f${number} with ${count} parameters ` +
            `that returns ${result}`);
    const end = source.indexOf('\n}\n', start) + 3;
    if (!source.slice(start, end).includes(mark))
        fail(name, `w2c_f${number} does not contain "${mark}"`);
    return {start, body: start + head.length, end, head};
}

const calls = ([, result, count], target) =>
    `  ${result === 'void' ? '' : 'return '}${target}(instance` +
    `${values(count)});\n`;
const prototype = (name, [, result, count]) =>
    `${result} ${name}(${instance}${parameters(count)});\n`;

let hosts = '', tail = '';
for (const [name, entry] of Object.entries(redirected)) {
    const {start, end, head} = definition(name, entry);
    hosts += prototype(`host_${name}`, entry);
    source = source.slice(0, start) + head + calls(entry, `host_${name}`) +
        '}\n' + source.slice(end);
}
for (const [name, entry] of Object.entries(preceded)) {
    const {body} = definition(name, entry);
    hosts += prototype(`host_before_${name}`, entry);
    source = source.slice(0, body) + calls(entry, `host_before_${name}`) +
        source.slice(body);
}
for (const [name, entry] of Object.entries(exported)) {
    definition(name, entry);
    tail += `${entry[1]} mpi_${name}(${instance}${parameters(entry[2])}) ` +
        `{\n${calls(entry, `w2c_f${entry[0]}`)}}\n`;
}

// All of it in one section, so that the host can tell where a signal hit.
const before = source.length;
source = source.replace(/^(static \w+ w2c_\w+\(Z_micropython_instance_t\*.*\));$/gm,
    '$1 __attribute__((section("guest_text")));');
if (source.length === before)
    fail('prototypes', 'none were found');

// The hosts' prototypes go in front of the first function.
const include = source.indexOf('#define TRAP(x)');
if (include < 0)
    fail('head', 'not the output of the wasm2c this was written for');
source = source.slice(0, include) + hosts + source.slice(include);
writeFileSync(output, source + tail);
