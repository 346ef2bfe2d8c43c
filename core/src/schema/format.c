/*
 * schema/format.c: the formats that are asserted. Others are annotations: JSON Schema has no closed list of them.
 *
 * date-time, date, time, duration: RFC 3339 (its ABNF: no fractions of a duration, leap seconds only where UTC has them). email: RFC 5321.
 * hostname: RFC 1123, and RFC 5891 for "xn--" labels. ipv4: RFC 2673. ipv6: RFC 4291, without zone. uri, uri-reference: RFC 3986. uuid: RFC 9562.
 * json-pointer: RFC 6901. regex: ECMA-262, see regex.c.
 */
#include "schema/program.h"

/* ---- characters ------------------------------------------------------------------------------------------------------- */

static bool digit(char c) {
    return c >= '0' && c <= '9';
}
static bool letter(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}
static bool hexadecimal(char c) {
    return digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}
static bool among(char c, const char *set) {
    return c != '\0' && strchr(set, c) != NULL;
}

/* `count` digits at `at` as a number, or -1. */
static int number_at(const char *data, size_t length, size_t at, int count) {
    if (at > length || length - at < (size_t)count) return -1;
    int number = 0;
    for (int i = 0; i < count; i++) {
        if (!digit(data[at + (size_t)i])) return -1;
        number = number * 10 + (data[at + (size_t)i] - '0');
    }
    return number;
}

/* ---- dates and times --------------------------------------------------------------------------------------------------- */

static bool is_date(const char *data, size_t length) {
    static const uint8_t days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    if (length != 10 || data[4] != '-' || data[7] != '-') return false;
    const int year = number_at(data, length, 0, 4), month = number_at(data, length, 5, 2),
              day = number_at(data, length, 8, 2);
    if (year < 0 || month < 1 || month > 12 || day < 1) return false;
    const bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    return day <= days[month - 1] + (month == 2 && leap);
}

static bool is_time(const char *data, size_t length) {
    const int hour = number_at(data, length, 0, 2), minute = number_at(data, length, 3, 2),
              second = number_at(data, length, 6, 2);
    if (length < 9 || data[2] != ':' || data[5] != ':') return false;
    if (hour < 0 || hour > 23 || minute < 0 || minute > 59 || second < 0 || second > 60)
        return false;
    size_t at = 8;
    if (data[at] == '.') {
        const size_t from = ++at;
        while (at < length && digit(data[at]))
            at++;
        if (at == from) return false;
    }
    int offset = 0;
    if (at + 1 == length && (data[at] == 'Z' || data[at] == 'z')) {
        at++;
    } else if (length - at == 6 && (data[at] == '+' || data[at] == '-') && data[at + 3] == ':') {
        const int hours = number_at(data, length, at + 1, 2),
                  minutes = number_at(data, length, at + 4, 2);
        if (hours < 0 || hours > 23 || minutes < 0 || minutes > 59) return false;
        offset = (hours * 60 + minutes) * (data[at] == '+' ? 1 : -1);
        at += 6;
    } else {
        return false;
    }
    if (at != length) return false;
    return second < 60 || (hour * 60 + minute - offset + 2 * 1440) % 1440 == 1439;
}

static bool is_date_time(const char *data, size_t length) {
    return length > 11 && (data[10] == 'T' || data[10] == 't') && is_date(data, 10) &&
           is_time(data + 11, length - 11);
}

/* Numbers with units out of `units` from `at` on, one after another without a gap; where it ends, or 0 for none. */
static size_t duration_part(const char *data, size_t length, size_t at, const char *units) {
    const char *next = NULL;
    size_t end = 0;
    while (at < length && digit(data[at])) {
        while (at < length && digit(data[at]))
            at++;
        if (at == length || !among(data[at], units)) return 0;
        const char *unit = strchr(units, data[at]);
        if (next && unit != next) return 0;
        next = unit + 1;
        end = ++at;
    }
    return end;
}

static bool is_duration(const char *data, size_t length) {
    if (length < 3 || data[0] != 'P') return false;
    if (data[length - 1] == 'W') return duration_part(data, length, 1, "W") == length;
    size_t at = 1;
    if (data[at] != 'T') {
        at = duration_part(data, length, 1, "YMD");
        if (at == 0 || at == length) return at == length;
    }
    return data[at] == 'T' && duration_part(data, length, at + 1, "HMS") == length;
}

/* ---- hosts ---------------------------------------------------------------------------------------------------------------- */

static bool is_ipv4(const char *data, size_t length) {
    size_t at = 0;
    for (int part = 0; part < 4; part++) {
        if (part > 0) {
            if (at >= length || data[at] != '.') return false;
            at++;
        }
        const size_t from = at;
        int number = 0;
        for (; at < length && digit(data[at]) && at - from < 3; at++)
            number = number * 10 + (data[at] - '0');
        if (at == from || number > 255 || (at - from > 1 && data[from] == '0')) return false;
    }
    return at == length;
}

static bool is_ipv6(const char *data, size_t length) {
    int groups = 0;
    bool gap = false;
    size_t at = 0;
    if (length >= 2 && data[0] == ':' && data[1] == ':') {
        gap = true;
        at = 2;
    }
    while (at < length) {
        const size_t from = at;
        while (at < length && hexadecimal(data[at]))
            at++;
        if (at < length && data[at] == '.') {
            groups += 2;
            return is_ipv4(data + from, length - from) && (gap ? groups < 8 : groups == 8);
        }
        groups++;
        if (at == from || at - from > 4 || groups > 8) return false;
        if (at == length) break;
        if (data[at] != ':' || length - at == 1) return false;
        at++;
        if (data[at] == ':') {
            if (gap) return false;
            gap = true;
            at++;
        }
    }
    return gap ? groups < 8 : groups == 8;
}

static bool is_hostname(const char *data, size_t length) {
    if (length == 0 || length > 253) return false;
    for (size_t from = 0, at = 0; at <= length; at++) {
        if (at < length && data[at] != '.') {
            if (!letter(data[at]) && !digit(data[at]) && data[at] != '-') return false;
            continue;
        }
        const size_t size = at - from;
        if (size == 0 || size > 63 || data[from] == '-' || data[at - 1] == '-') return false;
        const bool tagged = size >= 4 && data[from + 2] == '-' && data[from + 3] == '-';
        if (tagged && (data[from] == 'x' || data[from] == 'X') &&
            (data[from + 1] == 'n' || data[from + 1] == 'N') &&
            !brant__idna_label(data + from + 4, size - 4)) {
            return false;
        }
        from = at + 1;
    }
    return true;
}

/* ---- mail ----------------------------------------------------------------------------------------------------------------- */

/* The end of a local part, or 0. */
static size_t local_part(const char *data, size_t length) {
    size_t at = 0;
    if (length > 0 && data[0] == '"') {
        for (at = 1; at < length && data[at] != '"'; at++) {
            if (data[at] == '\\') at++;
            if (at >= length || data[at] < 0x20 || data[at] > 0x7E) return 0;
        }
        return at < length ? at + 1 : 0;
    }
    bool dot = true;
    for (; at < length && data[at] != '@'; at++) {
        if (data[at] == '.') {
            if (dot) return 0;
            dot = true;
            continue;
        }
        if (!letter(data[at]) && !digit(data[at]) && !among(data[at], "!#$%&'*+-/=?^_`{|}~"))
            return 0;
        dot = false;
    }
    return dot ? 0 : at;
}

static bool is_email(const char *data, size_t length) {
    const size_t local = local_part(data, length);
    if (local == 0 || local >= length || data[local] != '@') return false;
    const char *domain = data + local + 1;
    const size_t size = length - local - 1;
    if (size < 2 || domain[0] != '[' || domain[size - 1] != ']') return is_hostname(domain, size);
    if (size > 7 && memcmp(domain, "[IPv6:", 6) == 0) return is_ipv6(domain + 6, size - 7);
    return is_ipv4(domain + 1, size - 2);
}

/* ---- URIs ----------------------------------------------------------------------------------------------------------------- */

/* Where characters of `extra`, unreserved ones, sub-delimiters and percent escapes end. */
static size_t uri_run(const char *data, size_t length, size_t at, const char *extra) {
    for (; at < length; at++) {
        const char c = data[at];
        if (letter(c) || digit(c) || among(c, "-._~!$&'()*+,;=") || among(c, extra)) continue;
        if (c != '%' || length - at < 3 || !hexadecimal(data[at + 1]) || !hexadecimal(data[at + 2]))
            break;
        at += 2;
    }
    return at;
}

static bool is_ip_literal(const char *data, size_t length) {
    if (length < 2 || (data[0] != 'v' && data[0] != 'V')) return is_ipv6(data, length);
    size_t at = 1;
    while (at < length && hexadecimal(data[at]))
        at++;
    if (at == 1 || at + 1 >= length || data[at] != '.') return false;
    return !memchr(data, '%', length) && uri_run(data, length, at + 1, ":") == length;
}

/* userinfo, host and port from `at` on; where they end, or SIZE_MAX. */
static size_t uri_authority(const char *data, size_t length, size_t at) {
    const size_t user = uri_run(data, length, at, ":");
    if (user < length && data[user] == '@') at = user + 1;
    if (at < length && data[at] == '[') {
        const char *end = memchr(data + at, ']', length - at);
        if (!end || !is_ip_literal(data + at + 1, (size_t)(end - data) - at - 1)) return SIZE_MAX;
        at = (size_t)(end - data) + 1;
    } else {
        at = uri_run(data, length, at, "");
    }
    if (at < length && data[at] == ':') {
        at++;
        while (at < length && digit(data[at]))
            at++;
    }
    return at == length || among(data[at], "/?#") ? at : SIZE_MAX;
}

static bool check_uri(const char *data, size_t length, bool absolute) {
    size_t at = 0;
    while (at < length &&
           (letter(data[at]) || (at > 0 && (digit(data[at]) || among(data[at], "+-.")))))
        at++;
    const bool scheme = at > 0 && at < length && data[at] == ':';
    if (absolute && !scheme) return false;
    at = scheme ? at + 1 : 0;
    if (length - at >= 2 && data[at] == '/' && data[at + 1] == '/') {
        at = uri_authority(data, length, at + 2);
        if (at == SIZE_MAX) return false;
    } else if (!scheme) {
        /* The first segment of a relative path has no colon. */
        at = uri_run(data, length, at, "@");
        if (at < length && data[at] == ':') return false;
    }
    at = uri_run(data, length, at, ":@/");
    if (at < length && data[at] == '?') at = uri_run(data, length, at + 1, ":@/?");
    if (at < length && data[at] == '#') at = uri_run(data, length, at + 1, ":@/?");
    return at == length;
}

static bool is_uri(const char *data, size_t length) {
    return check_uri(data, length, true);
}
static bool is_uri_reference(const char *data, size_t length) {
    return check_uri(data, length, false);
}

/* ---- others --------------------------------------------------------------------------------------------------------------- */

static bool is_uuid(const char *data, size_t length) {
    if (length != 36) return false;
    for (size_t i = 0; i < length; i++) {
        const bool hyphen = i == 8 || i == 13 || i == 18 || i == 23;
        if (hyphen ? data[i] != '-' : !hexadecimal(data[i])) return false;
    }
    return true;
}

static bool is_json_pointer(const char *data, size_t length) {
    if (length > 0 && data[0] != '/') return false;
    for (size_t i = 0; i < length; i++) {
        if (data[i] == '~' && (i + 1 == length || (data[i + 1] != '0' && data[i + 1] != '1')))
            return false;
    }
    return true;
}

/* RFC 4648 section 4, padded. */
static bool is_base64(const char *data, size_t length) {
    size_t padding = 0;
    if (length % 4 != 0) return false;
    while (padding < 2 && padding < length && data[length - padding - 1] == '=')
        padding++;
    for (size_t i = 0; i < length - padding; i++) {
        if (!letter(data[i]) && !digit(data[i]) && data[i] != '+' && data[i] != '/') return false;
    }
    return true;
}

static bool is_regex(const char *data, size_t length) {
    return brant__regex_translate(NULL, brant__text_of(data, length), NULL);
}

/* ---- the table ------------------------------------------------------------------------------------------------------------- */

static const struct {
    const char *name;
    bool (*accepts)(const char *data, size_t length);
    const char *message;
} formats[] = {
    [BRANT__FORMAT_BASE64] = {"", is_base64, "must be bytes in base64, like aGVsbG8="},
    {"date-time", is_date_time,
     "must be a date and time with an offset, like 2024-01-31T12:00:00Z"},
    {"date", is_date, "must be a date, like 2024-01-31"},
    {"time", is_time, "must be a time with an offset, like 12:00:00Z"},
    {"duration", is_duration, "must be a duration, like P3DT12H"},
    {"email", is_email, "must be an e-mail address"},
    {"hostname", is_hostname, "must be a host name"},
    {"ipv4", is_ipv4, "must be an IPv4 address, like 192.0.2.1"},
    {"ipv6", is_ipv6, "must be an IPv6 address, like 2001:db8::1"},
    {"uri", is_uri, "must be a URI with a scheme, like https://example.com/a"},
    {"uri-reference", is_uri_reference, "must be a URI or a relative reference"},
    {"uuid", is_uuid, "must be a UUID"},
    {"json-pointer", is_json_pointer, "must be a JSON pointer, like /a/0"},
    {"regex", is_regex, "must be a regular expression"},
};

int brant__format_find(brant__text name) {
    for (size_t i = BRANT__FORMAT_BASE64 + 1; i < BRANT__COUNT(formats); i++) {
        if (strlen(formats[i].name) == name.length &&
            memcmp(formats[i].name, name.data, name.length) == 0)
            return (int)i;
    }
    return -1;
}

bool brant__format_accepts(int format, const char *data, size_t length) {
    return formats[format].accepts(data, length);
}

const char *brant__format_message(int format) {
    return formats[format].message;
}
