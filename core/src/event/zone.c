/*
 * event/zone.c: reading TZif files (RFC 9636) and the POSIX TZ text in their footer.
 *
 * A file is bytes that somebody else wrote: every count is checked against what is there before it is used, and times must ascend. Behind its last transition the footer's rule
 * goes on for ever; without one the last offset does.
 */
#include "event/zone.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#define DAY       INT64_C(86400)
#define FILE_SIZE ((size_t)1 << 20) /* the largest of the real ones have some KiB */
#define HEADER    44

static const char *const folders[] = {"/usr/share/zoneinfo", "/usr/lib/zoneinfo",
                                      "/usr/share/lib/zoneinfo", "/etc/zoneinfo",
                                      "/var/db/timezone/zoneinfo"};

/* When in a year a rule's change is: day n counted without (J) or with leap days, or the week-th weekday of a month. */
enum { RULE_JULIAN, RULE_DAY, RULE_WEEKDAY };
typedef struct moment {
    int kind;
    int day; /* 1..365, 0..365, or the weekday 0..6 */
    int week;
    int month;
    int64_t time; /* s after that day's midnight, -167 h .. 167 h */
} moment;

typedef struct rule {
    bool given;
    bool daylight;
    int64_t standard_offset;
    int64_t daylight_offset;
    moment start; /* of daylight saving time */
    moment end;
} rule;

struct brant__zone {
    rule rule;
    int32_t first; /* the offset before the first transition */
    size_t count;
    int64_t *at;
    int32_t *offset; /* from then on */
};

/* ---- the calendar ---------------------------------------------------------------------------------------------------------- */

/* Years that begin in March put the leap day at the end; 400 years have 146097 days. */
int64_t brant__days_of(int64_t year, int month, int day) {
    const int64_t y = year - (month <= 2), era = brant__floor_divide(y, 400),
                  of_era = y - era * 400;
    const int64_t of_year = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;
    return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

brant__date brant__date_of(int64_t days) {
    const int64_t shifted = days + 719468, era = brant__floor_divide(shifted, 146097),
                  of_era = shifted - era * 146097;
    const int64_t year = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
    const int64_t of_year = of_era - (365 * year + year / 4 - year / 100);
    const int64_t month = (5 * of_year + 2) / 153;
    return (brant__date){.year = year + era * 400 + (month >= 10),
                         .month = (int)(month < 10 ? month + 3 : month - 9),
                         .day = (int)(of_year - (153 * month + 2) / 5 + 1)};
}

static bool is_leap(int64_t year) {
    return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

int brant__month_length(int64_t year, int month) {
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    return days[month - 1] + (month == 2 && is_leap(year));
}

/* ---- the footer ------------------------------------------------------------------------------------------------------------ */

typedef struct reader {
    const char *at;
    const char *end;
} reader;

static bool take(reader *in, char byte) {
    if (in->at == in->end || *in->at != byte) return false;
    in->at++;
    return true;
}

static bool read_number(int *out, reader *in, int least, int most) {
    int value = 0, digits = 0;
    while (in->at < in->end && *in->at >= '0' && *in->at <= '9' && digits < 4) {
        value = value * 10 + (*in->at++ - '0');
        digits++;
    }
    *out = value;
    return digits > 0 && value >= least && value <= most;
}

/* [+-]hh[:mm[:ss]] in seconds. */
static bool read_time(int64_t *out, reader *in, int most_hours) {
    int hours = 0, minutes = 0, seconds = 0;
    const bool negative = take(in, '-');
    if (!negative) take(in, '+');
    if (!read_number(&hours, in, 0, most_hours)) return false;
    if (take(in, ':')) {
        if (!read_number(&minutes, in, 0, 59)) return false;
        if (take(in, ':') && !read_number(&seconds, in, 0, 59)) return false;
    }
    *out = (int64_t)hours * 3600 + minutes * 60 + seconds;
    if (negative) *out = -*out;
    return true;
}

static bool skip_name(reader *in) {
    const bool quoted = take(in, '<');
    size_t length = 0;
    for (; in->at < in->end; in->at++, length++) {
        const char c = *in->at;
        const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
        const bool other = quoted && ((c >= '0' && c <= '9') || c == '+' || c == '-');
        if (!letter && !other) break;
    }
    return length >= 3 && (!quoted || take(in, '>'));
}

static bool read_moment(moment *out, reader *in) {
    *out = (moment){.time = 7200};
    if (take(in, 'J')) {
        out->kind = RULE_JULIAN;
        if (!read_number(&out->day, in, 1, 365)) return false;
    } else if (take(in, 'M')) {
        out->kind = RULE_WEEKDAY;
        if (!read_number(&out->month, in, 1, 12) || !take(in, '.') ||
            !read_number(&out->week, in, 1, 5) || !take(in, '.') ||
            !read_number(&out->day, in, 0, 6))
            return false;
    } else {
        out->kind = RULE_DAY;
        if (!read_number(&out->day, in, 0, 365)) return false;
    }
    return !take(in, '/') || read_time(&out->time, in, 167);
}

/* std offset [dst [offset] , start [/time] , end [/time]]; the offsets are what is added to get UTC. Nothing is no rule. */
static bool read_rule(rule *out, brant__text text) {
    reader in = {text.data, text.data + text.length};
    int64_t west = 0;
    *out = (rule){.given = false};
    if (text.length == 0) return true;
    out->given = true;
    if (!skip_name(&in) || !read_time(&west, &in, 24)) return false;
    out->standard_offset = -west;
    if (in.at == in.end) return true;
    out->daylight = true;
    out->daylight_offset = out->standard_offset + 3600;
    if (!skip_name(&in)) return false;
    if (in.at < in.end && *in.at != ',') {
        if (!read_time(&west, &in, 24)) return false;
        out->daylight_offset = -west;
    }
    return take(&in, ',') && read_moment(&out->start, &in) && take(&in, ',') &&
           read_moment(&out->end, &in) && in.at == in.end;
}

/* Local seconds of a rule's change in a year. */
static int64_t moment_in(const moment *self, int64_t year) {
    int64_t day = brant__days_of(year, 1, 1);
    if (self->kind == RULE_DAY) {
        day += self->day;
    } else if (self->kind == RULE_JULIAN) {
        day += self->day - 1 + (self->day >= 60 && is_leap(year));
    } else {
        day = brant__days_of(year, self->month, 1);
        day += (self->day - brant__weekday_of(day) + 7) % 7 + 7 * (self->week - 1);
        /* The fifth is the last. */
        if (day >= brant__days_of(year, self->month, 1) + brant__month_length(year, self->month))
            day -= 7;
    }
    return day * DAY + self->time;
}

/* ---- spans ----------------------------------------------------------------------------------------------------------------- */

#define FAR                                                                                        \
    INT64_C(                                                                                       \
        100000000000000) /* s: beyond all years that anybody asks for, and safe to calculate with */

/* By the rule alone: the changes of the years around, in their order, and the last of them that has been. */
static brant__span rule_span(const rule *self, int64_t at) {
    brant__span span = {INT64_MIN, INT64_MAX, self->standard_offset};
    struct {
        int64_t at;
        int64_t offset;
    } changes[10];
    size_t count = 0;
    if (!self->daylight || at > FAR || at < -FAR) return span;
    const int64_t year = brant__date_of(brant__floor_divide(at, DAY)).year;
    for (int64_t y = year - 2; y <= year + 2; y++) {
        for (int end = 0; end < 2; end++) {
            const int64_t change = end ? moment_in(&self->end, y) - self->daylight_offset
                                       : moment_in(&self->start, y) - self->standard_offset;
            size_t place = count++;
            for (; place > 0 && changes[place - 1].at > change; place--)
                changes[place] = changes[place - 1];
            changes[place].at = change;
            changes[place].offset = end ? self->standard_offset : self->daylight_offset;
        }
    }
    for (size_t i = 0; i < count; i++) {
        if (changes[i].at > at) {
            span.until = changes[i].at;
            break;
        }
        span.from = changes[i].at;
        span.offset = changes[i].offset;
    }
    return span;
}

brant__span brant__zone_span(const brant__zone *zone, int64_t at) {
    size_t low = 0, high = zone->count; /* transitions at or before `at` */
    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        if (zone->at[middle] <= at)
            low = middle + 1;
        else
            high = middle;
    }
    if (low == zone->count && zone->rule.given) {
        brant__span span = rule_span(&zone->rule, at);
        if (low > 0 && span.from < zone->at[low - 1]) span.from = zone->at[low - 1];
        return span;
    }
    return (brant__span){.from = low > 0 ? zone->at[low - 1] : INT64_MIN,
                         .until = low < zone->count ? zone->at[low] : INT64_MAX,
                         .offset = low > 0 ? zone->offset[low - 1] : zone->first};
}

/* ---- files ----------------------------------------------------------------------------------------------------------------- */

typedef struct counts {
    char version;
    size_t ut, standard, leap, times, types, bytes;
} counts;

static uint32_t read_32(const uint8_t *bytes) {
    return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 | bytes[3];
}

static int64_t read_signed_32(const uint8_t *bytes) {
    const int64_t value = read_32(bytes);
    return value > INT32_MAX ? value - (INT64_C(1) << 32) : value;
}

static int64_t read_signed_64(const uint8_t *bytes) {
    const uint64_t low = read_32(bytes + 4);
    const int64_t high = read_signed_32(bytes);
    return high * (INT64_C(1) << 32) + (int64_t)low;
}

/* What is wrong with the file, or NULL. */
static const char *read_header(counts *out, const uint8_t *bytes, size_t length) {
    if (length < HEADER || memcmp(bytes, "TZif", 4) != 0) return "it is not a TZif file";
    *out = (counts){.version = (char)bytes[4],
                    .ut = read_32(bytes + 20),
                    .standard = read_32(bytes + 24),
                    .leap = read_32(bytes + 28),
                    .times = read_32(bytes + 32),
                    .types = read_32(bytes + 36),
                    .bytes = read_32(bytes + 40)};
    const size_t all[] = {out->ut, out->standard, out->leap, out->times, out->types, out->bytes};
    for (size_t i = 0; i < BRANT__COUNT(all); i++)
        if (all[i] > FILE_SIZE) return "a count is larger than any file";
    return NULL;
}

static size_t data_size(const counts *of, size_t time_size) {
    return of->times * (time_size + 1) + of->types * 6 + of->bytes + of->leap * (time_size + 4) +
           of->standard + of->ut;
}

static const char *check_counts(const counts *of, size_t left, size_t time_size) {
    if (of->leap > 0) return "it counts leap seconds";
    if (of->types == 0 || of->types > 256) return "it has no local time types, or too many";
    if (of->bytes == 0) return "it has no designations";
    if ((of->ut > 0 && of->ut != of->types) || (of->standard > 0 && of->standard != of->types))
        return "its indicators are not one for each local time type";
    return data_size(of, time_size) > left ? "it is cut off" : NULL;
}

static const char *read_types(int32_t *offsets, const uint8_t *bytes, const counts *of) {
    for (size_t i = 0; i < of->types; i++, bytes += 6) {
        const int64_t offset = read_signed_32(bytes);
        if (offset < BRANT__ZONE_OFFSET_LEAST || offset > BRANT__ZONE_OFFSET_MOST)
            return "an offset is not that of any zone";
        if (bytes[4] > 1 || bytes[5] >= of->bytes) return "a local time type is none";
        offsets[i] = (int32_t)offset;
    }
    return NULL;
}

/* Fill a zone, which has room for them, with transitions from a data block. */
static const char *read_block(brant__zone *zone, const uint8_t *bytes, const counts *of,
                              size_t time_size) {
    int32_t offsets[256];
    const uint8_t *indexes = bytes + of->times * time_size;
    const char *fault = read_types(offsets, indexes + of->times, of);
    if (fault) return fault;
    zone->first = offsets[0];
    for (size_t i = 0; i < of->times; i++, bytes += time_size) {
        zone->at[i] = time_size == 8 ? read_signed_64(bytes) : read_signed_32(bytes);
        if (i > 0 && zone->at[i] <= zone->at[i - 1]) return "its transitions do not ascend";
        if (indexes[i] >= of->types) return "a transition is to no local time type";
        zone->offset[i] = offsets[indexes[i]];
    }
    zone->count = of->times;
    return NULL;
}

static const char *read_footer(rule *out, const uint8_t *bytes, size_t length) {
    const uint8_t *end =
        length > 0 && bytes[0] == '\n' ? memchr(bytes + 1, '\n', length - 1) : NULL;
    if (!end) return "its footer is missing";
    if (!read_rule(out, brant__text_of((const char *)bytes + 1, (size_t)(end - bytes - 1))))
        return "the rule in its footer is none";
    return NULL;
}

static brant__zone *new_zone(size_t count) {
    brant__zone *zone =
        brant__alloc_zero(sizeof *zone + count * (sizeof *zone->at + sizeof *zone->offset));
    if (!zone) return NULL;
    zone->at = (int64_t *)(zone + 1);
    zone->offset = (int32_t *)(zone->at + count);
    return zone;
}

brant_status brant__zone_parse(brant__zone **out, const void *data, size_t length,
                               brant__text name) {
    const uint8_t *bytes = data;
    size_t time_size = 4;
    counts of;
    *out = NULL;
    const char *fault = read_header(&of, bytes, length);
    if (!fault && of.version != '\0') {
        /* The first block is for readers of version 1: skipped, whatever is in it. */
        const size_t skipped = HEADER + data_size(&of, 4);
        if (skipped > length) {
            fault = "it is cut off";
        } else {
            bytes += skipped;
            length -= skipped;
            time_size = 8;
            fault = read_header(&of, bytes, length);
        }
    }
    if (!fault) fault = check_counts(&of, length - HEADER, time_size);
    if (!fault) {
        brant__zone *zone = new_zone(of.times);
        if (!zone) return brant__fail_memory();
        fault = read_block(zone, bytes + HEADER, &of, time_size);
        const size_t footer = HEADER + data_size(&of, time_size);
        if (!fault && time_size == 8)
            fault = read_footer(&zone->rule, bytes + footer, length - footer);
        if (!fault) {
            *out = zone;
            return BRANT_OK;
        }
        brant__zone_free(zone);
    }
    return brant__fail(BRANT_INVALID, "the file of time zone \"%.*s\" cannot be used: %s",
                       (int)name.length, name.data, fault);
}

void brant__zone_free(brant__zone *zone) {
    brant__free(zone);
}

/* ---- finding files ----------------------------------------------------------------------------------------------------------- */

/* Names go into paths: letters, digits, _ + - . and / between parts that do not begin with a point. */
static bool is_name(brant__text name) {
    if (name.length == 0 || name.length > 255 || name.data[name.length - 1] == '/') return false;
    for (size_t i = 0; i < name.length; i++) {
        const char c = name.data[i];
        const bool begins = i == 0 || name.data[i - 1] == '/';
        const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
        if (!letter && !(c >= '0' && c <= '9') && c != '_' && c != '+' && c != '-' &&
            (begins || (c != '.' && c != '/')))
            return false;
    }
    return true;
}

/* The bytes of a regular file; *out stays NULL where there is none. */
static brant_status read_file(uint8_t **out, size_t *out_length, const char *path) {
    brant_status status = BRANT_OK;
    struct stat about;
    uint8_t *bytes = NULL;
    size_t length = 0;
    *out = NULL;
    *out_length = 0;
    const int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (fd < 0 || fstat(fd, &about) != 0 || !S_ISREG(about.st_mode)) goto cleanup;
    if (about.st_size < 0 || (uint64_t)about.st_size > FILE_SIZE) goto cleanup;
    bytes = brant__alloc((size_t)about.st_size + 1);
    if (!bytes) {
        status = brant__fail_memory();
        goto cleanup;
    }
    while (length < (size_t)about.st_size) {
        const ssize_t got = read(fd, bytes + length, (size_t)about.st_size - length);
        if (got < 0 && errno == EINTR) continue;
        if (got <= 0) break;
        length += (size_t)got;
    }
    *out = bytes;
    *out_length = length;
cleanup:
    if (fd >= 0) close(fd);
    return status;
}

static brant_status fail_unknown(brant__text name) {
    char places[256] = "";
    size_t used = 0;
    bool any = false;
    struct stat about;
    for (size_t i = 0; i < BRANT__COUNT(folders); i++) {
        const size_t length = strlen(folders[i]);
        any = any || stat(folders[i], &about) == 0;
        if (used + length + 3 > sizeof places) break;
        memcpy(places + used, ", ", 2);
        memcpy(places + used + 2, folders[i], length + 1);
        used += length + 2;
    }
    return brant__fail(BRANT_INVALID, "there is no time zone \"%.*s\" in %s%s",
                       (int)(name.length < 255 ? name.length : 255), name.data, places + 2,
                       any ? "" : ": no time zones are installed (package tzdata)");
}

brant_status brant__zone_load(brant__zone **out, brant__text name) {
    brant_status status = BRANT_OK;
    uint8_t *bytes = NULL;
    size_t length = 0;
    char path[320];
    *out = NULL;
    if (brant__text_equal(name, BRANT__TEXT("UTC")) ||
        brant__text_equal(name, BRANT__TEXT("Etc/UTC"))) {
        *out = new_zone(0);
        return *out ? BRANT_OK : brant__fail_memory();
    }
    if (!is_name(name))
        return brant__fail(BRANT_INVALID,
                           "\"%.*s\" is not a name of a time zone, as Europe/Berlin is",
                           (int)(name.length < 64 ? name.length : 64), name.data);
    for (size_t i = 0; i < BRANT__COUNT(folders) && !bytes; i++) {
        const size_t folder = strlen(folders[i]);
        memcpy(path, folders[i], folder);
        path[folder] = '/';
        memcpy(path + folder + 1, name.data, name.length);
        path[folder + 1 + name.length] = '\0';
        BRANT__TRY(read_file(&bytes, &length, path));
    }
    status = bytes ? brant__zone_parse(out, bytes, length, name) : fail_unknown(name);
cleanup:
    brant__free(bytes);
    return status;
}
