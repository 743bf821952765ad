/* Reads the certificate and key from /flash/cert on the storage thread. */
#include <stdlib.h>
#include <string.h>

#include "private.h"

enum { RELOAD_MS = 2000 };

/* One byte more than may be: then it is too long. */
static size_t read_text(struct volumes *v, const char *path, char *to)
{
    int file = volume_open(v, path, VOLUME_READ);
    if (file < 0)
        return 0;
    int n = volume_read(v, file, to, TLS_PEM_MAX + 1);
    volume_close(v, file);
    return n < 0 ? 0 : (size_t)n;
}

static void run(struct storage_job *job)
{
    struct tls_loader *l = (struct tls_loader *)job;
    size_t certificate =
        read_text(l->volumes, "/flash/cert/cert.pem", l->certificate);
    size_t key = read_text(l->volumes, "/flash/cert/private.key", l->key);
    l->fresh.usable = false;
    l->fresh.problem[0] = '\0';
    if (certificate || key)
        tls_identity_read(&l->fresh, l->certificate, certificate, l->key, key);
    memset(l->key, 0, sizeof l->key);
}

static void done(struct storage_job *job)
{
    struct tls_loader *l = (struct tls_loader *)job;
    bool news = strcmp(l->fresh.problem, l->identity.problem) != 0;
    l->busy = false;
    if (news && l->fresh.problem[0])
        net_log(l->net, "ftp: no TLS: %s", l->fresh.problem);
    tls_identity_copy(&l->identity, &l->fresh);
    if (l->changed)
        tls_load(l->net);
}

void tls_load(struct net *net)
{
    struct tls_loader *l = &net->tls_loader;
    bool young =
        !l->changed && l->read_ms && net->now_ms - l->read_ms < RELOAD_MS;
    if (l->busy || young || !net->config.storage || !net->config.volumes)
        return;
    l->job.run = run;
    l->job.done = done;
    l->net = net;
    l->volumes = net->config.volumes;
    l->busy = true;
    l->changed = false;
    l->read_ms = net->now_ms;
    storage_post(net->config.storage, &l->job);
}
