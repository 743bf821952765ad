#include "firmware/log.h"

#include <stdio.h>
#include <time.h>

void log_init(struct log *l)
{
    *l = (struct log){.count = 0};
    pthread_mutex_init(&l->lock, NULL);
}

static void copy_printable(char to[LOG_LINE_LEN], const char *from)
{
    size_t i = 0;
    for (; from[i] && i + 1 < LOG_LINE_LEN; i++) {
        unsigned char c = (unsigned char)from[i];
        to[i] = c < 0x20 || c == 0x7f ? '?' : from[i];
    }
    to[i] = 0;
}

void log_add(struct log *l, uint32_t time, const char *text)
{
    pthread_mutex_lock(&l->lock);
    unsigned at = l->count++ % LOG_LINES;
    l->line[at].time = time;
    copy_printable(l->line[at].text, text);
    pthread_mutex_unlock(&l->lock);
}

size_t log_text(struct log *l, char *to, size_t size)
{
    size_t len = 0;
    to[0] = 0;
    pthread_mutex_lock(&l->lock);
    unsigned first = l->count > LOG_LINES ? l->count - LOG_LINES : 0;
    for (unsigned i = first; i < l->count; i++) {
        time_t t = (time_t)l->line[i % LOG_LINES].time;
        struct tm tm;
        char when[24] = "";
        if (gmtime_r(&t, &tm))
            strftime(when, sizeof when, "%Y-%m-%d %H:%M:%S", &tm);
        int n = snprintf(to + len, size - len, "%s%s %s", len ? "\n" : "", when,
                         l->line[i % LOG_LINES].text);
        if (n < 0 || (size_t)n >= size - len)
            break;
        len += (size_t)n;
    }
    pthread_mutex_unlock(&l->lock);
    to[len] = 0;
    return len;
}
