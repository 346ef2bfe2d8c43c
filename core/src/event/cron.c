/*
 * event/cron.c: specifications as cron has them, and when they fire.
 *
 * Local time is seconds as if it were UTC. Two ways lead from a local time that the fields match to the moment at which it fires:
 *
 *   elapsed: every moment at which the clock shows it: twice when an hour repeats, never when it is skipped. Within a span of one offset local time is a line, so the search goes span by span.
 *   reached: the first moment at which the clock shows it or something later: once when an hour repeats, and at the end of the gap when it is skipped. What the clock has reached, its
 *            running maximum, never goes back, so the first match beyond what is reached now is the next.
 *
 * A search gives up after SEARCH years: the rarest date, the 29th of February on a given weekday, is 40 years from the next across 2100.
 */
#include "event/cron.h"

#define DAY    INT64_C(86400)
#define SEARCH 60
#define LOOK   (3 * DAY) /* more than two offsets can differ by */

#define EVERY_MOST INT64_C(316224000000) /* 3660 days */

/* ---- fields ---------------------------------------------------------------------------------------------------------------- */

static const char *const month_names[] = {"JAN", "FEB", "MAR", "APR", "MAY", "JUN",
                                          "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"};
static const char *const weekday_names[] = {"SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"};

enum { SECOND, MINUTE, HOUR, DAY_OF_MONTH, MONTH, DAY_OF_WEEK, FIELDS };
static const struct field {
    const char *name;
    int least;
    int most;
    const char *const *names; /* of the values from `least` on */
    int name_count;
} fields[FIELDS] = {
    {"second", 0, 59, NULL, 0},        {"minute", 0, 59, NULL, 0},
    {"hour", 0, 23, NULL, 0},          {"day of month", 1, 31, NULL, 0},
    {"month", 1, 12, month_names, 12}, {"day of week", 0, 7, weekday_names, 7},
};

typedef struct reader {
    const char *at;
    const char *end;
    const struct field *field;
    brant__text text; /* the whole field, for messages */
} reader;

static brant_status fail(const reader *in, const char *what) {
    return brant__fail(BRANT_INVALID, "/spec: %s \"%.*s\": %s", in->field->name,
                       (int)(in->text.length < 64 ? in->text.length : 64), in->text.data, what);
}

static bool take(reader *in, char byte) {
    if (in->at == in->end || *in->at != byte) return false;
    in->at++;
    return true;
}

static char upper(char c) {
    return c >= 'a' && c <= 'z' ? (char)(c - 'a' + 'A') : c;
}

static bool is_letter(char c) {
    return upper(c) >= 'A' && upper(c) <= 'Z';
}

static bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

static brant_status read_name(int *out, reader *in) {
    const char *begin = in->at;
    while (in->at < in->end && is_letter(*in->at))
        in->at++;
    for (int i = 0; in->at - begin == 3 && i < in->field->name_count; i++) {
        const char *name = in->field->names[i];
        if (upper(begin[0]) != name[0] || upper(begin[1]) != name[1] || upper(begin[2]) != name[2])
            continue;
        *out = in->field->least + i;
        return BRANT_OK;
    }
    if (in->field == &fields[MONTH]) return fail(in, "a month is 1-12 or JAN-DEC");
    if (in->field == &fields[DAY_OF_WEEK])
        return fail(in, "a weekday is 0-7 or SUN-SAT; L, W and # are not known");
    return fail(in, "numbers, *, ranges a-b, steps /n and lists of these with commas are known");
}

static brant_status read_number(int *out, reader *in) {
    int64_t value = 0;
    const char *begin = in->at;
    for (; in->at < in->end && is_digit(*in->at) && in->at - begin < 10; in->at++)
        value = value * 10 + (*in->at - '0');
    if (in->at == begin)
        return fail(in, in->at == in->end || *in->at == ','
                            ? "a value is missing"
                            : "numbers, *, ranges a-b, steps /n and lists of these with commas are "
                              "known");
    *out = value > INT32_MAX ? INT32_MAX : (int)value;
    return BRANT_OK;
}

static brant_status read_value(int *out, reader *in) {
    const brant_status status =
        in->at < in->end && is_letter(*in->at) ? read_name(out, in) : read_number(out, in);
    if (status != BRANT_OK) return status;
    if (*out >= in->field->least && *out <= in->field->most) return BRANT_OK;
    return brant__fail(BRANT_INVALID, "/spec: %s \"%.*s\": %d is not within %d-%d", in->field->name,
                       (int)(in->text.length < 64 ? in->text.length : 64), in->text.data, *out,
                       in->field->least, in->field->most);
}

/* One of a list: *, a, a-b, each with /step; a/step is from a on. */
static brant_status read_range(uint64_t *bits, bool *out_wild, reader *in) {
    int from = in->field->least, to = in->field->most, step = 1;
    const bool star = take(in, '*');
    brant_status status = BRANT_OK;
    *out_wild = star;
    if (star && in->field == &fields[DAY_OF_WEEK]) to = 6;
    if (!star) {
        BRANT__TRY(read_value(&from, in));
        to = from;
        if (take(in, '-')) {
            BRANT__TRY(read_value(&to, in));
            /* Sunday ends a week as well as it begins one. */
            if (in->field == &fields[DAY_OF_WEEK] && to == 0 && from > 0) to = 7;
        } else if (in->at < in->end && *in->at == '/') {
            to = in->field == &fields[DAY_OF_WEEK] && from < 7 ? 6 : in->field->most;
        }
        if (from > to) return fail(in, "the range goes backwards");
    }
    if (take(in, '/')) {
        *out_wild = true;
        BRANT__TRY(read_number(&step, in));
        if (step == 0) return fail(in, "a step is 1 or more");
        if (step > in->field->most - in->field->least)
            return fail(in, "the step is longer than the field");
    }
    for (int value = from; value <= to; value += step)
        *bits |= UINT64_C(1) << (in->field == &fields[DAY_OF_WEEK] ? value % 7 : value);
cleanup:
    return status;
}

/* *out_wild: something in it is * or has a step. */
static brant_status read_field(uint64_t *bits, bool *out_wild, int field, brant__text text) {
    reader in = {text.data, text.data + text.length, &fields[field], text};
    *bits = 0;
    *out_wild = false;
    do {
        bool wild = false;
        const brant_status status = read_range(bits, &wild, &in);
        if (status != BRANT_OK) return status;
        *out_wild = *out_wild || wild;
    } while (take(&in, ','));
    if (in.at < in.end)
        return fail(&in, "numbers, *, ranges a-b, steps /n and lists of these with commas are "
                         "known");
    return BRANT_OK;
}

/* ---- specifications ---------------------------------------------------------------------------------------------------------- */

static bool is_space(char c) {
    return c == ' ' || c == '\t';
}

static brant__text next_word(brant__text *rest) {
    while (rest->length > 0 && is_space(rest->data[0]))
        *rest = brant__text_of(rest->data + 1, rest->length - 1);
    size_t length = 0;
    while (length < rest->length && !is_space(rest->data[length]))
        length++;
    const brant__text word = brant__text_of(rest->data, length);
    *rest = brant__text_of(rest->data + length, rest->length - length);
    return word;
}

static bool is_word(brant__text word, const char *wanted) {
    if (word.length != strlen(wanted)) return false;
    for (size_t i = 0; i < word.length; i++)
        if (upper(word.data[i]) != upper(wanted[i])) return false;
    return true;
}

/* 1h30m, 90s, 500ms: in ms. */
static brant_status read_duration(int64_t *out, brant__text text) {
    static const struct {
        const char *name;
        int64_t length;
    } units[] = {{"ms", 1}, {"s", 1000}, {"m", 60000}, {"h", 3600000}, {"d", 86400000}};
    const char *at = text.data, *end = text.data + text.length;
    *out = 0;
    while (at < end) {
        int64_t value = 0, unit = 0;
        const char *begin = at;
        for (; at < end && is_digit(*at) && at - begin < 12; at++)
            value = value * 10 + (*at - '0');
        if (at == begin) goto refuse;
        const char *name = at;
        while (at < end && is_letter(*at))
            at++;
        for (size_t i = 0; i < BRANT__COUNT(units); i++)
            if (brant__text_equal(brant__text_of(name, (size_t)(at - name)),
                                  brant__text_string(units[i].name)))
                unit = units[i].length;
        if (unit == 0) goto refuse;
        if (value > EVERY_MOST / unit || (*out += value * unit) > EVERY_MOST)
            return brant__fail(BRANT_INVALID, "/spec: @every \"%.*s\": more than 3660 days",
                               (int)text.length, text.data);
    }
    if (*out > 0) return BRANT_OK;
refuse:
    return brant__fail(
        BRANT_INVALID,
        "/spec: @every \"%.*s\": a duration is 1 ms or more, written as 90s, 1h30m or "
        "500ms, of ms, s, m, h, d",
        (int)(text.length < 64 ? text.length : 64), text.data);
}

static brant_status read_word(brant__cron *out, brant__text *fields_text, brant__text word,
                              brant__text rest) {
    static const struct {
        const char *name;
        const char *spec;
    } words[] = {{"@yearly", "0 0 1 1 *"}, {"@annually", "0 0 1 1 *"}, {"@monthly", "0 0 1 * *"},
                 {"@weekly", "0 0 * * 0"}, {"@daily", "0 0 * * *"},    {"@midnight", "0 0 * * *"},
                 {"@hourly", "0 * * * *"}};
    brant__text more = next_word(&rest);
    const bool alone = more.length == 0;
    if (is_word(word, "@every")) {
        if (next_word(&rest).length > 0)
            return brant__fail(BRANT_INVALID, "/spec: @every: one duration, as 1h30m");
        return read_duration(&out->every, more);
    }
    for (size_t i = 0; i < BRANT__COUNT(words); i++) {
        if (!is_word(word, words[i].name)) continue;
        if (!alone)
            return brant__fail(BRANT_INVALID, "/spec: nothing stands behind %s", words[i].name);
        *fields_text = brant__text_string(words[i].spec);
        return BRANT_OK;
    }
    return brant__fail(BRANT_INVALID,
                       "/spec: \"%.*s\" is none of @yearly, @annually, @monthly, @weekly, @daily, "
                       "@midnight, @hourly, @every",
                       (int)(word.length < 64 ? word.length : 64), word.data);
}

/* Is there any day that the fields match? A weekday alone never excludes one for ever. */
static bool is_possible(const brant__cron *cron) {
    if (cron->either) return true;
    for (int month = 1; month <= 12; month++) {
        if (!(cron->months >> month & 1)) continue;
        for (int day = 1; day <= brant__month_length(2000, month); day++)
            if (cron->days >> day & 1) return true;
    }
    return false;
}

brant_status brant__cron_parse(brant__cron *out, brant__text spec) {
    brant_status status = BRANT_OK;
    brant__text words[FIELDS + 1], rest = spec;
    size_t count = 0;
    bool wild[FIELDS] = {false};
    *out = (brant__cron){.seconds = 1};
    uint64_t *const bits[FIELDS] = {&out->seconds, &out->minutes, &out->hours,
                                    &out->days,    &out->months,  &out->weekdays};
    brant__text first = next_word(&rest);
    if (first.length > 0 && first.data[0] == '@') {
        BRANT__TRY(read_word(out, &spec, first, rest));
        if (out->every > 0) return BRANT_OK;
    }
    for (rest = spec; count <= FIELDS; count++)
        if ((words[count] = next_word(&rest)).length == 0) break;
    if (count != FIELDS && count != FIELDS - 1)
        return brant__fail(
            BRANT_INVALID,
            "/spec: 5 fields (minute, hour, day of month, month, day of week), 6 with "
            "seconds first, or @daily, @every 90s and the like; these are %s%zu",
            count > FIELDS ? "more than " : "", count > FIELDS ? (size_t)FIELDS : count);
    const size_t skipped = FIELDS - count; /* no seconds */
    for (size_t i = skipped; i < FIELDS; i++)
        BRANT__TRY(read_field(bits[i], &wild[i], (int)i, words[i - skipped]));
    /* As Vixie's cron: a field that begins with a star restricts nothing, whatever follows. */
    out->either =
        words[DAY_OF_MONTH - skipped].data[0] != '*' && words[DAY_OF_WEEK - skipped].data[0] != '*';
    out->elapsed = wild[MINUTE] || wild[HOUR];
    if (!is_possible(out))
        status = brant__fail(
            BRANT_INVALID, "/spec: day of month \"%.*s\": none of the months \"%.*s\" has it",
            (int)(words[DAY_OF_MONTH - skipped].length < 64 ? words[DAY_OF_MONTH - skipped].length
                                                            : 64),
            words[DAY_OF_MONTH - skipped].data,
            (int)(words[MONTH - skipped].length < 64 ? words[MONTH - skipped].length : 64),
            words[MONTH - skipped].data);
cleanup:
    return status;
}

/* ---- local times that match -------------------------------------------------------------------------------------------------- */

/* The first set bit from `from` on, or 64. */
static int next_bit(uint64_t bits, int from) {
    while (from < 64 && !(bits >> from & 1))
        from++;
    return from;
}

/* The first second of a day from `from` on. */
static bool find_time(int64_t *out, const brant__cron *cron, int64_t from) {
    const int from_hour = (int)(from / 3600), from_minute = (int)(from / 60 % 60);
    int hour = next_bit(cron->hours, from_hour), minute = next_bit(cron->minutes, 0),
        second = next_bit(cron->seconds, 0);
    if (hour == from_hour) {
        const int later = next_bit(cron->seconds, (int)(from % 60));
        int same = next_bit(cron->minutes, from_minute);
        if (same == from_minute && later <= 59)
            second = later;
        else if (same == from_minute)
            same = next_bit(cron->minutes, from_minute + 1);
        if (same <= 59)
            minute = same;
        else
            hour = next_bit(cron->hours, from_hour + 1);
    }
    if (hour > 23) return false;
    *out = (int64_t)hour * 3600 + (int64_t)minute * 60 + second;
    return true;
}

static bool is_day(const brant__cron *cron, int64_t days, int day) {
    const bool of_month = cron->days >> day & 1;
    const bool of_week = cron->weekdays >> brant__weekday_of(days) & 1;
    return cron->either ? of_month || of_week : of_month && of_week;
}

/* The first local time of [from, limit) that the fields match. */
static bool find_match(int64_t *out, const brant__cron *cron, int64_t from, int64_t limit) {
    int64_t days = brant__floor_divide(from, DAY), time = from - days * DAY;
    brant__date date = brant__date_of(days);
    const int64_t last_year = date.year + SEARCH;
    while (days * DAY < limit && date.year <= last_year) {
        const int length = brant__month_length(date.year, date.month);
        if (cron->months >> date.month & 1) {
            for (; date.day <= length; date.day++, days++, time = 0) {
                int64_t found = 0;
                if (!is_day(cron, days, date.day) || !find_time(&found, cron, time)) continue;
                *out = days * DAY + found;
                return *out < limit;
            }
        } else {
            days += length - date.day + 1;
            time = 0;
        }
        date.day = 1;
        if (++date.month > 12) {
            date.month = 1;
            date.year++;
        }
    }
    return false;
}

/* ---- moments ----------------------------------------------------------------------------------------------------------------- */

#define SECONDS_MOST (BRANT__TIME_MOST / 1000)

static bool next_elapsed(int64_t *out, const brant__cron *cron, const brant__zone *zone,
                         int64_t at) {
    const int64_t end = at + SEARCH * 366 * DAY;
    while (at <= SECONDS_MOST && at < end) {
        const brant__span span = brant__zone_span(zone, at);
        const int64_t limit = span.until < end ? span.until : end;
        int64_t local = 0;
        if (find_match(&local, cron, at + span.offset, limit + span.offset)) {
            *out = local - span.offset;
            return true;
        }
        at = limit;
    }
    return false;
}

/* The latest local time that the clock has shown up to a moment. */
static int64_t reached(const brant__zone *zone, int64_t at) {
    int64_t most = INT64_MIN, look = at - LOOK;
    for (;;) {
        const brant__span span = brant__zone_span(zone, look);
        const int64_t last = span.until - 1 < at ? span.until - 1 : at;
        if (last + span.offset > most) most = last + span.offset;
        if (span.until > at) return most;
        look = span.until;
    }
}

static bool next_reached(int64_t *out, const brant__cron *cron, const brant__zone *zone,
                         int64_t after) {
    int64_t local = 0;
    if (!find_match(&local, cron, reached(zone, after) + 1, INT64_MAX)) return false;
    int64_t at = local - BRANT__ZONE_OFFSET_MOST;
    if (at <= after) at = after + 1;
    for (;;) {
        const brant__span span = brant__zone_span(zone, at);
        if (span.until == INT64_MAX || span.until - 1 + span.offset >= local) {
            *out = local - span.offset > at ? local - span.offset : at;
            return true;
        }
        at = span.until;
    }
}

bool brant__cron_next(int64_t *out, const brant__cron *cron, const brant__zone *zone,
                      int64_t after) {
    int64_t seconds = 0;
    *out = 0;
    if (after < BRANT__TIME_LEAST || after > BRANT__TIME_MOST) return false;
    if (cron->every > 0) {
        *out = after + cron->every;
        return *out <= BRANT__TIME_MOST;
    }
    const int64_t at = brant__floor_divide(after, 1000);
    if (!(cron->elapsed ? next_elapsed(&seconds, cron, zone, at + 1)
                        : next_reached(&seconds, cron, zone, at)) ||
        seconds > SECONDS_MOST)
        return false;
    *out = seconds * 1000;
    return true;
}
