/* The commands, for the table in command.c: `arg` is what follows the name
 * and one space. */
#ifndef WIPY_FTP_COMMANDS_H
#define WIPY_FTP_COMMANDS_H

#include "internal.h"

/* True when `arg` begins with the word, in any case. */
bool word_is(const char *arg, const char *word);
const char *after_word(const char *arg);

/* ---- login.c ---- */

void cmd_user(struct ftp *f, const char *arg);
void cmd_pass(struct ftp *f, const char *arg);
void cmd_rein(struct ftp *f, const char *arg);
void cmd_quit(struct ftp *f, const char *arg);
void cmd_auth(struct ftp *f, const char *arg);
void cmd_pbsz(struct ftp *f, const char *arg);
void cmd_prot(struct ftp *f, const char *arg);

/* ---- options.c ---- */

void cmd_feat(struct ftp *f, const char *arg);
void cmd_opts(struct ftp *f, const char *arg);
void cmd_syst(struct ftp *f, const char *arg);
void cmd_noop(struct ftp *f, const char *arg);
void cmd_acct(struct ftp *f, const char *arg);
void cmd_type(struct ftp *f, const char *arg);
void cmd_mode(struct ftp *f, const char *arg);
void cmd_stru(struct ftp *f, const char *arg);
void cmd_stat(struct ftp *f, const char *arg);
void cmd_site(struct ftp *f, const char *arg);

/* ---- names.c ---- */

void cmd_cwd(struct ftp *f, const char *arg);
void cmd_cdup(struct ftp *f, const char *arg);
void cmd_pwd(struct ftp *f, const char *arg);
void cmd_mkd(struct ftp *f, const char *arg);
void cmd_rmd(struct ftp *f, const char *arg);
void cmd_dele(struct ftp *f, const char *arg);
void cmd_rnfr(struct ftp *f, const char *arg);
void cmd_rnto(struct ftp *f, const char *arg);
void cmd_size(struct ftp *f, const char *arg);
void cmd_mdtm(struct ftp *f, const char *arg);
void cmd_mfmt(struct ftp *f, const char *arg);
void cmd_mlst(struct ftp *f, const char *arg);

/* ---- data.c ---- */

void cmd_pasv(struct ftp *f, const char *arg);
void cmd_epsv(struct ftp *f, const char *arg);
void cmd_port(struct ftp *f, const char *arg);
void cmd_eprt(struct ftp *f, const char *arg);
void cmd_rest(struct ftp *f, const char *arg);
void cmd_allo(struct ftp *f, const char *arg);
void cmd_retr(struct ftp *f, const char *arg);
void cmd_stor(struct ftp *f, const char *arg);
void cmd_appe(struct ftp *f, const char *arg);
void cmd_list(struct ftp *f, const char *arg);
void cmd_nlst(struct ftp *f, const char *arg);
void cmd_mlsd(struct ftp *f, const char *arg);
void cmd_abor(struct ftp *f, const char *arg);

#endif
