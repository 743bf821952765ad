/* The table of commands, and how a line becomes a call. */
#include <stdio.h>
#include <string.h>

#include "commands.h"

enum command_flag {
    BEFORE_LOGIN = 1, /* allowed then; all others are answered 332 */
    NEEDS_ARG = 2,    /* 501 without */
};

struct command {
    char name[5];
    uint8_t flags;
    void (*run)(struct ftp *f, const char *arg);
};

/* ---- words of a line ---- */

bool word_is(const char *arg, const char *word)
{
    size_t i = 0;
    for (; word[i]; i++)
        if ((arg[i] & ~0x20) != (word[i] & ~0x20))
            return false;
    return arg[i] == '\0' || arg[i] == ' ';
}

const char *after_word(const char *arg)
{
    arg += strcspn(arg, " ");
    return arg + strspn(arg, " ");
}

/* ---- the table ---- */

static void cmd_help(struct ftp *f, const char *arg);

static const struct command commands[] = {
    {"ABOR", 0, cmd_abor},
    {"ACCT", 0, cmd_acct},
    {"ALLO", NEEDS_ARG, cmd_allo},
    {"APPE", NEEDS_ARG, cmd_appe},
    {"AUTH", BEFORE_LOGIN | NEEDS_ARG, cmd_auth},
    {"CDUP", 0, cmd_cdup},
    {"CLNT", 0, cmd_noop},
    {"CWD", NEEDS_ARG, cmd_cwd},
    {"DELE", NEEDS_ARG, cmd_dele},
    {"EPRT", NEEDS_ARG, cmd_eprt},
    {"EPSV", 0, cmd_epsv},
    {"FEAT", BEFORE_LOGIN, cmd_feat},
    {"HELP", 0, cmd_help},
    {"LIST", 0, cmd_list},
    {"MDTM", NEEDS_ARG, cmd_mdtm},
    {"MFMT", NEEDS_ARG, cmd_mfmt},
    {"MKD", NEEDS_ARG, cmd_mkd},
    {"MLSD", 0, cmd_mlsd},
    {"MLST", 0, cmd_mlst},
    {"MODE", NEEDS_ARG, cmd_mode},
    {"NLST", 0, cmd_nlst},
    {"NOOP", 0, cmd_noop},
    {"OPTS", NEEDS_ARG, cmd_opts},
    {"PASS", BEFORE_LOGIN, cmd_pass},
    {"PASV", 0, cmd_pasv},
    {"PBSZ", BEFORE_LOGIN | NEEDS_ARG, cmd_pbsz},
    {"PORT", NEEDS_ARG, cmd_port},
    {"PROT", BEFORE_LOGIN | NEEDS_ARG, cmd_prot},
    {"PWD", 0, cmd_pwd},
    {"QUIT", BEFORE_LOGIN, cmd_quit},
    {"REIN", 0, cmd_rein},
    {"REST", NEEDS_ARG, cmd_rest},
    {"RETR", NEEDS_ARG, cmd_retr},
    {"RMD", NEEDS_ARG, cmd_rmd},
    {"RNFR", NEEDS_ARG, cmd_rnfr},
    {"RNTO", NEEDS_ARG, cmd_rnto},
    {"SITE", NEEDS_ARG, cmd_site},
    {"SIZE", NEEDS_ARG, cmd_size},
    {"STAT", 0, cmd_stat},
    {"STOR", NEEDS_ARG, cmd_stor},
    {"STRU", NEEDS_ARG, cmd_stru},
    {"SYST", 0, cmd_syst},
    {"TYPE", NEEDS_ARG, cmd_type},
    {"USER", BEFORE_LOGIN, cmd_user},
    {"XCUP", 0, cmd_cdup},
    {"XCWD", NEEDS_ARG, cmd_cwd},
    {"XMKD", NEEDS_ARG, cmd_mkd},
    {"XPWD", 0, cmd_pwd},
    {"XRMD", NEEDS_ARG, cmd_rmd},
};

enum { COMMANDS = sizeof commands / sizeof *commands };

static const struct command *find(const char *name)
{
    for (size_t i = 0; i < COMMANDS; i++)
        if (word_is(name, commands[i].name))
            return &commands[i];
    return NULL;
}

static void cmd_help(struct ftp *f, const char *arg)
{
    if (*arg) {
        const struct command *c = find(arg);
        reply(f, c ? 214 : 502, c ? "%s is offered" : "%s is not offered",
              c ? c->name : "That command");
        return;
    }
    char line[80];
    size_t len = 0;
    reply_line(f, "214-These commands are offered:");
    for (size_t i = 0; i < COMMANDS; i++) {
        len += (size_t)snprintf(line + len, sizeof line - len, " %s",
                                commands[i].name);
        if (len > 60 || i == COMMANDS - 1) {
            reply_line(f, "%s", line);
            len = 0;
        }
    }
    reply(f, 214, "End");
}

bool command_is_urgent(const struct ftp *f, const char *line)
{
    const char *end = line + strcspn(line, "\r\n");
    char name[5] = "";
    if (end - line != 4)
        return false;
    memcpy(name, line, 4);
    bool status = word_is(name, "STAT") && f->t.kind != FTP_STAT;
    return status || word_is(name, "ABOR");
}

static void refuse_before_login(struct ftp *f)
{
    /* Somebody who talks another protocol, or tries things. */
    if (++f->strays < FTP_STRAYS) {
        reply(f, 332, "Log in first");
        return;
    }
    reply(f, 421, "Log in first; goodbye");
    f->closing = true;
}

void command_run(struct ftp *f, char *line)
{
    const struct command *c = find(line);
    char *arg = line + strcspn(line, " ");
    if (*arg)
        arg++; /* one space: a name may begin with another */
    bool allowed = f->logged_in || (c && (c->flags & BEFORE_LOGIN));
    if (!allowed)
        refuse_before_login(f);
    else if (!c)
        reply(f, 502, "Not offered");
    else if ((c->flags & NEEDS_ARG) && !*arg)
        reply(f, 501, "%s needs an argument", c->name);
    else
        c->run(f, arg);
}
