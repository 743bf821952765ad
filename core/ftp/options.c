/* Commands about the session itself: what is offered, how bytes are
 * sent, what goes on. */
#include <string.h>

#include "commands.h"

void cmd_feat(struct ftp *f, const char *arg)
{
    (void)arg;
    reply_line(f, "211-Features:");
    if (f->ops->tls_offered(f->ctx)) {
        reply_line(f, " AUTH TLS");
        reply_line(f, " PBSZ");
        reply_line(f, " PROT");
    }
    static const char *const features[] = {
        "CLNT", "EPRT",        "EPSV", "MDTM", "MFMT",
        "PASV", "REST STREAM", "SIZE", "TVFS", "UTF8",
    };
    for (size_t i = 0; i < sizeof features / sizeof *features; i++)
        reply_line(f, " %s", features[i]);
    reply_line(f, " MLST type%s;size%s;modify%s;perm%s;",
               f->mlst_facts & FACT_TYPE ? "*" : "",
               f->mlst_facts & FACT_SIZE ? "*" : "",
               f->mlst_facts & FACT_MODIFY ? "*" : "",
               f->mlst_facts & FACT_PERM ? "*" : "");
    reply(f, 211, "End");
}

/* "type;size;" => a set of facts; unknown ones are left out (RFC 3659 7.9) */
static unsigned facts_of(const char *list)
{
    static const char *const names[] = {"type", "size", "modify", "perm"};
    unsigned facts = 0;
    while (*list) {
        size_t len = strcspn(list, ";");
        for (unsigned i = 0; i < 4; i++) {
            char name[8] = "";
            if (len < sizeof name)
                memcpy(name, list, len);
            if (word_is(name, names[i]))
                facts |= 1u << i;
        }
        list += len + (list[len] == ';');
    }
    return facts;
}

void cmd_opts(struct ftp *f, const char *arg)
{
    if (word_is(arg, "UTF8")) {
        bool off = word_is(after_word(arg), "OFF");
        reply(f, off ? 504 : 200, off ? "Names are always UTF-8" : "UTF-8");
    } else if (word_is(arg, "MLST")) {
        f->mlst_facts = facts_of(after_word(arg));
        reply(f, 200, "MLST OPTS %s%s%s%s",
              f->mlst_facts & FACT_TYPE ? "type;" : "",
              f->mlst_facts & FACT_SIZE ? "size;" : "",
              f->mlst_facts & FACT_MODIFY ? "modify;" : "",
              f->mlst_facts & FACT_PERM ? "perm;" : "");
    } else {
        reply(f, 501, "No options for that: UTF8 and MLST have some");
    }
}

void cmd_syst(struct ftp *f, const char *arg)
{
    (void)arg;
    reply(f, 215, "UNIX Type: L8");
}

void cmd_noop(struct ftp *f, const char *arg)
{
    (void)arg;
    reply(f, 200, "OK");
}

void cmd_acct(struct ftp *f, const char *arg)
{
    (void)arg;
    reply(f, 202, "Not needed here");
}

void cmd_type(struct ftp *f, const char *arg)
{
    char type = (char)(arg[0] & ~0x20);
    bool image = type == 'I' && !arg[1];
    bool local = type == 'L' && (!arg[1] || strcmp(arg + 1, " 8") == 0);
    bool ascii = type == 'A' && (!arg[1] || word_is(arg + 1, " N"));
    if (!image && !local && !ascii) {
        reply(f, 504, "Types are A, I and L 8");
        return;
    }
    f->ascii = ascii;
    reply(f, 200, ascii ? "Type A; bytes are sent as they are" : "Type I");
}

void cmd_mode(struct ftp *f, const char *arg)
{
    bool stream = (arg[0] & ~0x20) == 'S' && !arg[1];
    reply(f, stream ? 200 : 504, stream ? "Mode S" : "Only mode S");
}

void cmd_stru(struct ftp *f, const char *arg)
{
    bool file = (arg[0] & ~0x20) == 'F' && !arg[1];
    reply(f, file ? 200 : 504, file ? "Structure F" : "Only structure F");
}

static const char *transfer_name(const struct ftp *f)
{
    if (f->t.state == FTP_IDLE)
        return "none";
    return f->t.kind == FTP_RECEIVE ? "receiving"
           : f->t.kind == FTP_SEND  ? "sending"
                                    : "listing";
}

void cmd_stat(struct ftp *f, const char *arg)
{
    if (*arg) {
        list_open(f, FTP_STAT, arg);
        return;
    }
    reply_line(f, "211-MicroPython FTP Server");
    reply_line(f, " Logged in as %s, directory %s", f->user, f->cwd);
    reply_line(f, " Type: %s, mode: S, structure: F",
               f->ascii ? "A (sent as it is)" : "I");
    reply_line(f, " Transfer: %s, %llu bytes so far", transfer_name(f),
               (unsigned long long)(f->t.state == FTP_IDLE ? 0 : f->t.bytes));
    reply_line(f, " Control connection: %s", f->tls ? "TLS" : "plain");
    reply(f, 211, "End");
}

static void prepared(struct ftp *f)
{
    if (f->gone || f->closing)
        return;           /* not for nobody */
    if (f->op.result > 0) /* a block is erased, more are left */
        op_start(f, FTP_OP_PREPARE, prepared);
    else if (f->op.result < 0)
        reply_failed(f, 550);
    else
        reply(f, 200, "%s", f->op.text);
}

void cmd_site(struct ftp *f, const char *arg)
{
    if (word_is(arg, "PREPARE"))
        op_start(f, FTP_OP_PREPARE, prepared);
    else if (word_is(arg, "HELP"))
        reply(f, 214, "SITE PREPARE erases the spare update slot ahead");
    else
        reply(f, 504, "Only SITE PREPARE and SITE HELP");
}
