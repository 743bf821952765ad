/* FAT time stamps (Microsoft FAT specification, section 6.1) and Unix
 * seconds, by the civil calendar. */
#include "fat.h"

/* Days from 1970-01-01 of a date (Hinnant, "chrono-compatible low-level date
 * algorithms"). */
static int64_t days_of(int64_t year, unsigned month, unsigned day)
{
    year -= month <= 2;
    int64_t era = (year >= 0 ? year : year - 399) / 400;
    unsigned yoe = (unsigned)(year - era * 400);
    unsigned doy =
        (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;
    unsigned doe = yoe * 365 + yoe / 4 - yoe / 100 + doy;
    return era * 146097 + (int64_t)doe - 719468;
}

static void date_of(int64_t days, int64_t *year, unsigned *month, unsigned *day)
{
    days += 719468;
    int64_t era = (days >= 0 ? days : days - 146096) / 146097;
    unsigned doe = (unsigned)(days - era * 146097);
    unsigned yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
    unsigned doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    unsigned mp = (5 * doy + 2) / 153;
    *day = doy - (153 * mp + 2) / 5 + 1;
    *month = mp < 10 ? mp + 3 : mp - 9;
    *year = (int64_t)yoe + era * 400 + (*month <= 2);
}

uint32_t fat_time_of(int64_t unix_seconds)
{
    const int64_t first = 315532800, last = 4354819198; /* 1980 .. 2107 */
    int64_t year;
    unsigned month, day;
    if (unix_seconds < first)
        unix_seconds = first;
    if (unix_seconds > last)
        unix_seconds = last;
    date_of(unix_seconds / 86400, &year, &month, &day);
    unsigned second = (unsigned)(unix_seconds % 86400);
    unsigned date = (unsigned)(year - 1980) << 9 | month << 5 | day;
    unsigned time =
        (second / 3600) << 11 | (second / 60 % 60) << 5 | second % 60 / 2;
    return date << 16 | time;
}

int64_t fat_time_to_unix(uint32_t date_time)
{
    unsigned date = date_time >> 16, time = date_time & 0xFFFF;
    unsigned month = date >> 5 & 15, day = date & 31;
    if (month < 1 || month > 12)
        month = 1;
    if (day < 1)
        day = 1;
    return days_of(1980 + (date >> 9), month, day) * 86400 +
           (time >> 11) * 3600 + (time >> 5 & 63) * 60 + (time & 31) * 2;
}
