/* The inside of firmware/python; nobody else includes it. See vm.h. */
#ifndef WIPY_FIRMWARE_PYTHON_INSIDE_H
#define WIPY_FIRMWARE_PYTHON_INSIDE_H

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "firmware/python/layout.h"
#include "firmware/python/vm.h"
#include "micropython.h" /* made by wasm2c */

enum {
    VM_FDS = 32, /* 0, 1, 2 are the console */
    /* The rest is for FTP, whatever a program keeps open. */
    VM_FILES = VOLUME_FILES - 8,
    VM_DIRS = VOLUME_DIRS - 6,
    VM_FILE_BUFFER = 4096,
    VM_OUT_BUFFER = 1024,
    VM_C_STACK = 256 << 10,      /* linear stack: 1200 levels of Python */
    VM_PYSTACK_WORDS = 48 << 10, /* Python frames */
    VM_STACK_RESERVE = 96 << 10, /* of the native stack, for the host */
    VM_REFS = 192,               /* references the host gives to Python */
};

/* Private to invoke.c; at the start of struct vm, where assembly finds it. */
struct invoke {
    void *top;               /* innermost frame, NULL: none */
    uint32_t *stack_pointer; /* of the linear stack */
    const wasm_rt_funcref_table_t *table;
};

enum vm_fd_kind {
    FD_FREE,
    FD_CONSOLE,
    FD_FILE,   /* `handle` of volume_open */
    FD_DIR,    /* `handle` of volume_opendir */
    FD_FROZEN, /* a module of the board, read-only */
    FD_LOST,   /* was FD_FILE; its object is collected some day */
};

struct vm_fd {
    enum vm_fd_kind kind;
    int handle;
    bool readable, writable;
    char path[VOLUME_PATH_MAX + 1]; /* absolute */

    /* FD_FROZEN: `text` is the contents. FD_FILE: bytes [0, have) of
     * `buffer` were read ahead and `at` is the next one to hand out, or
     * `dirty` bytes wait to be written. */
    const uint8_t *text;
    size_t at, have, dirty;
    bool ended; /* FD_DIR: no more entries */
    uint8_t buffer[VM_FILE_BUFFER];
};

/* Private to health.c. */
struct health {
    uint32_t callback;       /* mp_obj_t, 0: none */
    uint32_t outer;          /* handler of the program it interrupts */
    uint64_t begun_ms;       /* board time */
    uint64_t interrupted_ms; /* board time its limit was over, 0: not yet */
    uint64_t seen_ms;        /* real time of its last safe point */
    atomic_bool by_user;     /* Ctrl-C came meanwhile */
    char line[96];           /* being printed */
    size_t line_len;
    unsigned lines;
};

struct vm {
    struct invoke invoke; /* first */
    Z_micropython_instance_t wasm;
    const struct vm_config *config;
    pthread_t thread;

    /* ---- stacks ---- */
    char *stack_hi;       /* native: above all frames of generated code */
    long stack_limit;     /* bytes below it that may be used */
    uint32_t c_stack_top; /* linear */

    /* ---- interrupts: written by the loop thread and the signal handler ----
     */
    atomic_bool interrupted; /* Ctrl-C arrived and was not delivered yet */
    unsigned interrupts;     /* delivered so far */
    atomic_bool executing;   /* Python code runs in a whole instance */
    int wake;                /* eventfd: ends a wait */
    unsigned ignored;        /* interrupts nothing has reacted to */
    uint64_t ignored_since_ms;
    bool stuck;  /* the runtime was given up because of that */
    bool timers; /* the next two exist */
    timer_t flush_timer, alarm_timer;
    bool flush_armed;
    uint64_t alarm_us; /* board time of the next alarm, 0: none */

    /* ---- output ---- */
    uint8_t out[VM_OUT_BUFFER];
    size_t out_len;
    uint8_t out_last;     /* last byte printed */
    unsigned out_swallow; /* bytes of the prompt's reply not to be shown */
    bool out_flushing;

    /* ---- prompt ---- */
    unsigned paste_state; /* of raw-paste mode, see prompt.c */
    uint8_t *paste;
    size_t paste_len, paste_size;

    /* ---- files ---- */
    char cwd[VOLUME_PATH_MAX + 1];
    struct vm_fd fds[VM_FDS];
    char card[VOLUME_PATH_MAX + 1]; /* where it was mounted last */
    bool card_kept;                 /* by a runtime before this one */

    /* ---- proxy ---- */
    uint8_t alive[VM_REFS]; /* Python holds a proxy of this reference */
    uint32_t exceptions[8]; /* mp_obj_t of the types natives raise */

    /* ---- memory ---- */
    uint32_t set_aside; /* block of the heap, 0: in use */

    /* ---- natives ---- */
    char main_name[VOLUME_NAME_MAX + 1]; /* machine.main() */
    uint32_t alarm_callback;             /* mp_obj_t, 0: none */
    uint64_t pin_changed_us; /* real time of the last change of a pin */
    uint32_t reset_cause;    /* as machine.reset_cause() tells it */
    int64_t clock_offset_us; /* RTC set by Python without a service */
    unsigned crashes;
    struct health health;
};

static inline struct vm *vm_of_env(struct Z_env_instance_t *env)
{
    return (struct vm *)(void *)env;
}

static inline struct vm *vm_of(Z_micropython_instance_t *wasm)
{
    return (struct vm *)(void *)((char *)wasm - offsetof(struct vm, wasm));
}

/* ---- linear memory ----
 *
 * An address has 32 bits and the reservation is larger than any address plus
 * length, so a wrong one faults into the guard pages and ends as a trap of
 * this runtime. Where another thread touches the memory that would be a hard
 * fault: vm_range() checks first. */
static inline uint8_t *vm_at(struct vm *vm, uint32_t addr)
{
    return vm->wasm.w2c_memory.data + addr;
}

static inline bool vm_range(const struct vm *vm, uint32_t addr, uint32_t len)
{
    return (uint64_t)addr + len <= vm->wasm.w2c_memory.size;
}

static inline uint32_t vm_u32(struct vm *vm, uint32_t addr)
{
    uint32_t v;
    memcpy(&v, vm_at(vm, addr), sizeof v);
    return v;
}

static inline void vm_set_u32(struct vm *vm, uint32_t addr, uint32_t v)
{
    memcpy(vm_at(vm, addr), &v, sizeof v);
}

static inline void vm_set_u16(struct vm *vm, uint32_t addr, uint16_t v)
{
    memcpy(vm_at(vm, addr), &v, sizeof v);
}

static inline void vm_set_u64(struct vm *vm, uint32_t addr, uint64_t v)
{
    memcpy(vm_at(vm, addr), &v, sizeof v);
}

/* A C string inside; traps when it has no end. */
const char *vm_cstr(struct vm *vm, uint32_t addr);

/* ---- MicroPython's internals, made callable by redirect.mjs ---- */
_Noreturn void mpi_nlr_jump(Z_micropython_instance_t *in, uint32_t exception);
void mpi_gc_collect_start(Z_micropython_instance_t *in);
void mpi_gc_mark_subtree(Z_micropython_instance_t *in, uint32_t area,
                         uint32_t block);
void mpi_gc_collect_end(Z_micropython_instance_t *in);
uint32_t mpi_gc_alloc(Z_micropython_instance_t *in, uint32_t size,
                      uint32_t flags); /* 0: there is none */
_Noreturn void mpi_mp_raise_OSError(Z_micropython_instance_t *in, uint32_t no);
void mpi_mp_raise_recursion_depth(Z_micropython_instance_t *in);
uint32_t mpi_mp_sched_schedule(Z_micropython_instance_t *in, uint32_t function,
                               uint32_t arg);
void mpi_mp_handle_pending(Z_micropython_instance_t *in, uint32_t raise);
void mpi_mp_cstack_init_with_sp_here(Z_micropython_instance_t *in,
                                     uint32_t size);
uint32_t mpi_mp_obj_new_bytes(Z_micropython_instance_t *in, uint32_t data,
                              uint32_t len);
uint32_t mpi_readline_process_char(Z_micropython_instance_t *in, uint32_t c);
void mpi_readline_init(Z_micropython_instance_t *in, uint32_t line,
                       uint32_t prompt);

/* ---- instance.c: a runtime's life ---- */

/* A fresh runtime with an empty __main__. */
void instance_start(struct vm *vm);
void instance_end(struct vm *vm);

enum exec_result { EXEC_OK, EXEC_RAISED, EXEC_INTERRUPTED, EXEC_EXIT };

/* Runs `source` in __main__ and prints what it raises. A Ctrl-C meanwhile is
 * for `source` when that is interruptible, else for what comes next. */
enum exec_result instance_exec(struct vm *vm, const char *source, size_t len,
                               bool interruptible);

/* ---- proxy.c ---- */
/* The value of the module `_board` at `out`. */
void proxy_put_module(struct vm *vm, uint32_t out);

/* ---- invoke.c, gc.c, wait.c, prompt.c: called by the generated code ---- */
void host_gc_collect(Z_micropython_instance_t *in);
uint32_t host_gc_get_max_new_split(Z_micropython_instance_t *in);
void host_mp_cstack_check(Z_micropython_instance_t *in);
void host_nlr_jump_fail(Z_micropython_instance_t *in, uint32_t exception);
void host_mp_hal_delay_ms(Z_micropython_instance_t *in, uint32_t ms);
void host_mp_hal_delay_us(Z_micropython_instance_t *in, uint32_t us);
uint32_t host_mp_hal_ticks_us(Z_micropython_instance_t *in);
void host_mp_event_wait_ms(Z_micropython_instance_t *in, uint32_t ms);
void host_mp_event_wait_indefinite(Z_micropython_instance_t *in);
void host_mp_hal_set_interrupt_char(Z_micropython_instance_t *in, uint32_t c);
void host_before_mp_handle_pending(Z_micropython_instance_t *in,
                                   uint32_t raise);
uint32_t host_readline(Z_micropython_instance_t *in, uint32_t line,
                       uint32_t prompt);

/* Collects now, and tells the files nobody can use any more: bit n for
 * descriptor n, of which some are closed by then. */
uint32_t gc_lost_files(struct vm *vm);

/* How much the heap may still grow. */
uint32_t gc_room(struct vm *vm);

/* Memory set aside for what follows a MemoryError. */
void gc_set_aside(struct vm *vm);

/* ---- out.c: what Python prints ---- */
void out_write(struct vm *vm, const uint8_t *from, size_t len);
void out_flush(struct vm *vm);
void out_print(struct vm *vm, const char *text);
/* In place of the first `len` bytes of the banner: the image's version. */
void out_banner(struct vm *vm, uint32_t len);

/* ---- wait.c: time and interrupts ---- */
void wait_init(struct vm *vm);
/* Python code of the user runs between these two. */
void wait_begin(struct vm *vm);
void wait_end(struct vm *vm);
/* Waits until board time `until_us`; Python's interrupts are served. */
void wait_until(struct vm *vm, uint64_t until_us);
/* Serves scheduled callbacks and raises a pending KeyboardInterrupt. */
void wait_pending(struct vm *vm);
/* As wait_until, but returns false at once when an interrupt is there. */
bool wait_quietly(struct vm *vm, uint64_t until_us);
void wait_arm_flush(struct vm *vm);
/* Calls alarm_callback at board time `at_us`; 0 cancels. */
void wait_set_alarm(struct vm *vm, uint64_t at_us);
/* How long the prompt may wait for input, -1 for ever; rings a due alarm. */
int wait_prompt_ms(struct vm *vm);
uint64_t wait_now_us(const struct vm *vm);
/* Microseconds since 1970 of the board's clock. */
int64_t wait_clock_us(const struct vm *vm);
/* Ends whatever the vm thread waits for. Any thread. */
void wait_wake(struct vm *vm);

/* ---- health.c: healthy() of the user ---- */
void health_reset(struct vm *vm); /* a runtime starts */
/* At a safe point: asks it when wanted, ends it when its time is over. May
 * raise. */
void health_serve(struct vm *vm);
bool health_is_wanted(const struct vm *vm);
bool health_is_running(const struct vm *vm);
bool health_is_hung(const struct vm *vm); /* and no safe point in sight */
/* The runtime crashed; true when healthy() did it, which is an answer. */
bool health_crashed(struct vm *vm);
void health_print(struct vm *vm, const uint8_t *from, size_t len);

/* ---- native_machine.c, native_os.c: what a runtime that ends held ---- */
void pins_release(struct vm *vm);
void card_release(struct vm *vm); /* stays mounted while FTP is busy in it */

/* ---- prompt.c ---- */
/* One byte to the prompt; true when it asked for a soft reset. */
bool prompt_feed(struct vm *vm, uint8_t byte);
void prompt_reset(struct vm *vm);

/* ---- files.c ---- */
bool files_close_lost(struct vm *vm); /* true when there was one */
void files_reset(struct vm *vm);      /* closes all, back to /flash */
/* Flushes what programs wrote, then the volumes. 0 or a negative errno. */
int files_sync(struct vm *vm);

/* One storage job: fills in the operands, waits, gives the result. */
struct file_job {
    struct storage_job job;
    struct volumes *volumes;
    const char *path, *other;
    int handle;
    unsigned flags;
    int64_t at;
    void *data;
    const void *from;
    size_t len;
    int64_t result;
    char *reason; /* at least VM_REASON bytes, or NULL */
    void (*run)(struct file_job *j);
};
enum { VM_REASON = 160 };
int64_t file_call(struct vm *vm, struct file_job *j,
                  void (*run)(struct file_job *j));
/* The same for what open files may refuse or be too many for: then those that
 * Python has lost without closing them are closed, and the call is made once
 * more. */
int64_t file_call_unless_open(struct vm *vm, struct file_job *j,
                              void (*run)(struct file_job *j));
/* `path` of Python as an absolute one; false when too long. */
bool file_path(const struct vm *vm, const char *path,
               char out[VOLUME_PATH_MAX + 1]);

/* ---- frozen.c: the board's modules ---- */
struct frozen_file {
    const char *name; /* "machine.py" */
    const uint8_t *text;
    size_t len;
};
extern const struct frozen_file frozen_files[]; /* made at build time */
const struct frozen_file *frozen_find(const char *name);
/* The same for the user: the first generation has no pycom. */
const struct frozen_file *frozen_for(const struct vm *vm, const char *name);

#endif
