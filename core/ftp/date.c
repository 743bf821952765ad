#include <stdio.h>
#include <string.h>

#include "internal.h"

/* Days since 1970-01-01 of a civil date, and back: eras of 400 years that
 * begin on 1 March, so that the leap day is the last of its year. */
static int64_t days_from_civil(int year, int month, int day)
{
    int64_t y = month <= 2 ? year - 1 : year;
    int64_t era = (y >= 0 ? y : y - 399) / 400;
    int64_t year_of_era = y - era * 400;
    int64_t day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    int64_t day_of_era =
        year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    return era * 146097 + day_of_era - 719468;
}

static int64_t floor_div(int64_t a, int64_t b)
{
    return a / b - (a % b < 0);
}

struct date date_of(int64_t unix_s)
{
    /* Years 1 to 9999: what four digits can say. */
    if (unix_s < -62135596800)
        unix_s = -62135596800;
    if (unix_s > 253402300799)
        unix_s = 253402300799;
    int64_t days = floor_div(unix_s, 86400);
    int64_t rest = unix_s - days * 86400;
    int64_t z = days + 719468;
    int64_t era = floor_div(z, 146097);
    int64_t day_of_era = z - era * 146097;
    int64_t year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36524 -
                           day_of_era / 146096) /
                          365;
    int64_t day_of_year =
        day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    int64_t m = (5 * day_of_year + 2) / 153;
    int month = (int)(m < 10 ? m + 3 : m - 9);
    return (struct date){
        .year = (int)(year_of_era + era * 400 + (month <= 2)),
        .month = month,
        .day = (int)(day_of_year - (153 * m + 2) / 5 + 1),
        .hour = (int)(rest / 3600),
        .minute = (int)(rest / 60 % 60),
        .second = (int)(rest % 60),
    };
}

void date_stamp(char to[15], int64_t unix_s)
{
    struct date d = date_of(unix_s);
    /* The modulo only tells the compiler what date_of promises. */
    snprintf(to, 15, "%04u%02u%02u%02u%02u%02u", (unsigned)d.year % 10000u,
             (unsigned)d.month % 100u, (unsigned)d.day % 100u,
             (unsigned)d.hour % 100u, (unsigned)d.minute % 100u,
             (unsigned)d.second % 100u);
}

static int digits(const char *p, int n)
{
    int v = 0;
    while (n--)
        v = v * 10 + (*p++ - '0');
    return v;
}

static int days_in(int year, int month)
{
    static const uint8_t days[] = {31, 28, 31, 30, 31, 30,
                                   31, 31, 30, 31, 30, 31};
    bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    return days[month - 1] + (month == 2 && leap);
}

/* RFC 3659 section 2.3: fourteen digits, then perhaps a fraction. */
static bool shape_is_right(const char *text, size_t len)
{
    if (len < 14 || (len > 14 && (text[14] != '.' || len < 16)))
        return false;
    for (size_t i = 0; i < len; i++)
        if (i != 14 && (text[i] < '0' || text[i] > '9'))
            return false;
    return true;
}

bool date_parse(const char *text, size_t len, int64_t *unix_s)
{
    if (!shape_is_right(text, len))
        return false;
    struct date d = {digits(text, 4),      digits(text + 4, 2),
                     digits(text + 6, 2),  digits(text + 8, 2),
                     digits(text + 10, 2), digits(text + 12, 2)};
    if (d.year < 1980 || d.year > 2107 || d.month < 1 || d.month > 12)
        return false;
    if (d.day < 1 || d.day > days_in(d.year, d.month) || d.hour > 23 ||
        d.minute > 59 || d.second > 60)
        return false;
    *unix_s = days_from_civil(d.year, d.month, d.day) * 86400 + d.hour * 3600 +
              d.minute * 60 + d.second;
    return true;
}
